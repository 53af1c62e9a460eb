//! Calls that name files.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::stage::{Is, Is::N, Stage, c, text};

pub(crate) const CASES: &[crate::Case] = &[
    ("an open that creates carries flags, mode, device and inode", open_creates),
    ("an open of a directory has no mode", open_directory),
    ("a temporary file has a mode", open_temporary),
    ("a failed open carries what was asked", open_fails),
    ("an open through a link carries the path that the kernel found", open_link),
    ("openat2 carries what it was told to resolve", openat2),
    ("creat carries its mode", creat),
    ("an open by handle carries the path of the file", by_handle),
    ("rename carries both names", rename),
    ("link and symlink carry both names", links),
    ("unlink and rmdir carry the name", unlinks),
    ("mkdir and mknod carry the mode", makes),
    ("chmod carries the mode", chmod),
    ("chown carries both ids", chown),
    ("chdir, fchdir and chroot carry the folder", moves),
    ("mount and umount carry what was mounted where", mounts),
    ("access and stat carry the name", asks),
];

const RDONLY: i64 = 1;
const WRONLY: i64 = 2;
const RDWR: i64 = 3;
const CREAT: i64 = 4;
const EXCL: i64 = 32;
const CLOEXEC: i64 = 4096;
const DIRECTORY: i64 = 1024 | 8192;
const CREATED: i64 = 1 << 14;
const AT_FDCWD: i64 = -100;
const ENOENT: i64 = -2;
const ENOTDIR: i64 = -20;

/// Device as events carry it; on a file system with devices of its own the kernel's number is not the one of stat.
fn device(path: &std::path::Path) -> Is {
    let line = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let dev = fs::metadata(path).map_or(0, |m| m.dev());
    let name = format!(" {}:{} ", libc::major(dev), libc::minor(dev));
    if !line.contains(&name) {
        return Is::Some;
    }
    let (major, minor) = (i64::from(libc::major(dev)), i64::from(libc::minor(dev)));
    N(minor & 0xff | major << 8 | (minor & !0xff) << 12)
}

fn inode(path: &std::path::Path) -> Is {
    fs::metadata(path).map_or(N(0), |m| N(m.ino() as i64))
}

pub(crate) fn resolved(event: &eyas_event::Event<'_>) -> String {
    event.resolved().map(|t| String::from_utf8_lossy(t).into_owned()).unwrap_or_default()
}

macro_rules! sys {
    ($notes:ident[$n:literal] = $call:ident($($arg:expr),*)) => {
        // SAFETY: a system call in a process of its own.
        $notes.put($n, unsafe { libc::syscall(libc::$call, $($arg),*) })
    };
    ($call:ident($($arg:expr),*)) => {
        // SAFETY: a system call in a process of its own.
        unsafe { libc::syscall(libc::$call, $($arg),*) }
    };
}
pub(crate) use sys;

fn open_creates(stage: &mut Stage) {
    let path = stage.path("made");
    let name = c(&path);
    let seen = stage.run(&["openat"], |notes| {
        let flags = libc::O_CREAT | libc::O_RDWR | libc::O_EXCL | libc::O_CLOEXEC;
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, name.as_ptr(), flags, 0o640));
    });
    seen.expect(
        "openat",
        &[
            ("fd", N(seen.notes.get(0))),
            ("dirfd", N(AT_FDCWD)),
            ("name", text(path.to_string_lossy())),
            ("flags", N(RDWR | CREAT | EXCL | CLOEXEC | CREATED)),
            ("mode", N(0o640)),
            ("dev", device(&path)),
            ("ino", inode(&path)),
        ],
    );
    assert_eq!(resolved(&seen.one("openat")), path.to_string_lossy());
}

fn open_directory(stage: &mut Stage) {
    let path = stage.path("");
    let name = c(&path);
    let seen = stage.run(&["openat"], |notes| {
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_DIRECTORY, 0o777));
    });
    let event = seen.one("openat");
    assert_eq!(event.unsigned(3), Some((RDONLY | DIRECTORY).cast_unsigned()));
    assert_eq!(event.unsigned(4), Some(0));
}

