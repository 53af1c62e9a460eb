//! Arguments that another process rewrites while the kernel works on the call.

use std::ffi::CStr;
use std::fs;
use std::path::Path;

use eyas_probe::{Plan, Sieve};

use crate::files::{resolved, sys};
use crate::stage::{Seen, Stage, c};

pub(crate) const CASES: &[crate::Case] = &[
    ("an open whose name is rewritten meanwhile carries the path that the kernel opened", rewritten),
    ("an open whose name is rewritten meanwhile is not left out", rewritten_to_be_left_out),
];

/// A page that a process and its children share.
fn shared() -> *mut u8 {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh anonymous mapping.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, -1, 0) };
    assert_ne!(at, libc::MAP_FAILED);
    at.cast()
}

fn write(page: *mut u8, name: &CStr) {
    let bytes = name.to_bytes_with_nul();
    assert!(bytes.len() <= 4096);
    // SAFETY: the page is that large and is never unmapped.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), page, bytes.len()) };
}

/// A child opens a file that this process has a lease on, and so waits after the kernel has read the name; then the
/// name is rewritten and the lease given up.
fn race(file: &CStr, other: &CStr) {
    let page = shared();
    write(page, file);
    let lease = sys!(SYS_openat(libc::AT_FDCWD, file.as_ptr(), libc::O_RDWR, 0)) as i32;
    // SAFETY: sets of signals of our own; the child makes system calls only.
    unsafe {
        let mut waited: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut waited);
        libc::sigaddset(&raw mut waited, libc::SIGIO);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const waited, std::ptr::null_mut());
        assert_eq!(libc::fcntl(lease, libc::F_SETLEASE, libc::F_WRLCK), 0);
        let child = libc::fork();
        if child == 0 {
            libc::close(lease);
            let fd = libc::syscall(libc::SYS_openat, libc::AT_FDCWD, page, libc::O_RDONLY, 0);
            libc::_exit(i32::from(fd < 0));
        }
        libc::sigwaitinfo(&raw const waited, std::ptr::null_mut());
        write(page, other);
        libc::fcntl(lease, libc::F_SETLEASE, libc::F_UNLCK);
        libc::waitpid(child, std::ptr::null_mut(), 0);
    }
}

/// What is seen of such a race for a file with this name.
fn raced(stage: &mut Stage, plan: &Plan, file: &Path) -> Seen {
    fs::write(file, "x").expect("a file");
    let name = c(file);
    stage.run_under(plan, |_| race(&name, c"/etc/passwd"))
}

/// Paths of the opens of the child.
fn opened(seen: &Seen) -> Vec<String> {
    seen.all("openat").iter().filter(|event| event.tid != seen.pid).map(resolved).collect()
}

fn rewritten(stage: &mut Stage) {
    let file = stage.path("raced");
    let seen = raced(stage, &Plan::of(&[eyas_event::id::SYSCALL_OPENAT_2_X]), &file);
    assert_eq!(opened(&seen), [file.to_string_lossy()]);
}

fn rewritten_to_be_left_out(stage: &mut Stage) {
    let file = stage.path("raced-secret");
    let sieve = Sieve { found: vec!["-secret".to_owned()], ..Sieve::default() };
    let seen = raced(stage, &Plan { sieve: Some(sieve), ..Plan::of(&[]) }, &file);
    assert_eq!(opened(&seen), [file.to_string_lossy()]);
}
