//! Container metadata of the oldest captures as the JSON text of later ones.

use eyas_event::{Event, id};

/// The text with its NUL; empty for any other event.
pub(super) fn container(event: &Event<'_>) -> Vec<u8> {
    if event.kind != id::CONTAINER_E {
        return Vec::new();
    }
    let text = |i| quote(event.text(i).unwrap_or_default());
    let kind = event.unsigned(1).unwrap_or_default();
    format!(r#"{{"id":{},"type":{kind},"name":{},"image":{}}}{}"#, text(0), text(2), text(3), '\0')
        .into_bytes()
}

fn quote(bytes: &[u8]) -> String {
    let mut out = String::from('"');
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
