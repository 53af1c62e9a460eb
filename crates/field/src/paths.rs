//! Paths of file-system calls: as requested, and resolved against directory or descriptor.

use std::borrow::Cow;

use eyas_event::{Event, id};
use eyas_state::{FdKind, normalise};

use crate::value::{owned, text};
use crate::{Cx, Key, Value};

const AT_FDCWD: i64 = -100;
const UNKNOWN: &[u8] = b"<UNKNOWN>";

/// Which path of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Name,
    Source,
    Target,
}

/// How a relative path is resolved.
#[derive(Clone, Copy)]
enum Base {
    Cwd,
    /// The event's own file.
    Opened,
    /// The event's file, which has to be a directory.
    Directory,
    /// The descriptor in a parameter.
    Param(usize),
    Unknown,
}

/// Name of the parameter with the path, and its base; an empty name stands for the event's file.
fn place(kind: u16, role: Role) -> Option<(&'static str, Base)> {
    Some(match (kind, role) {
        (
            id::SYSCALL_MKDIR_2_X
            | id::SYSCALL_RMDIR_2_X
            | id::SYSCALL_UNLINK_2_X
            | id::SYSCALL_CHOWN_X
            | id::SYSCALL_LCHOWN_X,
            Role::Name,
        ) => ("path", Base::Cwd),
        (id::SYSCALL_MKDIRAT_X, Role::Name) => ("path", Base::Directory),
        (id::SYSCALL_UNLINKAT_2_X, Role::Name) => ("name", Base::Directory),
        (id::SYSCALL_UMOUNT_1_X | id::SYSCALL_UMOUNT2_X, Role::Name) => ("name", Base::Cwd),
        (id::SYSCALL_OPEN_X, Role::Name) => ("name", Base::Cwd),
        (id::SYSCALL_OPENAT_2_X | id::SYSCALL_OPENAT2_X, Role::Name) => ("name", Base::Opened),
        (id::SYSCALL_CHMOD_X, Role::Name) => ("filename", Base::Cwd),
        (id::SYSCALL_FCHMODAT_X, Role::Name) => ("filename", Base::Directory),
        (id::SYSCALL_FCHMOD_X | id::SYSCALL_FCHOWN_X, Role::Name) => ("", Base::Opened),
        (id::SYSCALL_FCHOWNAT_X, Role::Name) => ("pathname", Base::Directory),
        (id::SYSCALL_QUOTACTL_X, Role::Name) => ("special", Base::Cwd),
        (id::SYSCALL_RENAME_X | id::SYSCALL_RENAMEAT_X, Role::Source) => ("oldpath", Base::Cwd),
        (id::SYSCALL_RENAME_X | id::SYSCALL_RENAMEAT_X, Role::Target) => ("newpath", Base::Cwd),
        (id::SYSCALL_RENAMEAT2_X, Role::Source) => ("oldpath", Base::Param(1)),
        (id::SYSCALL_RENAMEAT2_X, Role::Target) => ("newpath", Base::Param(3)),
        (id::SYSCALL_LINK_2_X | id::SYSCALL_LINKAT_2_X, Role::Source) => ("newpath", Base::Cwd),
        (id::SYSCALL_LINK_2_X | id::SYSCALL_LINKAT_2_X, Role::Target) => ("oldpath", Base::Cwd),
        (id::SYSCALL_SYMLINK_X, Role::Source) => ("linkpath", Base::Cwd),
        (id::SYSCALL_SYMLINK_X, Role::Target) => ("target", Base::Cwd),
        (id::SYSCALL_SYMLINKAT_X, Role::Source) => ("linkpath", Base::Directory),
        (id::SYSCALL_SYMLINKAT_X, Role::Target) => ("target", Base::Unknown),
        (id::SYSCALL_MOUNT_X, Role::Source) => ("dev", Base::Cwd),
        (id::SYSCALL_MOUNT_X, Role::Target) => ("dir", Base::Cwd),
        _ => return None,
    })
}

/// Whether events of a type have the path that a field speaks of.
pub(crate) fn has_path(kind: u16, field: &str) -> bool {
    let role = match field.trim_end_matches("raw") {
        "fs.path.name" => Role::Name,
        "fs.path.source" => Role::Source,
        _ => Role::Target,
    };
    place(kind, role).is_some()
}

/// Whether the call succeeded, as these fields count it: an open fails only with -1.
fn succeeded(event: &Event<'_>) -> bool {
    let opens = matches!(event.kind, id::SYSCALL_OPEN_X | id::SYSCALL_OPENAT_2_X | id::SYSCALL_OPENAT2_X);
    event.signed(0).is_some_and(|res| if opens { res != -1 } else { res == 0 })
}

/// The path as the program gave it.
pub(crate) fn requested<'a>(cx: &Cx<'a>, role: Role) -> Option<Value<'a>> {
    find(cx, role).and_then(|(path, _)| match path {
        Cow::Borrowed(path) => text(path),
        Cow::Owned(path) => owned(path),
    })
}

