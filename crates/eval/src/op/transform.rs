//! Transformers.

use eyas_field::Value;

use crate::operand::{Call, bytes, text};

/// Applies a transformer; a value that does not fit gives none.
pub(crate) fn apply<'a>(call: Call, mut values: Vec<Value<'a>>, arg: Option<&str>) -> Option<Value<'a>> {
    match call {
        Call::Join => join(&values),
        Call::Concat => Some(text(values.iter().map(bytes).collect::<Option<Vec<_>>>()?.concat())),
        Call::Getopt => getopt(&values, arg),
        Call::Len => Some(Value::Uint(len(&values[0])? as u64)),
        _ => each(call, values.swap_remove(0)),
    }
}

fn each<'a>(call: Call, value: Value<'a>) -> Option<Value<'a>> {
    if let Value::List(items) = value {
        return Some(Value::List(items.into_iter().map(|v| each(call, v)).collect::<Option<_>>()?));
    }
    let input = bytes(&value)?;
    Some(match call {
        Call::Lower => text(input.to_ascii_lowercase()),
        Call::Upper => text(input.to_ascii_uppercase()),
        Call::Basename => text(input.rsplit(|b| *b == b'/').next().unwrap_or_default().to_vec()),
        _ => text(base64(input)?),
    })
}

fn len(value: &Value<'_>) -> Option<usize> {
    match value {
        Value::List(items) => Some(items.len()),
        Value::Text(t) => Some(String::from_utf8_lossy(&t[..memchr::memchr(0, t).unwrap_or(t.len())]).len()),
        Value::Bytes(b) => Some(b.len()),
        _ => None,
    }
}

fn printed(value: &Value<'_>) -> Option<Vec<u8>> {
    match value {
        Value::Int(n) => Some(n.to_string().into_bytes()),
        Value::Uint(n) => Some(n.to_string().into_bytes()),
        other => bytes(other).map(<[u8]>::to_vec),
    }
}

fn join<'a>(values: &[Value<'a>]) -> Option<Value<'a>> {
    let Value::List(items) = &values[1] else { return None };
    let parts = items.iter().map(printed).collect::<Option<Vec<_>>>()?;
    Some(text(parts.join(bytes(&values[0])?)))
}

/// Decodes base64; white space and missing padding are faults.
fn base64(input: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| {
        Some(match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    if !input.len().is_multiple_of(4) {
        return None;
    }
    let padding = input.iter().rev().take(2).take_while(|b| **b == b'=').count();
    let digits = input[..input.len() - padding].iter().map(|b| digit(*b)).collect::<Option<Vec<u8>>>()?;
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let word = group.iter().fold(0u32, |w, d| w << 6 | u32::from(*d)) << (6 * (4 - group.len()));
        out.extend_from_slice(&word.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

/// Options of a word list as POSIX getopt finds them: letters with their values, or the value of one letter.
fn getopt<'a>(values: &[Value<'a>], wanted: Option<&str>) -> Option<Value<'a>> {
    let (Value::List(words), spec) = (&values[0], bytes(&values[1])?) else { return None };
    let words = words.iter().map(bytes).collect::<Option<Vec<_>>>()?;
    let mut found: Vec<(u8, Option<Vec<u8>>)> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == b"--" || word.first() != Some(&b'-') || word.len() < 2 {
            break;
        }
        if word.starts_with(b"--") {
            continue;
        }
        let letters = word[1..].iter().enumerate();
        for (i, letter) in letters {
            let known = spec.iter().position(|s| s == letter && *s != b':');
            let takes_value = known.is_some_and(|at| spec.get(at + 1) == Some(&b':'));
            match known {
                None => found.push((b'?', None)),
                Some(_) if !takes_value => found.push((*letter, None)),
                Some(_) => {
                    let rest = &word[i + 2..];
                    let value = if rest.is_empty() { words.next().unwrap_or_default() } else { rest };
                    found.push((*letter, Some(value.to_vec())));
                    break;
                }
            }
        }
    }
    match wanted {
        Some(letter) => {
            let (letter, value) = found.into_iter().rev().find(|(l, _)| [*l] == letter.as_bytes())?;
            Some(text(value.unwrap_or_else(|| vec![letter])))
        }
        None => {
            let flat = found.into_iter().flat_map(|(letter, value)| [Some(vec![letter]), value]);
            Some(Value::List(flat.flatten().map(text).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{base64, getopt};
    use crate::operand::text;
    use eyas_field::Value;

    #[test]
    fn base64_is_decoded_or_refused() {
        assert_eq!(base64(b"aGVsbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(base64(b"aGVsbG8"), None);
        assert_eq!(base64(b"a?=="), None);
        assert_eq!(base64(b"").as_deref(), Some(&b""[..]));
    }

    #[test]
    fn options_are_found_until_the_first_word() {
        let words = ["-l", "-p4444", "-e", "/bin/sh", "host", "-x"].map(|w| text(w.as_bytes().to_vec()));
        let values = [Value::List(words.to_vec()), text(b"lp:e:x".to_vec())];
        assert_eq!(getopt(&values, Some("p")), Some(text(b"4444".to_vec())));
        assert_eq!(getopt(&values, Some("e")), Some(text(b"/bin/sh".to_vec())));
        assert_eq!(getopt(&values, Some("l")), Some(text(b"l".to_vec())));
        assert_eq!(getopt(&values, Some("x")), None);
    }
}
