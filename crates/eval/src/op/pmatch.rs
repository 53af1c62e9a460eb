//! `pmatch`: whether some path of a set covers a path, component by component.

use super::glob::Glob;

/// Paths as lists of components.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    members: Box<[Box<[Component]>]>,
}

#[derive(Clone, Debug)]
enum Component {
    Plain(Box<[u8]>),
    Pattern(Glob),
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/').filter(|c| !c.is_empty())
}

impl Paths {
    pub(crate) fn new<'a>(members: impl Iterator<Item = &'a [u8]>) -> Paths {
        let component = |c: &[u8]| {
            if c.iter().any(|b| matches!(b, b'*' | b'?' | b'[')) {
                Component::Pattern(Glob::new(c, false))
            } else {
                Component::Plain(c.into())
            }
        };
        Paths { members: members.map(|path| components(path).map(component).collect()).collect() }
    }

    pub(crate) fn covers(&self, path: &[u8]) -> bool {
        self.members.iter().any(|member| {
            let mut parts = components(path);
            member.iter().all(|wanted| match (parts.next(), wanted) {
                (Some(part), Component::Plain(name)) => part == name.as_ref(),
                (Some(part), Component::Pattern(glob)) => glob.matches(part),
                (None, _) => false,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Paths;

    #[test]
    fn a_member_covers_itself_and_what_lies_below() {
        let paths = Paths::new([&b"/a/b"[..], b"/opt/*/bin"].into_iter());
        for (path, wanted) in [
            ("/a/b", true),
            ("/a/b/c", true),
            ("/a/bc", false),
            ("/a", false),
            ("/opt/x/bin/y", true),
            ("", false),
        ] {
            assert_eq!(paths.covers(path.as_bytes()), wanted, "{path}");
        }
        assert!(Paths::new([&b"/"[..]].into_iter()).covers(b"/x"));
    }
}