fn find<'a>(cx: &Cx<'a>, role: Role) -> Option<(Cow<'a, [u8]>, Base)> {
    let (param, base) = place(cx.event.kind, role)?;
    if !succeeded(cx.event) {
        return None;
    }
    if param.is_empty() {
        return Some((Cow::Borrowed(&cx.fd()?.name), base));
    }
    let path = cx.event.text(cx.event.info().param(param)?)?;
    Some((Cow::Borrowed(path), base))
}

/// The path made absolute.
pub(crate) fn resolved<'a>(cx: &Cx<'a>, role: Role) -> Option<Value<'a>> {
    let (path, base) = find(cx, role)?;
    if path.starts_with(b"/") {
        return owned(normalise(b"/", &path));
    }
    match base {
        Base::Cwd => owned(normalise(cx.cwd().unwrap_or(b"./"), &path)),
        Base::Opened => Some(
            cx.fd().map_or(Value::Text(Cow::Borrowed(UNKNOWN)), |fd| Value::Text(Cow::Borrowed(&fd.name))),
        ),
        Base::Directory => match directory(cx) {
            Some(base) => owned(normalise(&base, &path)),
            None => text(UNKNOWN),
        },
        Base::Param(i) => owned(joined(cx, cx.event.signed(i).unwrap_or(AT_FDCWD), &path, UNKNOWN)),
        Base::Unknown => text(UNKNOWN),
    }
}

/// Directory that the event's descriptor names.
fn directory(cx: &Cx<'_>) -> Option<Vec<u8>> {
    if cx.seen.fd_num == Some(AT_FDCWD) || dirfd(cx.event) == Some(AT_FDCWD) {
        return Some(cx.cwd()?.to_vec());
    }
    let fd =
        cx.fd().or_else(|| descriptor(cx, dirfd(cx.event)?)).filter(|fd| fd.kind == FdKind::Directory)?;
    Some([&fd.name, &b"/"[..]].concat())
}

fn dirfd(event: &Event<'_>) -> Option<i64> {
    let info = event.info();
    let at = info.params.iter().position(|p| matches!(p.name, "dirfd" | "linkdirfd"))?;
    event.signed(at)
}

fn descriptor<'a>(cx: &Cx<'a>, num: i64) -> Option<&'a eyas_state::Fd> {
    let owner = cx.state.files_owner(cx.seen.thread?)?;
    cx.state.threads.get(owner)?.files.get(num)
}

/// A path joined to the directory that a descriptor names, to `unknown` when nobody knows it.
pub(crate) fn joined<'p>(cx: &Cx<'_>, dirfd: i64, path: &'p [u8], unknown: &[u8]) -> Cow<'p, [u8]> {
    if path.starts_with(b"/") {
        return normalise(b"/", path);
    }
    if dirfd == AT_FDCWD {
        return normalise(cx.cwd().unwrap_or(b"./"), path);
    }
    let base = match descriptor(cx, dirfd) {
        Some(fd) if fd.name.ends_with(b"/") => fd.name.to_vec(),
        Some(fd) => [&fd.name, &b"/"[..]].concat(),
        None => unknown.to_vec(),
    };
    normalise(&base, path)
}

/// Directory descriptor and path of `*at` calls, joined: the first pair, or the second for `dst`.
pub(crate) fn absolute<'a>(cx: &Cx<'a>, key: &Key) -> Option<Value<'a>> {
    let second = matches!(key, Key::Name(name) if name == "dst");
    let (dirfd, path) = match (cx.event.kind, second) {
        (id::SYSCALL_RENAMEAT_X | id::SYSCALL_RENAMEAT2_X | id::SYSCALL_LINKAT_2_X, false) => (1, 2),
        (id::SYSCALL_RENAMEAT_X | id::SYSCALL_RENAMEAT2_X | id::SYSCALL_LINKAT_2_X, true) => (3, 4),
        (id::SYSCALL_SYMLINKAT_X, _) => (2, 3),
        (
            id::SYSCALL_OPENAT_2_X
            | id::SYSCALL_OPENAT2_X
            | id::SYSCALL_UNLINKAT_2_X
            | id::SYSCALL_MKDIRAT_X
            | id::SYSCALL_FCHMODAT_X
            | id::SYSCALL_FCHOWNAT_X,
            _,
        ) => (1, 2),
        (id::SYSCALL_OPEN_BY_HANDLE_AT_X, _) if cx.event.signed(0).is_some_and(|fd| fd > 0) => {
            return owned(normalise(b"", cx.event.text(3)?));
        }
        _ => return None,
    };
    owned(joined(cx, cx.event.signed(dirfd)?, cx.event.text(path)?, b"<UNKNOWN>/"))
}
