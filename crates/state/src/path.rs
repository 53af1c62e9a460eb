//! Paths as the fields show them: joined, without `.`, `..` and doubled slashes.

use std::borrow::Cow;

/// Longest path that is resolved.
const MAX: usize = 1024;
const TOO_LONG: &[u8] = b"/DIR_TOO_LONG/FILENAME_TOO_LONG";

/// Resolves `path` against `base`, which ends in `/`; an absolute path ignores the base, an empty one is empty.
pub fn normalise<'a>(base: &[u8], path: &'a [u8]) -> Cow<'a, [u8]> {
    if base.len() + path.len() + 1 > MAX {
        return Cow::Borrowed(TOO_LONG);
    }
    if path.is_empty() || (path[0] == b'/' && is_clean(path)) {
        return Cow::Borrowed(path);
    }
    if path[0] == b'/' {
        return Cow::Owned(clean(path));
    }
    let joined = [base, path].concat();
    Cow::Owned(if is_clean(&joined) { joined } else { clean(&joined) })
}

/// Whether `clean` would change nothing.
fn is_clean(path: &[u8]) -> bool {
    let doubtful = path.iter().zip(&path[1.min(path.len())..]);
    let doubt = doubtful.fold(false, |doubt, (a, b)| doubt | (*a == b'/') & ((*b == b'/') | (*b == b'.')));
    let at_ends = path.starts_with(b".") || path.ends_with(b"/");
    (!doubt && !at_ends) || parts_are_clean(path)
}

/// The same, part by part.
fn parts_are_clean(path: &[u8]) -> bool {
    let mut parts = path.split(|b| *b == b'/').enumerate();
    path == b"/"
        || parts.all(|(n, part)| match part {
            [] => n == 0,
            [b'.'] | [b'.', b'.'] => false,
            _ => true,
        })
}

fn clean(path: &[u8]) -> Vec<u8> {
    let absolute = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    let mut out = Vec::with_capacity(path.len());
    if absolute {
        out.push(b'/');
    }
    out.extend_from_slice(&kept.join(&b'/'));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_resolved_and_never_leave_the_start() {
        for (base, path, want) in [
            ("/home/", "a/../b", "/home/b"),
            ("/", "../../etc//passwd", "/etc/passwd"),
            ("/x/", "/etc/./shadow/", "/etc/shadow"),
            ("/x/", "", ""),
            ("/", "/", "/"),
            ("<UNKNOWN>", "a", "<UNKNOWN>a"),
            ("./", "a", "a"),
            ("/x/", "..hidden", "/x/..hidden"),
            ("/x/", "/a/.b/..c/d", "/a/.b/..c/d"),
            ("/x/", "/a/b/.", "/a/b"),
            ("/x/", "/a/b/..", "/a"),
            ("/x/", "//a", "/a"),
        ] {
            assert_eq!(
                normalise(base.as_bytes(), path.as_bytes()).as_ref(),
                want.as_bytes(),
                "{base} {path}"
            );
        }
    }

    #[test]
    fn a_path_over_the_limit_says_so() {
        assert_eq!(normalise(b"/", &[b'a'; 1024]).as_ref(), TOO_LONG);
    }
}
