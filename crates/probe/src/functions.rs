//! Functions of the kernel that do system calls, and hooks at their ends: a call that nobody wants has none.
//!
//! A hook is a stub, the same few instructions at every function, which goes on in one of the programs of
//! `bpf/functions.h`. The kernel lets it when both are for functions of one type.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::thread::{self, JoinHandle};

use libbpf_rs::btf::types::Func;
use libbpf_rs::btf::{Btf, ReferencesType as _};
use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType, Object, libbpf_sys};

use crate::generated::NUMBERS;
use crate::{ProbeError, numbers, preemption};

/// What the name of a call's function begins with, and of one without arguments where that name is an alias.
const BEGIN: &str = if cfg!(target_arch = "x86_64") { "__x64_sys_" } else { "__arm64_sys_" };
const BEGIN_ALIASED: &str = "__do_sys_";
/// Functions whose name is not that of the call.
const RENAMED: &[(&str, &str)] = &[
    ("stat", "newstat"),
    ("fstat", "newfstat"),
    ("lstat", "newlstat"),
    ("uname", "newuname"),
    ("sendfile", "sendfile64"),
    ("umount2", "umount"),
    #[cfg(target_arch = "aarch64")]
    ("fadvise64", "fadvise64_64"),
    #[cfg(target_arch = "aarch64")]
    ("personality", "arm64_personality"),
];

/// Name of a call's function, without what it begins with.
pub(crate) fn name_of(call: &str) -> &str {
    RENAMED.iter().find(|(renamed, _)| *renamed == call).map_or(call, |(_, function)| function)
}

/// Programs that stubs go on in, one for each type of function.
pub(crate) const PROGRAMS: [&str; 2] = ["function_of_call", "function_of_call_other"];
/// Does every call of 32-bit callers; since 5.10.215, 5.15.154, 6.1.85 and 6.9.
const COMPAT: &str = "ia32_sys_call";

/// A function, as the kernel numbers it, and which of the types it has.
#[derive(Clone, Copy, Debug)]
struct Place {
    id: u32,
    kind: usize,
}

/// The functions of this kernel.
struct Functions {
    by_number: BTreeMap<u16, Place>,
    /// One name of each type.
    examples: Vec<String>,
}

impl Functions {
    fn of_this_kernel() -> Result<Functions, ProbeError> {
        let btf = Btf::from_vmlinux().map_err(|_| ProbeError::Btf)?;
        let mut found: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for function in btf.type_by_kind::<Func<'_>>() {
            let name = function.name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(BEGIN) || name.starts_with(BEGIN_ALIASED) || name == COMPAT {
                found.insert(name, (function.type_id().into(), function.referenced_type().type_id().into()));
            }
        }
        if cfg!(target_arch = "x86_64") && !found.contains_key(COMPAT) {
            return Err(ProbeError::Refused(format!("this kernel has no function {COMPAT}")));
        }
        Ok(Functions::among(&found))
    }

    /// Those of functions with their numbers and types that do calls.
    fn among(found: &BTreeMap<&str, (u32, u32)>) -> Functions {
        let kinds: BTreeMap<u32, &str> = found
            .iter()
            .filter(|(name, _)| name.starts_with(BEGIN))
            .map(|(name, (_, kind))| (*kind, *name))
            .collect();
        let place = |name: String| {
            let (id, kind) = found.get(name.as_str())?;
            let kind = kinds.keys().take(PROGRAMS.len()).position(|known| known == kind)?;
            Some(Place { id: *id, kind })
        };
        let by_number = NUMBERS.iter().filter_map(|(name, number)| {
            let function =
                RENAMED.iter().find(|(call, _)| call == name).map_or(*name, |(_, function)| function);
            let place = place(format!("{BEGIN}{function}"))
                .or_else(|| place(format!("{BEGIN_ALIASED}{function}")))?;
            Some((*number as u16, place))
        });
        Functions {
            by_number: by_number.collect(),
            examples: kinds.values().take(PROGRAMS.len()).map(|name| (*name).to_owned()).collect(),
        }
    }
}

