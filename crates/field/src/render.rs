//! Values as text and as JSON, the way alerts show them.

use eyas_event::BEYOND_AGE;
use eyas_event::table::Format;
use serde_json::{Number, Value as Json};

use crate::value::line;
use crate::{Compare, Cx, Field, FieldRef, Flag, Key, Show, Type, Value};

const NANOS: usize = 9;

/// A value as valid UTF-8 text and as JSON.
pub type Rendered = (String, Json);

/// What stands for a missing value.
fn absent() -> Rendered {
    ("<NA>".to_owned(), Json::Null)
}

/// Renders the value of a field; of a computed value when there is no field.
pub fn render(value: Option<&Value<'_>>, used: Option<&FieldRef>, cx: &Cx<'_>) -> Rendered {
    let field = used.map(|used| used.field);
    let hidden = field
        .is_some_and(|f| f.has(Flag::FilterOnly) && f.show == Show::Plain || f.compare == Compare::HostName);
    let beyond =
        |v: &Value<'_>| field.is_some_and(|f| f.show == Show::Known) && matches!(v, Value::Uint(BEYOND_AGE));
    let Some(value) = value.filter(|v| !hidden && !beyond(v)) else { return absent() };
    if matches!(value, Value::List(items) if items.is_empty()) && field.is_some_and(|f| f.list) {
        return absent();
    }
    if let (Value::List(items), Some(field)) = (value, field)
        && !field.list
        && field.compare == Compare::AnyAncestor
    {
        return ancestors(items, field, cx);
    }
    let encoded = match value {
        Value::Bytes(bytes) if cx.base64 => Some(Value::Text(base64(bytes).into())),
        _ => None,
    };
    let value = encoded.as_ref().unwrap_or(value);
    let show = used.map_or(Show::Plain, |used| shown_as(used, cx));
    let zero = (show == Show::Zero).then_some(match value {
        Value::Double(_) => Value::Double(0.0),
        _ => Value::Uint(0),
    });
    let value = zero.as_ref().unwrap_or(value);
    let text = text(value, show);
    let json = match (show, value) {
        (Show::EventTime, _) => Json::from(cx.event.ts),
        (Show::Plain | Show::Zero | Show::Known, _) => json(value),
        _ => Json::String(text.clone()),
    };
    if show == Show::Network {
        return ("<IPNET>".to_owned(), Json::String("<IPNET>".to_owned()));
    }
    (text, json)
}

/// How a field is shown; raw parameters as the event table says.
fn shown_as(used: &FieldRef, cx: &Cx<'_>) -> Show {
    match &used.key {
        Key::Param(table) if used.field.name == "evt.rawarg" => {
            let param = cx.event.info().params.get(usize::from(table[usize::from(cx.event.kind)]));
            match param.map(|p| p.format) {
                Some(Format::Hex) => Show::Hex,
                Some(Format::Oct) => Show::Octal,
                _ => Show::Plain,
            }
        }
        _ => used.field.show,
    }
}

/// All ancestors as one text; of process ids and environments, those of the process itself.
fn ancestors(items: &[Value<'_>], field: &Field, cx: &Cx<'_>) -> Rendered {
    if field.name == "proc.aenv" {
        let own = Value::Text(cx.main().map(|t| t.env.joined()).unwrap_or_default().into());
        return (text(&own, Show::Plain), json(&own));
    }
    if field.kind == Type::Int {
        let own = cx.main().map_or(Value::Int(-1), |t| Value::Int(t.pid));
        return (text(&own, Show::Plain), json(&own));
    }
    let line = utf8(&line(items.iter().map(|v| text(v, Show::Plain).into_bytes())));
    if line.is_empty() {
        return absent();
    }
    (line.clone(), Json::String(line))
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn printable(bytes: &[u8]) -> String {
    bytes.iter().map(|b| if (b' '..=b'~').contains(b) { char::from(*b) } else { '.' }).collect()
}

/// Bytes in the alphabet of RFC 4648, padded.
pub(crate) fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let byte = |i: usize| three.get(i).map_or(0, |b| usize::from(*b));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let letter = |i: usize| if i > three.len() { b'=' } else { LETTERS[bits >> (18 - 6 * i) & 63] };
        [letter(0), letter(1), letter(2), letter(3)]
    };
    bytes.chunks(3).flat_map(four).collect()
}

fn text(value: &Value<'_>, show: Show) -> String {
    match (value, show) {
        (Value::Int(n), Show::Hex) => format!("{n:X}"),
        (Value::Uint(n), Show::Hex) => format!("{n:X}"),
        (Value::Uint(n), Show::Octal) => format!("{n:o}"),
        (Value::Uint(n), Show::Padded) => format!("{n:0NANOS$}"),
        (Value::Text(b), _) => utf8(b),
        (Value::Bytes(b), _) => printable(b),
        (Value::Int(n), _) => n.to_string(),
        (Value::Uint(n), _) => n.to_string(),
        (Value::Bool(b), _) => b.to_string(),
        (Value::Double(x), _) => format!("{x:.1}"),
        (Value::Ip(ip), _) => ip.to_string(),
        (Value::List(items), _) => {
            format!("({})", items.iter().map(|v| text(v, Show::Plain)).collect::<Vec<_>>().join(","))
        }
    }
}

fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Int(n) => Json::from(*n),
        Value::Uint(n) => Json::from(*n),
        Value::Bool(b) => Json::Bool(*b),
        Value::Double(x) => Number::from_f64(*x).map_or(Json::Null, Json::Number),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        other => Json::String(text(other, Show::Plain)),
    }
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in pairs {
            assert_eq!(base64(plain.as_bytes()), encoded.as_bytes());
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfb]), b"//77");
    }
}
