//! Fields about the paths that a file-system call works on.

use crate::Type;
use crate::field::Field;
use crate::paths::{Role, requested, resolved};
use crate::value::uint;

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "fs.path.name",
        about: "Resolved path used by a filesystem syscall",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| resolved(cx, Role::Name),
        ..Field::NEW
    },
    Field {
        name: "fs.path.nameraw",
        about: "Path argument of a filesystem syscall as passed",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| requested(cx, Role::Name),
        ..Field::NEW
    },
    Field {
        name: "fs.path.source",
        about: "Resolved source path of a two-path syscall",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| resolved(cx, Role::Source),
        ..Field::NEW
    },
    Field {
        name: "fs.path.sourceraw",
        about: "Source path argument as passed",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| requested(cx, Role::Source),
        ..Field::NEW
    },
    Field {
        name: "fs.path.target",
        about: "Resolved target path of a two-path syscall",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| resolved(cx, Role::Target),
        ..Field::NEW
    },
    Field {
        name: "fs.path.targetraw",
        about: "Target path argument as passed",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| requested(cx, Role::Target),
        ..Field::NEW
    },
    Field {
        name: "util.cnt",
        about: "Counter increased on every extraction",
        kind: Type::Uint,
        declared: "UINT64",
        get: |_, _| uint(1),
        ..Field::NEW
    },
];
