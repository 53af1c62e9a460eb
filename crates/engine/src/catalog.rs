//! Everything a rule can ask and every event there is, as JSON: what the language is checked against.

use eyas_event::table::{Flags, Info};
use eyas_event::{EVENTS, SYSCALL_CODES};
use eyas_field::{ArgKind, Field};
use serde_json::{Value, json};

const FLAG_NAMES: [(&str, Flags); 12] = [
    ("creates_fd", Flags::CREATES_FD),
    ("destroys_fd", Flags::DESTROYS_FD),
    ("uses_fd", Flags::USES_FD),
    ("reads_from_fd", Flags::READS_FROM_FD),
    ("writes_to_fd", Flags::WRITES_TO_FD),
    ("modifies_state", Flags::MODIFIES_STATE),
    ("unused", Flags::UNUSED),
    ("waits", Flags::WAITS),
    ("skip_parser_reset", Flags::SKIP_PARSER_RESET),
    ("old_version", Flags::OLD_VERSION),
    ("large_payload", Flags::LARGE_PAYLOAD),
    ("converter_managed", Flags::CONVERTER_MANAGED),
];

/// Fields that a rule can ask.
pub(crate) fn fields() -> Vec<Value> {
    eyas_field::catalog().map(field).collect()
}

fn field(field: &Field) -> Value {
    let flags: Vec<String> = field.flags.iter().map(|f| spelled(&format!("{f:?}"))).collect();
    let kind = match field.arg.kind {
        ArgKind::None => "none",
        ArgKind::Index => "index",
        ArgKind::Key => "key",
        ArgKind::KeyOrIndex => "index_or_key",
        ArgKind::Name => "name",
        ArgKind::NameOrIndex => "index_or_key",
    };
    json!({
        "name": field.name,
        "class": field.name.split('.').next(),
        "type": format!("{:?}", field.kind).to_ascii_lowercase(),
        "declared": field.declared,
        "list": field.list,
        "arg": {"kind": kind, "required": field.arg.required},
        "flags": flags,
        "about": field.about,
        "source": if field.everywhere { "any" } else { "syscall" },
        "available": field.unavailable.is_none(),
        "why": field.unavailable,
    })
}

/// Events of the table.
pub(crate) fn events() -> Vec<Value> {
    EVENTS.iter().map(event).collect()
}

/// System-call names with their codes.
pub(crate) fn syscalls() -> Vec<Value> {
    SYSCALL_CODES.iter().map(|(name, code)| json!([name, code])).collect()
}

fn event(info: &Info) -> Value {
    let flags: Vec<&str> =
        FLAG_NAMES.iter().filter(|(_, f)| info.flags.has(*f)).map(|(name, _)| *name).collect();
    let params: Vec<Value> = info
        .params
        .iter()
        .map(|p| json!({"name": p.name, "type": spelled(&format!("{:?}", p.kind))}))
        .collect();
    json!({
        "id": info.id,
        "name": info.name,
        "category": spelled(&format!("{:?}", info.category)),
        "flags": flags,
        "params": params,
        "status": status(info),
        "codes": info.codes,
    })
}

fn status(info: &Info) -> &'static str {
    if info.flags.has(Flags::UNUSED) {
        "unused"
    } else if info.flags.has(Flags::OLD_VERSION) {
        "old"
    } else {
        "current"
    }
}

/// `CharbufPairArray` as `charbuf_pair_array`.
fn spelled(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
