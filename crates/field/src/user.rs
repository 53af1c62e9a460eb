//! Fields about users and groups.

use eyas_state::{Text, Thread, UserEntry};

use crate::field::Field;
use crate::value::{int, text, uint};
use crate::{Cx, Scope, Type};

const UNKNOWN: &[u8] = b"<NA>";

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "user.uid",
        about: "Effective user id",
        kind: Type::Uint,
        declared: "UINT32",
        scope: Scope::Process,
        get: |cx, _| uint(u64::from(cx.thread()?.uid)),
        ..Field::NEW
    },
    Field {
        name: "user.name",
        about: "User name for the uid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(user(cx, |t| t.uid, |u| &u.name, b"root")?),
        ..Field::NEW
    },
    Field {
        name: "user.homedir",
        about: "Home directory from the user database",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(user(cx, |t| t.uid, |u| &u.home, b"/root")?),
        ..Field::NEW
    },
    Field {
        name: "user.shell",
        about: "Login shell from the user database",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(user(cx, |t| t.uid, |u| &u.shell, b"<NA>")?),
        ..Field::NEW
    },
    Field {
        name: "user.loginuid",
        about: "Audit login uid, -1 when unset",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| int(login_uid(cx.thread()?.loginuid)),
        ..Field::NEW
    },
    Field {
        name: "user.loginname",
        about: "User name for the login uid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(user(cx, |t| t.loginuid, |u| &u.name, b"root")?),
        ..Field::NEW
    },
    Field {
        name: "group.gid",
        about: "Effective group id",
        kind: Type::Uint,
        declared: "UINT32",
        scope: Scope::Process,
        get: |cx, _| uint(u64::from(cx.thread()?.gid)),
        ..Field::NEW
    },
    Field {
        name: "group.name",
        about: "Group name for the gid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(group(cx)?),
        ..Field::NEW
    },
];

fn login_uid(uid: u32) -> i64 {
    if uid == u32::MAX { -1 } else { i64::from(uid) }
}

/// A property of a user of the thread's container; root has defaults.
fn user<'a>(
    cx: &Cx<'a>,
    uid: fn(&Thread) -> u32,
    read: fn(&'a UserEntry) -> &'a Text,
    root: &'static [u8],
) -> Option<&'a [u8]> {
    let thread = cx.thread()?;
    let uid = uid(thread);
    let known = cx.state.users.user(&thread.container_id, uid);
    Some(known.map_or(if uid == 0 { root } else { UNKNOWN }, |u| read(u)))
}

fn group<'a>(cx: &Cx<'a>) -> Option<&'a [u8]> {
    let thread = cx.thread()?;
    let known = cx.state.users.group(&thread.container_id, thread.gid);
    Some(known.map_or(if thread.gid == 0 { b"root" } else { UNKNOWN }, |g| &g.name))
}
