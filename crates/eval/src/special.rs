//! What the type of an event alone decides.

use eyas_event::{EVENTS, id};
use eyas_field::Value;

use crate::constant::Constant;
use crate::op::Matcher;
use crate::operand::Operand;
use crate::predicate::{Predicate, Test};

/// The answer of a predicate on every event of a type, when there is only one.
pub(crate) fn decided(predicate: &Predicate, kind: u16) -> Option<bool> {
    let Operand::Field(field) = &predicate.left else { return None };
    if field.is_absent_on(kind) {
        return Some(false);
    }
    if predicate.reads_right() {
        return None;
    }
    let info = &EVENTS[usize::from(kind)];
    let named = kind != id::GENERIC_X && kind != id::ASYNCEVENT_E;
    match field.field.name {
        "evt.type" | "syscall.type" if named => {
            Some(predicate.holds_for(&Value::Text(info.name.as_bytes().into()), None))
        }
        "evt.is_open_read" | "evt.is_open_write" | "evt.is_open_create" | "evt.is_open_exec"
            if !opens(kind) =>
        {
            Some(predicate.holds_for(&Value::Bool(false), None))
        }
        // Events are numbered from 1, so rules write `evt.num = 0` for "never".
        "evt.num" if matches!(&predicate.test, Test::Matches(Matcher::Eq(Constant::Int(0)))) => Some(false),
        _ => None,
    }
}

fn opens(kind: u16) -> bool {
    matches!(
        kind,
        id::SYSCALL_OPEN_X
            | id::SYSCALL_CREAT_X
            | id::SYSCALL_OPENAT_2_X
            | id::SYSCALL_OPENAT2_X
            | id::SYSCALL_OPEN_BY_HANDLE_AT_X
    )
}
