//! What readers of before 2025 expect: an enter event in front of each exit event, and types that they know.
//!
//! Those readers take the descriptor of a call from its enter event; without one they show that of an earlier call. All
//! that an enter event says stands in its exit event today, so one is written back from it, marked as state only. An
//! exit event of a type that came later goes back to the type before where every reader converts it forth again.

use std::sync::LazyLock;

use eyas_event::table::{Flags, Info, Kind};
use eyas_event::{EVENTS, Event, encode, id};

use crate::convert::is_known;

/// Marks a companion among the dump flags, so that our reader passes over it; other readers ignore the bit.
pub(crate) const COMPANION: u32 = 1 << 30;

/// Names that parameters of enter events have in their exit events.
const RENAMED: [(&str, &str); 1] = [("fd", "oldfd")];

/// A type that came later, the one before, and how many of its parameters that one had; its enter event has the rest.
const LATER: [(u16, u16, usize); 2] =
    [(id::SYSCALL_DUP_1_X, id::SYSCALL_DUP_X, 1), (id::SOCKET_ACCEPT4_6_X, id::SOCKET_ACCEPT4_5_X, 5)];

/// For each exit event, where the parameters of its enter event stand; nothing when there can be none.
static PLACES: LazyLock<Vec<Option<Vec<usize>>>> = LazyLock::new(|| EVENTS.iter().map(places).collect());

/// Appends the companion of an exit event to `out`; false when it has none.
pub(crate) fn companion(event: &Event<'_>, out: &mut Vec<u8>) -> bool {
    let Some(Some(places)) = PLACES.get(usize::from(event.kind)) else { return false };
    if is_birth(event) {
        return false;
    }
    let enter = &EVENTS[usize::from(event.kind - 1)];
    let mut params: [&[u8]; 32] = [&[]; 32];
    for ((slot, place), param) in params.iter_mut().zip(places).zip(enter.params) {
        let Some(bytes) = event.param(*place).map(|bytes| or_program(event, bytes)) else { return false };
        if !is_readable(param.kind, bytes) {
            return false;
        }
        *slot = bytes;
    }
    encode(out, event.ts, event.tid, enter.id, &params[..places.len()]).is_ok()
}

/// Appends an event as the type before its own to `out`, and its enter event to `enter`; false when it has none.
pub(crate) fn earlier(event: &Event<'_>, enter: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    let Some((_, before, own)) = LATER.iter().find(|(later, ..)| *later == event.kind) else { return false };
    let info = event.info();
    let params: Vec<&[u8]> = (0..info.params.len()).map_while(|i| event.param(i)).collect();
    let whole = params.len() == info.params.len() && event.params.count() == params.len();
    let sized = |(bytes, i): (&&[u8], usize)| info.params[i].kind.size() == Some(bytes.len());
    if !whole || event.resolved().is_some() || !params[*own..].iter().zip(*own..).all(sized) {
        return false;
    }
    encode(enter, event.ts, event.tid, before - 1, &params[*own..]).is_ok()
        && encode(out, event.ts, event.tid, *before, &params[..*own]).is_ok()
}

/// Older readers take the program from the enter event of an execve, and read past the end of an empty name.
fn or_program<'a>(event: &Event<'a>, bytes: &'a [u8]) -> &'a [u8] {
    let program = event.info().param("trusted_exepath").filter(|_| bytes.is_empty());
    program.and_then(|at| event.param(at)).unwrap_or(bytes)
}

/// Whether older readers, which do not look at lengths, read these bytes as what they are.
fn is_readable(kind: Kind, bytes: &[u8]) -> bool {
    match kind {
        Kind::Charbuf | Kind::Fspath | Kind::Fsrelpath => bytes.last() == Some(&0),
        kind => kind.size().is_none_or(|size| size == bytes.len()),
    }
}

/// Whether a new thread returns from the call that made it; it never entered that call.
fn is_birth(event: &Event<'_>) -> bool {
    matches!(
        event.kind,
        id::SYSCALL_CLONE_20_X | id::SYSCALL_FORK_20_X | id::SYSCALL_VFORK_20_X | id::SYSCALL_CLONE3_X
    ) && event.signed(0) == Some(0)
}

fn places(exit: &Info) -> Option<Vec<usize>> {
    if !exit.is_exit() || exit.flags.has(Flags::UNUSED) || exit.flags.has(Flags::LARGE_PAYLOAD) {
        return None;
    }
    let enter = EVENTS.get(usize::from(exit.id - 1))?;
    if enter.flags.has(Flags::UNUSED) || !is_known(enter.id, enter.params.len()) {
        return None;
    }
    enter
        .params
        .iter()
        .map(|wanted| {
            let place = exit.param(wanted.name).or_else(|| {
                let (_, name) = RENAMED.iter().find(|(name, _)| *name == wanted.name)?;
                exit.param(name)
            })?;
            (exit.params[place].kind == wanted.kind).then_some(place)
        })
        .collect()
}
