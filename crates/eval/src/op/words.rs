//! Many texts searched together: what an `or` of tests of one value becomes.

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet;

use crate::constant::Constant;
use crate::op::Matcher;
use crate::predicate::Test;

/// A text that equals, begins with, ends in or holds one of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    equal: FxHashSet<Box<[u8]>>,
    prefixes: Vec<Box<[u8]>>,
    suffixes: Vec<Box<[u8]>>,
    inside: Option<AhoCorasick>,
}

impl Words {
    /// Whether a test is one of those that can be put together.
    pub(crate) fn takes(test: &Test) -> bool {
        match test {
            Test::In(set) => set.texts().is_some(),
            Test::Matches(Matcher::Eq(Constant::Text(_)) | Matcher::Startswith(_) | Matcher::Endswith(_)) => {
                true
            }
            Test::Matches(Matcher::Contains(finder)) => !finder.needle().is_empty(),
            _ => false,
        }
    }

    /// One test instead of several; those that cannot be put together are left out.
    pub(crate) fn new<'t>(tests: impl Iterator<Item = &'t Test>) -> Words {
        let mut words = Words::default();
        let mut inside = Vec::new();
        for test in tests {
            match test {
                Test::In(set) => words.equal.extend(set.texts().into_iter().flatten().cloned()),
                Test::Matches(Matcher::Eq(Constant::Text(text))) => {
                    words.equal.insert(text.clone());
                }
                Test::Matches(Matcher::Startswith(text)) => words.prefixes.push(text.clone()),
                Test::Matches(Matcher::Endswith(text)) => words.suffixes.push(text.clone()),
                Test::Matches(Matcher::Contains(finder)) => inside.push(finder.needle().to_vec()),
                _ => {}
            }
        }
        words.inside = if inside.is_empty() { None } else { AhoCorasick::new(inside).ok() };
        words
    }

    /// The texts, when only whole ones are searched for.
    pub(crate) fn whole(&self) -> Option<&FxHashSet<Box<[u8]>>> {
        let only = self.prefixes.is_empty() && self.suffixes.is_empty() && self.inside.is_none();
        only.then_some(&self.equal)
    }

    /// Whether any of them fits.
    pub(crate) fn fit(&self, text: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| text.starts_with(prefix))
            || self.suffixes.iter().any(|suffix| text.ends_with(suffix))
            || (!self.equal.is_empty() && self.equal.contains(text))
            || self.inside.as_ref().is_some_and(|words| words.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    use memchr::memmem::Finder;

    use super::*;

    #[test]
    fn any_of_the_words_is_enough() {
        let text = |t: &str| Constant::Text(t.as_bytes().into());
        let tests = [
            Test::Matches(Matcher::Eq(text("/etc/shadow"))),
            Test::Matches(Matcher::Startswith(b"/root/"[..].into())),
            Test::Matches(Matcher::Endswith(b"_history"[..].into())),
            Test::Matches(Matcher::Contains(Box::new(Finder::new(b".ssh").into_owned()))),
        ];
        let words = Words::new(tests.iter());
        for (path, wanted) in [
            ("/etc/shadow", true),
            ("/etc/shadow2", false),
            ("/root/x", true),
            ("/home/a/.bash_history", true),
            ("/home/a/.ssh/id", true),
            ("", false),
        ] {
            assert_eq!(words.fit(path.as_bytes()), wanted, "{path}");
        }
    }
}