/// Hooks at the functions of wanted calls.
pub(crate) struct Hooks {
    functions: Functions,
    /// For each type of function, where its stubs find the program.
    doors: Vec<MapHandle>,
    stubs: BTreeMap<u16, OwnedFd>,
    /// Calls whose hooks are being taken away.
    leaving: Option<(BTreeSet<u16>, JoinHandle<()>)>,
}

impl Hooks {
    /// None yet; refuses where the kernel does, or where programs at functions could be interrupted by others.
    pub(crate) fn new() -> Result<Hooks, ProbeError> {
        let functions = Functions::of_this_kernel()?;
        let doors: Result<Vec<_>, _> = functions.examples.iter().map(|_| door()).collect();
        let mut hooks =
            Hooks { functions, doors: doors.map_err(refused)?, stubs: BTreeMap::new(), leaving: None };
        // Every plan has this one, so that the attempt need not be undone.
        hooks.add(&BTreeSet::from([numbers::number("openat")]))?;
        if hooks.stubs.is_empty() {
            return Err(ProbeError::Refused("this kernel names no functions of calls".to_owned()));
        }
        preemption::expect_none()?;
        Ok(hooks)
    }

    /// For which function each of the programs is loaded.
    pub(crate) fn example(&self, program: &str) -> Option<&str> {
        let kind = PROGRAMS.iter().position(|name| *name == program)?;
        self.functions.examples.get(kind).map(String::as_str)
    }

    /// Lets the stubs go on in the programs.
    pub(crate) fn lead_to(&self, object: &Object) -> Result<(), ProbeError> {
        for (door, name) in self.doors.iter().zip(PROGRAMS) {
            let Some(program) = object.progs().find(|program| program.name() == name) else { continue };
            let fd = program.as_fd().as_raw_fd().to_ne_bytes();
            door.update(&0u32.to_ne_bytes(), &fd, MapFlags::ANY).map_err(refused)?;
        }
        Ok(())
    }

    /// Adds hooks for calls that have none. A call that this kernel has no function for cannot be made either.
    pub(crate) fn add(&mut self, wanted: &BTreeSet<u16>) -> Result<(), ProbeError> {
        // Two hooks at one function would tell of each call twice.
        if let Some((_, leaving)) = self.leaving.take_if(|(numbers, _)| !numbers.is_disjoint(wanted)) {
            let _ = leaving.join();
        }
        for number in wanted {
            let Some(place) = self.functions.by_number.get(number) else { continue };
            if !self.stubs.contains_key(number) {
                let stub = self.stub(*place).map_err(refused)?;
                self.stubs.insert(*number, stub);
            }
        }
        Ok(())
    }

    /// Takes all other hooks away. The kernel needs a tenth of a second for each, which nobody waits for.
    pub(crate) fn keep(&mut self, wanted: &BTreeSet<u16>) {
        let stubs = std::mem::take(&mut self.stubs);
        let (kept, others): (_, BTreeMap<u16, OwnedFd>) =
            stubs.into_iter().partition(|(number, _)| wanted.contains(number));
        self.stubs = kept;
        if others.is_empty() {
            return;
        }
        let before = self.leaving.take();
        let mut numbers: BTreeSet<u16> = others.keys().copied().collect();
        numbers.extend(before.iter().flat_map(|(numbers, _)| numbers));
        let leave = move || {
            drop(others);
            before.map(|(_, leaving)| leaving.join());
        };
        self.leaving = Some((numbers, thread::spawn(leave)));
    }

    /// A hook at a function, while the descriptor is open.
    fn stub(&self, place: Place) -> io::Result<OwnedFd> {
        let door = self.doors.get(place.kind).ok_or(io::ErrorKind::NotFound)?;
        let program = loaded(door.as_fd(), place.id)?;
        // SAFETY: without a name the function is that of the program.
        descriptor(unsafe { libbpf_sys::bpf_raw_tracepoint_open(std::ptr::null(), program.as_raw_fd()) })
    }
}

