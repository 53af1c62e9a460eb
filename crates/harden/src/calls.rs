//! System calls that the calling thread denies itself: seccomp.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

use crate::HardenError;

/// Which calls are denied. A denied call fails with `EPERM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// What a sensor never does: change other processes, mounts, namespaces, the kernel, the clock.
    Foreign,
    /// What only the thread that watches does: load programs and open performance events.
    Probing,
}

/// What a sensor never does.
const FOREIGN: &[libc::c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_process_madvise,
    // Namespaces and mounts.
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // The kernel.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
    libc::SYS_personality,
    libc::SYS_lookup_dcookie,
    // The host.
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// Calls that only this architecture has.
#[cfg(target_arch = "x86_64")]
const OLD: &[libc::c_long] =
    &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_uselib, libc::SYS_kexec_file_load];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[libc::c_long] = &[libc::SYS_kexec_file_load];

const PROBING: &[libc::c_long] = &[libc::SYS_bpf, libc::SYS_perf_event_open];

/// Denies calls from now on; there is no way back.
///
/// # Errors
/// When the kernel refuses: without `no_new_rights` it takes a filter only from those with `CAP_SYS_ADMIN`.
pub fn deny(denied: Denied) -> Result<(), HardenError> {
    let calls = match denied {
        Denied::Foreign => [FOREIGN, OLD].concat(),
        Denied::Probing => PROBING.to_vec(),
    };
    let unfit = |error: &dyn std::fmt::Display| HardenError::Filter(error.to_string());
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|e| unfit(&e))?;
    let rules: BTreeMap<i64, _> = calls.into_iter().map(|number| (number, Vec::new())).collect();
    let action = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, arch).map_err(|e| unfit(&e))?;
    let program: BpfProgram = filter.try_into().map_err(|e: seccompiler::BackendError| unfit(&e))?;
    apply_filter(&program).map_err(|error| HardenError::Filter(error.to_string()))
}
