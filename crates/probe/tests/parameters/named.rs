//! Calls that name what they make, move, remove or change: where the names led.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::files::{resolved, sys};
use crate::stage::{Seen, Stage, c};

pub(crate) const CASES: &[crate::Case] = &[
    ("a name through a linked folder carries the path of the entry", entries),
    ("a relative name carries the path of the entry", relative),
    ("a name beside a descriptor carries the path of the entry", beside),
    ("a change through a link carries the path of the file", changed),
    ("a failed call carries no path that was found", failed),
];

/// A folder, and a link to it.
fn folders(stage: &Stage) -> (PathBuf, PathBuf) {
    let (folder, link) = (stage.path("real"), stage.path("way"));
    let _ = fs::remove_dir_all(&folder);
    let _ = fs::remove_file(&link);
    fs::create_dir_all(&folder).expect("a folder");
    symlink(&folder, &link).expect("a link");
    settle(&folder, &link);
    (folder, link)
}

/// Waits until the clock of files has gone on since a link was made: the kernel notes its first use at once then.
fn settle(folder: &Path, link: &Path) {
    let changed = |at: &Path| fs::symlink_metadata(at).map(|m| (m.ctime(), m.ctime_nsec())).expect("a time");
    let file = folder.join("clock");
    while {
        fs::write(&file, "x").expect("a file");
        changed(&file) <= changed(link)
    } {
        std::thread::yield_now();
    }
}

fn expect(seen: &Seen, name: &str, path: &Path) {
    assert_eq!(resolved(&seen.one(name)), path.to_string_lossy(), "{name}");
}

fn entries(stage: &mut Stage) {
    let (folder, way) = folders(stage);
    let at = |name: &str| c(way.join(name));
    let (made, moved, linked, pointer) = (at("made"), at("moved"), at("linked"), at("pointer"));
    let seen = stage.run(&["mkdir", "rename", "rmdir", "mknod", "link", "symlink", "unlink"], |_| {
        sys!(SYS_mkdir(made.as_ptr(), 0o700));
        sys!(SYS_rename(made.as_ptr(), moved.as_ptr()));
        sys!(SYS_rmdir(moved.as_ptr()));
        sys!(SYS_mknod(made.as_ptr(), libc::S_IFIFO | 0o600, 0));
        sys!(SYS_link(made.as_ptr(), linked.as_ptr()));
        sys!(SYS_symlink(made.as_ptr(), pointer.as_ptr()));
        sys!(SYS_unlink(made.as_ptr()));
    });
    for (call, name) in [
        ("mkdir", "made"),
        ("rename", "moved"),
        ("rmdir", "moved"),
        ("mknod", "made"),
        ("link", "linked"),
        ("symlink", "pointer"),
        ("unlink", "made"),
    ] {
        expect(&seen, call, &folder.join(name));
    }
}

fn relative(stage: &mut Stage) {
    let (folder, way) = folders(stage);
    let way = c(way);
    let seen = stage.run(&["mkdir", "rename"], |_| {
        sys!(SYS_chdir(way.as_ptr()));
        sys!(SYS_mkdir(c"made".as_ptr(), 0o700));
        sys!(SYS_rename(c"made".as_ptr(), c"../real/./moved/".as_ptr()));
    });
    expect(&seen, "mkdir", &folder.join("made"));
    expect(&seen, "rename", &folder.join("moved"));
}

fn beside(stage: &mut Stage) {
    let (folder, way) = folders(stage);
    let way = c(way);
    let seen = stage.run(&["mkdirat", "renameat2", "unlinkat"], |_| {
        let fd = sys!(SYS_openat(libc::AT_FDCWD, way.as_ptr(), libc::O_PATH)) as i32;
        sys!(SYS_mkdirat(fd, c"made".as_ptr(), 0o700));
        sys!(SYS_renameat2(fd, c"made".as_ptr(), fd, c"moved".as_ptr(), 0));
        sys!(SYS_unlinkat(fd, c"moved".as_ptr(), libc::AT_REMOVEDIR));
    });
    expect(&seen, "mkdirat", &folder.join("made"));
    expect(&seen, "renameat2", &folder.join("moved"));
    expect(&seen, "unlinkat", &folder.join("moved"));
}

fn changed(stage: &mut Stage) {
    let (folder, way) = folders(stage);
    let (file, link) = (folder.join("file"), folder.join("link"));
    fs::write(&file, "x").expect("a file");
    symlink("file", &link).expect("a link");
    settle(&folder, &link);
    let name = c(way.join("link"));
    let seen = stage.run(&["chmod", "fchmodat", "chown", "fchownat"], |_| {
        sys!(SYS_chmod(name.as_ptr(), 0o600));
        sys!(SYS_fchmodat(libc::AT_FDCWD, name.as_ptr(), 0o644));
        sys!(SYS_chown(name.as_ptr(), 0, 0));
        sys!(SYS_fchownat(libc::AT_FDCWD, name.as_ptr(), 0, 0, 0));
    });
    for call in ["chmod", "fchmodat", "chown", "fchownat"] {
        expect(&seen, call, &file);
    }
    let seen = stage.run(&["lchown"], |_| {
        sys!(SYS_lchown(name.as_ptr(), 0, 0));
    });
    expect(&seen, "lchown", &link);
}

fn failed(stage: &mut Stage) {
    let (_, way) = folders(stage);
    let name = c(way.join("absent"));
    let seen = stage.run(&["unlink"], |_| {
        sys!(SYS_unlink(name.as_ptr()));
    });
    assert_eq!(resolved(&seen.one("unlink")), "");
}
