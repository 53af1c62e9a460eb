//! Paths as the fields show them: joined, without `.`, `..` and doubled slashes.

/// Longest path that is resolved.
const MAX: usize = 1024;
const TOO_LONG: &[u8] = b"/DIR_TOO_LONG/FILENAME_TOO_LONG";

/// Resolves `path` against `base`, which ends in `/`; an absolute path ignores the base, an empty one is empty.
pub fn normalise(base: &[u8], path: &[u8]) -> Vec<u8> {
    if base.len() + path.len() + 1 > MAX {
        return TOO_LONG.to_vec();
    }
    if path.is_empty() {
        return Vec::new();
    }
    if path[0] == b'/' { clean(path) } else { clean(&[base, path].concat()) }
}

/// Whether `clean` would change nothing.
fn is_clean(path: &[u8]) -> bool {
    let dotted = memchr::memmem::find(path, b"/.").is_some() || path.starts_with(b".");
    let doubled = memchr::memmem::find(path, b"//").is_some();
    !dotted && !doubled && (path.len() == 1 || !path.ends_with(b"/"))
}

fn clean(path: &[u8]) -> Vec<u8> {
    if is_clean(path) {
        return path.to_vec();
    }
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
        ] {
            assert_eq!(normalise(base.as_bytes(), path.as_bytes()), want.as_bytes(), "{base} {path}");
        }
    }

    #[test]
    fn a_path_over_the_limit_says_so() {
        assert_eq!(normalise(b"/", &[b'a'; 1024]), TOO_LONG);
    }
}
