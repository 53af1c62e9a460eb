//! Files of an overlay: in which layer they lie.

use std::fs;

use crate::files::sys;
use crate::stage::{Stage, c};

pub(crate) const CASES: &[crate::Case] = &[
    ("an open in an overlay says in which layer the file lies", opens),
    ("an exec says it of the program", execs),
];

const UPPER: u64 = 1 << 15;
const LOWER: u64 = 1 << 16;

/// Mounts an overlay in a mount namespace of this process; false when the kernel cannot.
fn overlay(options: &std::ffi::CStr, at: &std::ffi::CStr) -> bool {
    let private = libc::MS_REC | libc::MS_PRIVATE;
    sys!(SYS_unshare(libc::CLONE_NEWNS)) == 0
        && sys!(SYS_mount(c"none".as_ptr(), c"/".as_ptr(), 0, private, 0)) == 0
        && sys!(SYS_mount(c"none".as_ptr(), at.as_ptr(), c"overlay".as_ptr(), 0, options.as_ptr())) == 0
}

/// Folders on a tmpfs: an overlay cannot have a layer in another overlay.
fn folders(stage: &Stage, name: &str) -> (std::path::PathBuf, std::ffi::CString, std::ffi::CString) {
    let root = stage.path(name);
    for part in ["lower", "upper", "work", "merged"] {
        fs::create_dir_all(root.join(part)).expect("a folder");
    }
    let at = root.to_string_lossy();
    let options = c(format!("lowerdir={at}/lower,upperdir={at}/upper,workdir={at}/work"));
    let merged = c(root.join("merged"));
    (root, options, merged)
}

fn opens(stage: &mut Stage) {
    let (root, options, merged) = folders(stage, "open-layers");
    fs::write(root.join("lower/old"), "x").expect("a file");
    let (old, new) = (c(root.join("merged/old")), c(root.join("merged/new")));
    let seen = stage.run(&["openat"], |notes| {
        notes.put(0, overlay(&options, &merged).into());
        sys!(SYS_openat(libc::AT_FDCWD, old.as_ptr(), libc::O_RDONLY, 0));
        sys!(SYS_openat(libc::AT_FDCWD, new.as_ptr(), libc::O_CREAT | libc::O_WRONLY, 0o600));
    });
    if seen.notes.get(0) == 0 {
        eprintln!("skipped: an overlay cannot be mounted here");
        return;
    }
    let opened = seen.all("openat");
    let layers: Vec<u64> = opened.iter().filter_map(|e| Some(e.unsigned(3)? & (UPPER | LOWER))).collect();
    assert_eq!(layers, [LOWER, UPPER]);
}

fn execs(stage: &mut Stage) {
    let (root, options, merged) = folders(stage, "exec-layers");
    let own = std::env::current_exe().expect("a program");
    fs::copy(own, root.join("lower/program")).expect("a program");
    let program = c(root.join("merged/program"));
    let (list, none) = (c("--list"), std::ptr::null());
    let seen = stage.run(&[], |notes| {
        notes.put(0, overlay(&options, &merged).into());
        let (argv, env) = ([program.as_ptr(), list.as_ptr(), none], [none]);
        let null = sys!(SYS_openat(libc::AT_FDCWD, c"/dev/null".as_ptr(), libc::O_WRONLY, 0));
        sys!(SYS_dup3(null, 1, 0));
        sys!(SYS_execve(program.as_ptr(), argv.as_ptr(), env.as_ptr()));
    });
    if seen.notes.get(0) == 0 {
        eprintln!("skipped: an overlay cannot be mounted here");
        return;
    }
    assert_eq!(seen.one("execve").unsigned(19).map(|flags| flags & (2 | 8)), Some(8));
}