fn open_temporary(stage: &mut Stage) {
    let name = c(stage.path(""));
    let seen = stage.run(&["openat"], |notes| {
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_TMPFILE | libc::O_WRONLY, 0o600));
    });
    if seen.notes.get(0) < 0 {
        eprintln!("skipped: this file system has no O_TMPFILE");
        return;
    }
    let event = seen.one("openat");
    assert_eq!(event.unsigned(3).map(|f| f & 0x3fff), Some((WRONLY | DIRECTORY).cast_unsigned()));
    assert_eq!(event.unsigned(4), Some(0o600));
}

fn open_fails(stage: &mut Stage) {
    let path = stage.path("absent");
    let name = c(&path);
    let seen = stage.run(&["openat"], |_| {
        sys!(SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_WRONLY, 0));
    });
    seen.expect(
        "openat",
        &[
            ("fd", N(ENOENT)),
            ("dirfd", N(AT_FDCWD)),
            ("name", text(path.to_string_lossy())),
            ("flags", N(WRONLY)),
            ("mode", N(0)),
            ("dev", N(0)),
            ("ino", N(0)),
        ],
    );
    assert_eq!(resolved(&seen.one("openat")), "");
}

fn open_link(stage: &mut Stage) {
    let (target, link) = (stage.path("target"), stage.path("link"));
    fs::write(&target, "x").expect("a file");
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    let (dir, name) = (c(stage.path("")), c("link"));
    let seen = stage.run(&["openat"], |notes| {
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, dir.as_ptr(), libc::O_PATH, 0));
        sys!(notes[1] = SYS_openat(notes.get(0) as i32, name.as_ptr(), libc::O_RDONLY, 0));
    });
    seen.expect(
        "openat",
        &[
            ("fd", N(seen.notes.get(1))),
            ("dirfd", N(seen.notes.get(0))),
            ("name", text("link")),
            ("flags", N(RDONLY)),
            ("mode", N(0)),
            ("dev", device(&target)),
            ("ino", inode(&target)),
        ],
    );
    assert_eq!(resolved(&seen.one("openat")), target.to_string_lossy());
}

fn openat2(stage: &mut Stage) {
    let path = stage.path("second");
    let name = c(&path);
    let how = [libc::O_CREAT as u64 | libc::O_WRONLY as u64, 0o644, 2 | 4];
    let seen = stage.run(&["openat2"], |notes| {
        sys!(notes[0] = SYS_openat2(libc::AT_FDCWD, name.as_ptr(), how.as_ptr(), 24));
    });
    seen.expect(
        "openat2",
        &[
            ("fd", N(seen.notes.get(0))),
            ("dirfd", N(AT_FDCWD)),
            ("name", text(path.to_string_lossy())),
            ("flags", N(WRONLY | CREAT | CREATED)),
            ("mode", N(0o644)),
            ("resolve", N(4 | 8)),
            ("dev", device(&path)),
            ("ino", inode(&path)),
        ],
    );
}

#[cfg(target_arch = "x86_64")]
fn creat(stage: &mut Stage) {
    let path = stage.path("created");
    let name = c(&path);
    let seen = stage.run(&["creat"], |notes| sys!(notes[0] = SYS_creat(name.as_ptr(), 0o600)));
    seen.expect(
        "creat",
        &[
            ("fd", N(seen.notes.get(0))),
            ("name", text(path.to_string_lossy())),
            ("mode", N(0o600)),
            ("dev", device(&path)),
            ("ino", inode(&path)),
            ("creat_flags", N(0)),
        ],
    );
}

#[cfg(not(target_arch = "x86_64"))]
fn creat(_: &mut Stage) {}

fn by_handle(stage: &mut Stage) {
    let path = stage.path("handled");
    fs::write(&path, "x").expect("a file");
    let (name, dir) = (c(&path), c(stage.path("")));
    let seen = stage.run(&["open_by_handle_at"], |notes| {
        let mut handle = [0u32; 34];
        handle[0] = 128;
        let mut mount = 0;
        let (handle, mount) = (handle.as_mut_ptr(), &raw mut mount);
        sys!(notes[0] = SYS_name_to_handle_at(libc::AT_FDCWD, name.as_ptr(), handle, mount, 0));
        sys!(notes[1] = SYS_openat(libc::AT_FDCWD, dir.as_ptr(), libc::O_DIRECTORY, 0));
        sys!(notes[2] = SYS_open_by_handle_at(notes.get(1) as i32, handle, libc::O_RDONLY));
    });
    if seen.notes.get(0) < 0 {
        eprintln!("skipped: this file system has no handles");
        return;
    }
    seen.expect(
        "open_by_handle_at",
        &[
            ("fd", N(seen.notes.get(2))),
            ("mountfd", N(seen.notes.get(1))),
            ("flags", N(RDONLY)),
            ("path", text(path.to_string_lossy())),
            ("dev", device(&path)),
            ("ino", inode(&path)),
        ],
    );
}