/// Where all hooks are taken away, this process is about to end; a child of it waits until the kernel is done.
impl Drop for Hooks {
    fn drop(&mut self) {
        let Ok((ours, childs)) = pipe() else { return };
        let mut kept: Vec<i32> = self.stubs.values().chain([&childs]).map(AsRawFd::as_raw_fd).collect();
        kept.sort_unstable();
        // SAFETY: the child makes system calls only.
        if unsafe { libc::fork() } == 0 {
            close_all_but(&kept);
            // SAFETY: waits until the parent has closed its end, then ends the child and so its hold on the hooks.
            unsafe {
                libc::read(childs.as_raw_fd(), [0u8].as_mut_ptr().cast(), 1);
                libc::_exit(0);
            }
        }
        self.stubs.clear();
        drop(ours);
    }
}

/// The end to write and the end to read.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: fills both numbers.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: made just now, and nobody else's.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[1]), OwnedFd::from_raw_fd(ends[0])) })
}

/// Closes every descriptor but these, which are in order.
fn close_all_but(kept: &[i32]) {
    let mut first = 0;
    for last in kept.iter().copied().chain([i32::MAX]) {
        if first < last {
            // SAFETY: numbers only; whoever uses these descriptors is another process.
            unsafe { libc::syscall(libc::SYS_close_range, first, last - 1, 0) };
        }
        first = last.saturating_add(1);
    }
}

fn refused(error: impl Display) -> ProbeError {
    ProbeError::Refused(format!("programs at functions: {error:#}"))
}

fn door() -> libbpf_rs::Result<MapHandle> {
    let options = libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_sys::bpf_map_create_opts>() as libbpf_sys::size_t,
        ..Default::default()
    };
    MapHandle::create(MapType::ProgArray, Some("doors"), 4, 4, 1, &options)
}

/// A stub for the function with this number: `bpf_tail_call(context, door, 0); return 0;`.
fn loaded(door: BorrowedFd<'_>, function: u32) -> io::Result<OwnedFd> {
    const TAIL_CALL: u64 = 12;
    let door = u64::from(door.as_raw_fd().cast_unsigned());
    // r2 = door (two words); r3 = 0; call; r0 = 0; exit.
    let code = [0x1218 | door << 32, 0, 0x03b7, 0x85 | TAIL_CALL << 32, 0xb7, 0x95];
    let mut options = libbpf_sys::bpf_prog_load_opts {
        sz: size_of::<libbpf_sys::bpf_prog_load_opts>() as libbpf_sys::size_t,
        expected_attach_type: libbpf_sys::BPF_TRACE_FEXIT,
        attach_btf_id: function,
        ..Default::default()
    };
    // SAFETY: strings end with NUL, an instruction is one word, and all of it lives across the call.
    descriptor(unsafe {
        libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_TRACING,
            c"eyas_call".as_ptr(),
            c"Dual BSD/GPL".as_ptr(),
            code.as_ptr().cast(),
            code.len() as libbpf_sys::size_t,
            &raw mut options,
        )
    })
}

/// The descriptor that a call of libbpf gave, or its error.
fn descriptor(given: i32) -> io::Result<OwnedFd> {
    if given < 0 {
        return Err(io::Error::from_raw_os_error(-given));
    }
    // SAFETY: made just now, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(given) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn functions_are_found_by_the_names_that_the_kernel_gives_them() {
        let found = BTreeMap::from([
            ("__x64_sys_stat", (1, 10)),
            ("__x64_sys_newstat", (2, 10)),
            ("__x64_sys_openat", (3, 11)),
            ("__do_sys_setsid", (4, 10)),
            ("__do_sys_bpf", (5, 12)),
        ]);
        let functions = Functions::among(&found);
        let place = |name: &str| {
            let place = functions.by_number.get(&crate::numbers::number(name))?;
            Some((place.id, place.kind))
        };
        assert_eq!(place("stat"), Some((2, 0)));
        assert_eq!(place("openat"), Some((3, 1)));
        assert_eq!(place("setsid"), Some((4, 0)));
        assert_eq!(place("bpf"), None);
        assert_eq!(functions.examples.len(), 2);
    }
}
