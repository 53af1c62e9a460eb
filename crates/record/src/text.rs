//! JSON values as texts.

use std::borrow::Cow;

use memchr::memchr;

/// Text of a value: a text without quotes and escapes, anything else as JSON; none for null.
pub(crate) fn of_json(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    match raw.first()? {
        b'"' => {
            let inner = raw.get(1..raw.len() - 1)?;
            Some(if memchr(b'\\', inner).is_some() { unescaped(inner) } else { Cow::Borrowed(inner) })
        }
        b'{' | b'[' => Some(compact(raw)),
        b'n' => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// Takes escapes out of the inside of a text.
pub(crate) fn unescaped(inner: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = escape(rest.get(at + 1..).unwrap_or_default(), &mut out);
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Writes the character of an escape; gives what follows it.
fn escape<'b>(after: &'b [u8], out: &mut Vec<u8>) -> &'b [u8] {
    let Some((letter, rest)) = after.split_first() else { return after };
    match letter {
        b'b' => out.push(8),
        b'f' => out.push(12),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'u' => return unicode(rest, out),
        other => out.push(*other),
    }
    rest
}

fn unicode<'b>(after: &'b [u8], out: &mut Vec<u8>) -> &'b [u8] {
    let high = unit(after).unwrap_or(0xfffd);
    let rest = after.get(4..).unwrap_or_default();
    let low = rest.strip_prefix(b"\\u").and_then(unit).filter(|low| (0xdc00..0xe000).contains(low));
    let (code, rest) = match low {
        Some(low) if (0xd800..0xdc00).contains(&high) => {
            (0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00), rest.get(6..).unwrap_or_default())
        }
        _ => (high, rest),
    };
    // Half of a pair alone is no character.
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

fn unit(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits.get(..4)?).ok()?, 16).ok()
}

/// JSON without white space between its tokens.
pub(crate) fn compact(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let mut kept = 0;
    let mut quoted = false;
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' => at += 1,
            b' ' | b'\t' | b'\n' | b'\r' if !quoted => {
                out.extend_from_slice(&raw[kept..at]);
                kept = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if kept == 0 {
        return Cow::Borrowed(raw);
    }
    out.extend_from_slice(&raw[kept..]);
    Cow::Owned(out)
}