fn rename(stage: &mut Stage) {
    let (old, new) = (stage.path("old"), stage.path("new"));
    fs::write(&old, "x").expect("a file");
    let (from, to) = (c(&old), c(&new));
    let seen = stage.run(&["renameat", "renameat2"], |_| {
        sys!(SYS_renameat(libc::AT_FDCWD, from.as_ptr(), libc::AT_FDCWD, to.as_ptr()));
        sys!(SYS_renameat2(
            libc::AT_FDCWD,
            from.as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::RENAME_NOREPLACE
        ));
    });
    let both = |result| {
        vec![
            ("res", N(result)),
            ("olddirfd", N(AT_FDCWD)),
            ("oldpath", text(old.to_string_lossy())),
            ("newdirfd", N(AT_FDCWD)),
            ("newpath", text(new.to_string_lossy())),
        ]
    };
    seen.expect("renameat", &both(0));
    let mut second = both(ENOENT);
    second.push(("flags", N(1)));
    seen.expect("renameat2", &second);
}

fn links(stage: &mut Stage) {
    let (old, hard, soft) = (stage.path("one"), stage.path("two"), stage.path("three"));
    fs::write(&old, "x").expect("a file");
    let (one, two, three) = (c(&old), c(&hard), c(&soft));
    let seen = stage.run(&["linkat", "symlinkat"], |_| {
        sys!(SYS_linkat(libc::AT_FDCWD, one.as_ptr(), libc::AT_FDCWD, two.as_ptr(), libc::AT_SYMLINK_FOLLOW));
        sys!(SYS_symlinkat(one.as_ptr(), libc::AT_FDCWD, three.as_ptr()));
    });
    let (old, hard, soft) = (old.to_string_lossy(), hard.to_string_lossy(), soft.to_string_lossy());
    seen.expect(
        "linkat",
        &[
            ("res", N(0)),
            ("olddir", N(AT_FDCWD)),
            ("oldpath", text(&old)),
            ("newdir", N(AT_FDCWD)),
            ("newpath", text(hard)),
            ("flags", N(1024)),
        ],
    );
    let soft = [("res", N(0)), ("target", text(old)), ("linkdirfd", N(AT_FDCWD)), ("linkpath", text(soft))];
    seen.expect("symlinkat", &soft);
}

fn unlinks(stage: &mut Stage) {
    let (file, dir) = (stage.path("gone"), stage.path("folder"));
    fs::write(&file, "x").expect("a file");
    let (name, folder) = (c(&file), c(&dir));
    let seen = stage.run(&["unlinkat"], |_| {
        sys!(SYS_unlinkat(libc::AT_FDCWD, name.as_ptr(), 0));
        sys!(SYS_unlinkat(libc::AT_FDCWD, folder.as_ptr(), libc::AT_REMOVEDIR));
    });
    seen.expect(
        "unlinkat",
        &[
            ("res", N(ENOENT)),
            ("dirfd", N(AT_FDCWD)),
            ("name", text(dir.to_string_lossy())),
            ("flags", N(512)),
        ],
    );
    assert_eq!(seen.all("unlinkat")[0].signed(0), Some(0));
}

fn makes(stage: &mut Stage) {
    let (dir, node) = (stage.path("dir"), stage.path("fifo"));
    let (folder, name) = (c(&dir), c(&node));
    let seen = stage.run(&["mkdirat", "mknodat"], |_| {
        sys!(SYS_mkdirat(libc::AT_FDCWD, folder.as_ptr(), 0o750));
        sys!(SYS_mknodat(libc::AT_FDCWD, name.as_ptr(), libc::S_IFIFO | 0o600, 0));
    });
    let (dir, node) = (dir.to_string_lossy(), node.to_string_lossy());
    seen.expect("mkdirat", &[("res", N(0)), ("dirfd", N(AT_FDCWD)), ("path", text(dir)), ("mode", N(0o750))]);
    let mode = N(4096 | 0o600);
    let made = [("res", N(0)), ("dirfd", N(AT_FDCWD)), ("path", text(node)), ("mode", mode), ("dev", N(0))];
    seen.expect("mknodat", &made);
}

