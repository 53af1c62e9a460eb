//! What an event of the open family asked for.

use eyas_event::id;

use crate::Cx;

const O_RDONLY: u64 = 1;
const O_WRONLY: u64 = 2;
const O_CREAT: u64 = 4;
const O_TMPFILE: u64 = 1 << 13;
const O_F_CREATED: u64 = 1 << 14;
const ANY_EXEC: u64 = 0o111;

/// Whether events of a type open a path.
pub(crate) fn opens(kind: u16) -> bool {
    matches!(
        kind,
        id::SYSCALL_OPEN_X
            | id::SYSCALL_CREAT_X
            | id::SYSCALL_OPENAT_2_X
            | id::SYSCALL_OPENAT2_X
            | id::SYSCALL_OPEN_BY_HANDLE_AT_X
    )
}

fn flags(cx: &Cx<'_>) -> Option<u64> {
    let param = match cx.event.kind {
        id::SYSCALL_OPEN_X | id::SYSCALL_OPEN_BY_HANDLE_AT_X => 2,
        id::SYSCALL_OPENAT_2_X | id::SYSCALL_OPENAT2_X => 3,
        _ => return None,
    };
    cx.event.unsigned(param)
}

pub(crate) fn is_read(cx: &Cx<'_>) -> bool {
    flags(cx).is_some_and(|f| f & O_RDONLY != 0)
}

pub(crate) fn is_write(cx: &Cx<'_>) -> bool {
    flags(cx).is_some_and(|f| f & O_WRONLY != 0)
}

pub(crate) fn is_create(cx: &Cx<'_>) -> bool {
    let made =
        |f: u64| f & O_F_CREATED != 0 || (f & O_TMPFILE != 0 && cx.event.signed(0).is_some_and(|fd| fd >= 0));
    flags(cx).is_some_and(made)
}

pub(crate) fn is_exec(cx: &Cx<'_>) -> bool {
    let mode = match cx.event.kind {
        id::SYSCALL_CREAT_X => return cx.event.unsigned(2).is_some_and(|m| m & ANY_EXEC != 0),
        id::SYSCALL_OPEN_X => 3,
        id::SYSCALL_OPENAT_2_X | id::SYSCALL_OPENAT2_X => 4,
        _ => return false,
    };
    flags(cx).is_some_and(|f| f & (O_CREAT | O_TMPFILE) != 0)
        && cx.event.unsigned(mode).is_some_and(|m| m & ANY_EXEC != 0)
}
