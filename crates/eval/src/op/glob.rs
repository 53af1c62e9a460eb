//! `glob` and `iglob`: shell patterns over the whole text; `*` crosses `/`.

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    parts: Box<[Part]>,
    fold: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Byte(u8),
    Any,
    Star,
    Class(Box<[bool; 256]>),
}

impl Glob {
    pub(crate) fn new(pattern: &[u8], fold: bool) -> Glob {
        let mut parts = Vec::new();
        let mut at = 0;
        while at < pattern.len() {
            let (part, len) = part(&pattern[at..], fold);
            at += len;
            if !(matches!(part, Part::Star) && matches!(parts.last(), Some(Part::Star))) {
                parts.push(part);
            }
        }
        Glob { parts: parts.into(), fold }
    }

    /// Whether the pattern covers the whole text. Linear in text times stars.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let (mut p, mut t) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while t < text.len() {
            match self.parts.get(p) {
                Some(Part::Star) => {
                    retry = Some((p, t));
                    p += 1;
                }
                Some(part) if self.accepts(part, text[t]) => {
                    p += 1;
                    t += 1;
                }
                _ => {
                    let Some((star, from)) = retry else { return false };
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
            }
        }
        self.parts[p..].iter().all(|part| matches!(part, Part::Star))
    }

    fn accepts(&self, part: &Part, byte: u8) -> bool {
        let byte = if self.fold { byte.to_ascii_lowercase() } else { byte };
        match part {
            Part::Byte(b) => *b == byte,
            Part::Any => true,
            Part::Class(set) => set[usize::from(byte)],
            Part::Star => false,
        }
    }
}

fn part(pattern: &[u8], fold: bool) -> (Part, usize) {
    let lower = |b: u8| if fold { b.to_ascii_lowercase() } else { b };
    match pattern[0] {
        b'*' => (Part::Star, 1),
        b'?' => (Part::Any, 1),
        b'\\' if pattern.len() > 1 => (Part::Byte(lower(pattern[1])), 2),
        b'[' => class(pattern, fold).unwrap_or((Part::Byte(b'['), 1)),
        b => (Part::Byte(lower(b)), 1),
    }
}

/// A bracket expression; `None` when it has no end.
fn class(pattern: &[u8], fold: bool) -> Option<(Part, usize)> {
    let mut at = 1;
    let negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let mut set = [false; 256];
    let first = at;
    loop {
        let byte = *pattern.get(at)?;
        if byte == b']' && at > first {
            break;
        }
        if byte == b'['
            && pattern.get(at + 1) == Some(&b':')
            && let Some((test, len)) = named(&pattern[at..])
        {
            (0..=255u8).filter(test).for_each(|b| set[usize::from(b)] = true);
            at += len;
            continue;
        }
        let (low, len) = literal(&pattern[at..])?;
        at += len;
        let mut high = low;
        if pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|b| *b != b']') {
            let (end, len) = literal(&pattern[at + 1..])?;
            high = end;
            at += 1 + len;
        }
        (low..=high).for_each(|b| set[usize::from(b)] = true);
    }
    if fold {
        for b in b'a'..=b'z' {
            let on = set[usize::from(b)] || set[usize::from(b.to_ascii_uppercase())];
            set[usize::from(b)] = on;
        }
    }
    if negated {
        set.iter_mut().for_each(|on| *on = !*on);
    }
    Some((Part::Class(Box::new(set)), at + 1))
}

fn literal(pattern: &[u8]) -> Option<(u8, usize)> {
    match pattern {
        [b'\\', b, ..] => Some((*b, 2)),
        [b, ..] => Some((*b, 1)),
        [] => None,
    }
}

type Test = fn(&u8) -> bool;

/// `[:alpha:]` and its relatives.
fn named(pattern: &[u8]) -> Option<(Test, usize)> {
    let end = memchr::memmem::find(pattern, b":]")?;
    let test: Test = match &pattern[2..end] {
        b"alpha" => u8::is_ascii_alphabetic,
        b"digit" => u8::is_ascii_digit,
        b"alnum" => u8::is_ascii_alphanumeric,
        b"upper" => u8::is_ascii_uppercase,
        b"lower" => u8::is_ascii_lowercase,
        b"space" => u8::is_ascii_whitespace,
        b"punct" => u8::is_ascii_punctuation,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    };
    Some((test, end + 2))
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns_cover_the_whole_text() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("a*c", "a/b/c", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[abc", "[abc", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*.conf", "/etc/x.conf", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Glob::new(pattern.as_bytes(), false).matches(text.as_bytes()),
                wanted,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn case_can_be_ignored() {
        assert!(Glob::new(b"*BASH", true).matches(b"/bin/bash"));
        assert!(Glob::new(b"[A-C]", true).matches(b"b"));
    }

    #[test]
    fn many_stars_stay_quick() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!Glob::new(pattern.as_bytes(), false).matches(&[b'a'; 10_000]));
    }
}
