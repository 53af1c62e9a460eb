//! Files of an overlay: in which layer they lie. Files behind mounts: what they are called beneath.

use std::fs;

use crate::files::{resolved, sys};
use crate::stage::{Stage, c};

pub(crate) const CASES: &[crate::Case] = &[
    ("an open in an overlay says in which layer the file lies", opens),
    ("an exec says it of the program", execs),
    ("a file behind a bind mount is known by its name beneath", bound),
    ("a file of another file system is known by where that is mounted", mounted),
];

const UPPER: u64 = 1 << 15;
const LOWER: u64 = 1 << 16;

/// Gives this process mounts of its own; false when the kernel does not.
fn alone() -> bool {
    let private = libc::MS_REC | libc::MS_PRIVATE;
    sys!(SYS_unshare(libc::CLONE_NEWNS)) == 0
        && sys!(SYS_mount(c"none".as_ptr(), c"/".as_ptr(), 0, private, 0)) == 0
}

/// Mounts an overlay in a mount namespace of this process; false when the kernel cannot.
fn overlay(options: &std::ffi::CStr, at: &std::ffi::CStr) -> bool {
    alone() && sys!(SYS_mount(c"none".as_ptr(), at.as_ptr(), c"overlay".as_ptr(), 0, options.as_ptr())) == 0
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

fn bound(stage: &mut Stage) {
    let root = stage.path("bound");
    for folder in ["real/in", "folder", "whole"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    fs::write(root.join("real/in/file"), "x").expect("a file");
    fs::write(root.join("single"), "").expect("a file");
    let real = root.join("real/in/file").to_string_lossy().into_owned();
    let binds = [("real", "folder"), ("real/in/file", "single"), ("/", "whole")]
        .map(|(from, to)| (c(root.join(from)), c(root.join(to))));
    let opened = ["folder/in/file", "single"].map(|name| c(root.join(name)));
    let whole = c(format!("{}{real}", root.join("whole").to_string_lossy()));
    let seen = stage.run(&["openat"], |notes| {
        let mut fine = alone();
        for (from, to) in &binds {
            fine &= sys!(SYS_mount(from.as_ptr(), to.as_ptr(), 0, libc::MS_BIND, 0)) == 0;
        }
        notes.put(0, fine.into());
        for name in opened.iter().chain([&whole]) {
            sys!(SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_RDONLY, 0));
        }
    });
    if seen.notes.get(0) == 0 {
        eprintln!("skipped: nothing can be mounted here");
        return;
    }
    let found: Vec<String> = seen.all("openat").iter().map(resolved).collect();
    assert_eq!(found[..2], [real.clone(), real.clone()]);
    // The folder of the test may lie in another file system than the root, which is then not below.
    assert!(found[2].is_empty() || found[2] == real, "{found:?}");
}

fn mounted(stage: &mut Stage) {
    let at = stage.path("mounted");
    fs::create_dir_all(&at).expect("a folder");
    let (dir, name) = (c(&at), c(at.join("file")));
    let seen = stage.run(&["openat"], |notes| {
        let kind = c"tmpfs";
        let fine = alone() && sys!(SYS_mount(kind.as_ptr(), dir.as_ptr(), kind.as_ptr(), 0, 0)) == 0;
        notes.put(0, fine.into());
        sys!(SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600));
    });
    if seen.notes.get(0) == 0 {
        eprintln!("skipped: nothing can be mounted here");
        return;
    }
    assert_eq!(resolved(&seen.one("openat")), at.join("file").to_string_lossy());
}