fn chmod(stage: &mut Stage) {
    let path = stage.path("mode");
    fs::write(&path, "x").expect("a file");
    let name = c(&path);
    let seen = stage.run(&["fchmodat", "fchmod"], |notes| {
        sys!(SYS_fchmodat(libc::AT_FDCWD, name.as_ptr(), 0o4755));
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_RDONLY, 0));
        sys!(SYS_fchmod(notes.get(0) as i32, 0o2711));
    });
    let name = text(path.to_string_lossy());
    seen.expect(
        "fchmodat",
        &[("res", N(0)), ("dirfd", N(AT_FDCWD)), ("filename", name), ("mode", N(0o4755))],
    );
    seen.expect("fchmod", &[("res", N(0)), ("fd", N(seen.notes.get(0))), ("mode", N(0o2711))]);
    assert_eq!(resolved(&seen.one("fchmod")), path.to_string_lossy());
}

fn chown(stage: &mut Stage) {
    let path = stage.path("owner");
    fs::write(&path, "x").expect("a file");
    let name = c(&path);
    let seen = stage.run(&["fchownat", "fchown"], |notes| {
        sys!(SYS_fchownat(libc::AT_FDCWD, name.as_ptr(), 1000, -1, libc::AT_EMPTY_PATH));
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_RDONLY, 0));
        sys!(SYS_fchown(notes.get(0) as i32, 7, 8));
    });
    seen.expect(
        "fchownat",
        &[
            ("res", N(0)),
            ("dirfd", N(AT_FDCWD)),
            ("pathname", text(path.to_string_lossy())),
            ("uid", N(1000)),
            ("gid", N(-1)),
            ("flags", N(4096)),
        ],
    );
    seen.expect("fchown", &[("res", N(0)), ("fd", N(seen.notes.get(0))), ("uid", N(7)), ("gid", N(8))]);
}

fn moves(stage: &mut Stage) {
    let path = stage.path("");
    let name = c(&path);
    let seen = stage.run(&["chdir", "fchdir", "chroot"], |notes| {
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_DIRECTORY, 0));
        sys!(SYS_chdir(name.as_ptr()));
        sys!(SYS_fchdir(notes.get(0) as i32));
        sys!(SYS_chroot(name.as_ptr()));
    });
    let there = path.to_string_lossy();
    seen.expect("chdir", &[("res", N(0)), ("path", text(&there))]);
    seen.expect("fchdir", &[("res", N(0)), ("fd", N(seen.notes.get(0)))]);
    seen.expect("chroot", &[("res", N(0)), ("path", text(&there))]);
}

fn mounts(stage: &mut Stage) {
    let path = stage.path("");
    let (dev, dir, kind) = (c("none"), c(&path), c("no such type"));
    let seen = stage.run(&["mount", "umount2"], |_| {
        let flags = 0xC0ED_0000u64 | libc::MS_NOSUID | libc::MS_RDONLY;
        sys!(SYS_mount(dev.as_ptr(), dir.as_ptr(), kind.as_ptr(), flags, 0));
        sys!(SYS_umount2(dir.as_ptr(), libc::MNT_DETACH));
    });
    let dir = path.to_string_lossy();
    seen.expect(
        "mount",
        &[
            ("res", N(-19)),
            ("dev", text("none")),
            ("dir", text(&dir)),
            ("type", text("no such type")),
            ("flags", N(3)),
        ],
    );
    seen.expect("umount2", &[("res", N(-22)), ("name", text(dir)), ("flags", N(2))]);
}

#[cfg(target_arch = "x86_64")]
fn asks(stage: &mut Stage) {
    let path = stage.path("asked/below");
    fs::write(stage.path("asked"), "x").expect("a file");
    let name = c(&path);
    let seen = stage.run(&["access", "stat"], |_| {
        sys!(SYS_access(name.as_ptr(), libc::R_OK | libc::X_OK));
        sys!(SYS_stat(name.as_ptr(), 0));
    });
    let name = path.to_string_lossy();
    seen.expect("access", &[("res", N(ENOTDIR)), ("name", text(&name)), ("mode", N(5))]);
    seen.expect("stat", &[("res", N(ENOTDIR)), ("path", text(name))]);
}

#[cfg(not(target_arch = "x86_64"))]
fn asks(_: &mut Stage) {}
