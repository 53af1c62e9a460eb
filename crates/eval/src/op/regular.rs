//! `regex`: POSIX syntax over the whole text.

use regex::Regex;

/// Memory that one expression may take.
const SIZE_LIMIT: usize = 4 << 20;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) struct Regular(Regex);

impl Regular {
    /// # Errors
    /// When the expression is invalid or too large.
    pub(crate) fn new(pattern: &[u8]) -> Result<Regular, String> {
        let pattern = String::from_utf8_lossy(pattern);
        regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
            .dot_matches_new_line(true)
            .size_limit(SIZE_LIMIT)
            .build()
            .map(Regular)
            .map_err(|error| format!("invalid regular expression: {error}"))
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        self.0.is_match(&String::from_utf8_lossy(text))
    }
}
