//! Calls whose functions in the kernel have another name than the call, or no argument.

use crate::files::sys;
use crate::stage::{Is, Is::N, Stage, c, text};

pub(crate) const CASES: &[crate::Case] = &[
    ("calls whose function has another name are seen once", renamed),
    ("calls without arguments are seen once", nullary),
];

const ENOENT: i64 = -2;

fn renamed(stage: &mut Stage) {
    let name = c(stage.path("absent"));
    let seen = stage.run(&["stat", "lstat", "fstat", "uname", "umount2"], |_| {
        let mut room = [0u64; 64];
        sys!(SYS_stat(name.as_ptr(), room.as_mut_ptr()));
        sys!(SYS_lstat(name.as_ptr(), room.as_mut_ptr()));
        sys!(SYS_fstat(499, room.as_mut_ptr()));
        sys!(SYS_uname(room.as_mut_ptr()));
        sys!(SYS_umount2(name.as_ptr(), 0));
    });
    let path = || text(name.to_string_lossy());
    seen.expect("stat", &[("res", N(ENOENT)), ("path", path())]);
    seen.expect("lstat", &[("res", N(ENOENT)), ("path", path())]);
    seen.expect("fstat", &[("res", N(-9)), ("fd", N(499))]);
    seen.expect("umount2", &[("res", N(ENOENT)), ("name", path()), ("flags", N(0))]);
    for (name, times) in [("stat", 1), ("lstat", 1), ("fstat", 1), ("syscall", 1), ("umount2", 1)] {
        assert_eq!(seen.all(name).len(), times, "{name}");
    }
    seen.expect("syscall", &[("ID", Is::Some), ("nativeID", N(libc::SYS_uname))]);
}

fn nullary(stage: &mut Stage) {
    let seen = stage.run(&["getuid", "setsid", "getppid"], |notes| {
        sys!(notes[0] = SYS_setsid());
        sys!(SYS_getuid());
        sys!(SYS_getppid());
    });
    assert_eq!([seen.all("getuid").len(), seen.all("setsid").len(), seen.all("syscall").len()], [1, 1, 1]);
    seen.expect("setsid", &[("res", N(seen.notes.get(0)))]);
    seen.expect("syscall", &[("ID", Is::Some), ("nativeID", N(libc::SYS_getppid))]);
}
