//! Values that no pointer can say, as a small language, evaluated on the spans of a record.

use std::borrow::Cow;

use crate::clock;
use crate::cursor::{Cursor, Fault};
use crate::text;
use crate::tree::{PathId, Spans, Tree, Walk};

const SECOND: u64 = 1_000_000_000;

/// A value of a record.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Text(Box<[u8]>),
    Path(PathId),
    /// A value as it stands in JSON, but a text without quotes: null is a value.
    Written(PathId),
    /// A pointer of the whole record, inside `Each`.
    Root(PathId),
    Each(Box<Expr>, Box<Inner>),
    First(Vec<Expr>),
    Last(Box<Expr>),
    Concat(Vec<Expr>),
    /// Like `Concat`, once for each value of the last.
    Spread(Vec<Expr>),
    /// The first once for each value of the second.
    Times(Box<Expr>, Box<Expr>),
    Distinct(Box<Expr>),
    Join(Box<[u8]>, Vec<Expr>),
    WithoutPrefix(Box<Expr>, Box<[u8]>),
    WithoutSuffix(Box<Expr>, Box<[u8]>),
    Shortened(Box<Expr>, usize),
    /// A piece by number; with a count, of a text with exactly so many pieces.
    Part(Box<Expr>, Box<[u8]>, usize, Option<usize>),
    ImageRepository(Box<Expr>),
    Query(Box<Expr>, Box<str>),
    Keys(Box<Expr>, Vec<Box<[u8]>>),
    Total(Vec<Expr>),
    Recent(Box<Expr>, u64),
    When(Box<Cond>, Box<Expr>, Option<Box<Expr>>),
    Whole,
    EventTime,
}

/// Something that holds or not.
#[derive(Clone, Debug)]
pub(crate) enum Cond {
    Has(Expr),
    OneOf(Expr, Vec<Box<[u8]>>),
    StartsWith(Expr, Expr),
    Covered(Expr, Expr),
    Same(Expr, Expr),
    Negated(Box<Cond>),
    Both(Vec<Cond>),
}

/// An expression over one element, with its own pointers.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) tree: Tree,
    pub(crate) expr: Expr,
}

/// Where an expression is evaluated: bytes with the spans found in them.
#[derive(Clone, Copy)]
pub(crate) struct Here<'b, 's> {
    pub(crate) bytes: &'b [u8],
    pub(crate) spans: &'s Spans,
    pub(crate) whole: &'b [u8],
    pub(crate) whole_spans: &'s Spans,
    pub(crate) time: u64,
}

type Words<'b> = Cow<'b, [u8]>;

impl<'b> Here<'b, '_> {
    fn texts<'x>(
        &'x self,
        bytes: &'b [u8],
        spans: &'x Spans,
        path: PathId,
    ) -> impl Iterator<Item = Words<'b>> {
        spans.all(path).filter_map(|(start, end)| text::of_json(bytes.get(start as usize..end as usize)?))
    }

    /// The first value.
    pub(crate) fn one(&self, expr: &Expr) -> Option<Words<'b>> {
        match expr {
            Expr::Path(path) => self.texts(self.bytes, self.spans, *path).next(),
            Expr::Text(words) => Some(Cow::Owned(words.to_vec())),
            _ => {
                let mut all = Vec::new();
                self.all(expr, &mut all);
                all.into_iter().next()
            }
        }
    }

    /// Appends every value.
    pub(crate) fn all(&self, expr: &Expr, out: &mut Vec<Words<'b>>) {
        match expr {
            Expr::Text(words) => out.push(Cow::Owned(words.to_vec())),
            Expr::Path(path) => out.extend(self.texts(self.bytes, self.spans, *path)),
            Expr::Written(path) => out.extend(self.written(*path)),
            Expr::Root(path) => out.extend(self.texts(self.whole, self.whole_spans, *path)),
            Expr::Each(elements, inner) => self.each(elements, inner, out),
            Expr::First(values) => {
                let before = out.len();
                values.iter().any(|value| {
                    self.all(value, out);
                    out.len() > before
                });
            }
            Expr::Last(value) => out.extend(self.listed(value).pop()),
            Expr::Concat(values) => {
                let parts: Option<Vec<_>> = values.iter().map(|value| self.one(value)).collect();
                out.extend(parts.map(|parts| Cow::Owned(parts.concat())));
            }
            Expr::Spread(values) => self.spread(values, out),
            Expr::Times(value, by) => {
                let count = self.listed(by).len();
                out.extend(self.one(value).into_iter().flat_map(|words| vec![words; count]));
            }
            Expr::Distinct(value) => {
                for words in self.listed(value) {
                    if !out.contains(&words) {
                        out.push(words);
                    }
                }
            }
            Expr::Join(separator, values) => {
                let parts: Vec<_> = values.iter().flat_map(|value| self.listed(value)).collect();
                if !parts.is_empty() {
                    out.push(Cow::Owned(parts.join(separator.as_ref())));
                }
            }
            Expr::Keys(objects, but) => self.keys(objects, but, out),
            Expr::Total(values) => out.extend(self.total(values)),
            Expr::Recent(times, seconds) => out.push(owned(self.recent(times, *seconds).to_string())),
            Expr::When(condition, then, otherwise) => {
                if self.holds(condition) {
                    self.all(then, out);
                } else if let Some(otherwise) = otherwise {
                    self.all(otherwise, out);
                }
            }
            Expr::Whole => out.push(Cow::Borrowed(self.whole)),
            Expr::EventTime => out.push(owned(self.time.to_string())),
            Expr::WithoutPrefix(value, _)
            | Expr::WithoutSuffix(value, _)
            | Expr::Shortened(value, _)
            | Expr::Part(value, ..)
            | Expr::ImageRepository(value)
            | Expr::Query(value, _) => {
                out.extend(self.listed(value).into_iter().filter_map(|words| cut(expr, words)));
            }
        }
    }

    fn written(&self, path: PathId) -> Option<Words<'b>> {
        let (start, end) = self.spans.first(path)?;
        let raw = self.bytes.get(start as usize..end as usize)?;
        Some(text::of_json(raw).unwrap_or(Cow::Borrowed(raw)))
    }

    fn spread(&self, values: &[Expr], out: &mut Vec<Words<'b>>) {
        let Some((last, before)) = values.split_last() else { return };
        let parts: Option<Vec<_>> = before.iter().map(|value| self.one(value)).collect();
        let Some(before) = parts.map(|parts| parts.concat()) else { return };
        out.extend(self.listed(last).into_iter().map(|end| Cow::Owned([&before, end.as_ref()].concat())));
    }

    fn listed(&self, expr: &Expr) -> Vec<Words<'b>> {
        let mut all = Vec::new();
        self.all(expr, &mut all);
        all
    }

    /// The values of an expression as they stand in the record, where it is a pointer or a filter.
    fn raws(&self, expr: &Expr) -> Vec<&'b [u8]> {
        match expr {
            Expr::Path(path) => self
                .spans
                .all(*path)
                .filter_map(|(start, end)| self.bytes.get(start as usize..end as usize))
                .collect(),
            Expr::Each(elements, inner) => {
                let mut found = Vec::new();
                for element in self.raws(elements) {
                    inner.on(element, self, |here| match &inner.expr {
                        Expr::When(condition, then, None) if here.holds(condition) => {
                            found.extend(here.raws(then));
                        }
                        _ => {}
                    });
                }
                found
            }
            _ => Vec::new(),
        }
    }

    fn each(&self, elements: &Expr, inner: &Inner, out: &mut Vec<Words<'b>>) {
        for element in self.raws(elements) {
            inner.on(element, self, |here| here.all(&inner.expr, out));
        }
    }

    fn keys(&self, objects: &Expr, but: &[Box<[u8]>], out: &mut Vec<Words<'b>>) {
        for object in self.raws(objects) {
            // The walk has seen that this is JSON.
            let _ = keys_of(object, |key| {
                if !but.iter().any(|one| one.as_ref() == key.as_ref()) {
                    out.push(key);
                }
            });
        }
    }

    fn total(&self, values: &[Expr]) -> Option<Words<'b>> {
        let mut sum = None;
        for words in values.iter().flat_map(|value| self.listed(value)) {
            if let Some(number) = whole_number(&words) {
                sum = Some(sum.unwrap_or(0u64).saturating_add(number));
            }
        }
        sum.map(|sum: u64| owned(sum.to_string()))
    }

    fn recent(&self, times: &Expr, seconds: u64) -> usize {
        let since = self.time.saturating_sub(seconds.saturating_mul(SECOND));
        let times = self.listed(times).into_iter().filter_map(|words| {
            let words = std::str::from_utf8(&words).ok()?;
            words.parse::<u64>().ok().or_else(|| clock::nanoseconds(words))
        });
        times.filter(|time| *time > since && *time <= self.time).count()
    }

    /// Whether a condition holds.
    pub(crate) fn holds(&self, condition: &Cond) -> bool {
        match condition {
            Cond::Has(value) => self.one(value).is_some(),
            Cond::OneOf(value, words) => {
                self.listed(value).iter().any(|v| words.iter().any(|w| w.as_ref() == v.as_ref()))
            }
            Cond::StartsWith(value, prefix) => {
                self.one(prefix).is_some_and(|p| self.listed(value).iter().any(|v| v.starts_with(&p)))
            }
            Cond::Covered(value, pattern) => self.one(pattern).is_some_and(|pattern| {
                self.listed(value).iter().any(|v| match pattern.strip_suffix(b"*") {
                    Some(prefix) => v.starts_with(prefix),
                    None => *v == pattern,
                })
            }),
            Cond::Same(left, right) => match (self.one(left), self.one(right)) {
                (Some(left), Some(right)) => left == right,
                _ => false,
            },
            Cond::Negated(condition) => !self.holds(condition),
            Cond::Both(all) => all.iter().all(|one| self.holds(one)),
        }
    }
}

impl Inner {
    /// Walks an element and looks at it.
    fn on<'b>(&self, element: &'b [u8], outer: &Here<'b, '_>, look: impl FnOnce(&Here<'b, '_>)) {
        let mut spans = Spans::default();
        spans.clear(self.tree.len());
        let cursor = Cursor::new(element, 0);
        // A number at the end of the bytes looks cut off; it has nothing inside to find.
        let _ = Walk { cursor, tree: &self.tree, spans: &mut spans, base: 0 }.value();
        look(&Here { bytes: element, spans: &spans, ..*outer });
    }
}

fn owned<'b>(text: String) -> Words<'b> {
    Cow::Owned(text.into_bytes())
}

fn keys_of<'b>(object: &'b [u8], mut each: impl FnMut(Words<'b>)) -> Result<(), Fault> {
    let mut cursor = Cursor::new(object, 0);
    if !cursor.accept(b'{')? || cursor.accept(b'}')? {
        return Ok(());
    }
    loop {
        each(cursor.expect_key()?);
        cursor.skip()?;
        if !cursor.expect_more(b'}')? {
            return Ok(());
        }
    }
}

/// A number without its fraction; none when it does not fit.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
pub(crate) fn whole_number(words: &[u8]) -> Option<u64> {
    let words = std::str::from_utf8(words).ok()?;
    words.parse().ok().or_else(|| {
        let number: f64 = words.parse().ok()?;
        (0.0..u64::MAX as f64).contains(&number).then_some(number as u64)
    })
}

/// Cuts a text as the expression says.
fn cut<'b>(expr: &Expr, words: Words<'b>) -> Option<Words<'b>> {
    if let Expr::Query(_, name) = expr {
        return query(&words, name.as_bytes()).map(Cow::Owned);
    }
    match words {
        Cow::Borrowed(words) => sliced(expr, words).map(Cow::Borrowed),
        Cow::Owned(words) => sliced(expr, &words).map(|part| Cow::Owned(part.to_vec())),
    }
}

fn sliced<'w>(expr: &Expr, words: &'w [u8]) -> Option<&'w [u8]> {
    match expr {
        Expr::WithoutPrefix(_, prefix) => Some(words.strip_prefix(prefix.as_ref()).unwrap_or(words)),
        Expr::WithoutSuffix(_, suffix) => Some(words.strip_suffix(suffix.as_ref()).unwrap_or(words)),
        Expr::Shortened(_, count) => Some(&words[..words.len().saturating_sub(*count)]),
        Expr::Part(_, separator, number, count) => part(words, separator, *number, *count),
        Expr::ImageRepository(_) => Some(repository(words)),
        _ => None,
    }
}

fn part<'w>(words: &'w [u8], separator: &[u8], number: usize, count: Option<usize>) -> Option<&'w [u8]> {
    let separator = std::str::from_utf8(separator).ok()?;
    let pieces = || std::str::from_utf8(words).map(|words| words.split(separator)).ok();
    if let Some(count) = count
        && pieces()?.count() != count
    {
        return None;
    }
    pieces()?.nth(number).map(str::as_bytes)
}

/// `registry:5000/team/app:1.2@sha256:…` without tag and digest.
fn repository(image: &[u8]) -> &[u8] {
    let image = image.split(|b| *b == b'@').next().unwrap_or(image);
    let name = memchr::memrchr(b'/', image).map_or(0, |slash| slash + 1);
    match memchr::memchr(b':', &image[name..]) {
        Some(tag) => &image[..name + tag],
        None => image,
    }
}

/// First value of a query parameter, decoded.
fn query(uri: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let start = memchr::memchr(b'?', uri)? + 1;
    let query = uri[start..].split(|b| *b == b'#').next()?;
    query.split(|b| *b == b'&').find_map(|pair| {
        let (key, value) = pair.split_at(memchr::memchr(b'=', pair).unwrap_or(pair.len()));
        (decoded(key) == name).then(|| decoded(value.get(1..).unwrap_or_default()))
    })
}

/// Text of a query: `+` is a space, `%41` is `A`; what is no escape stays.
fn decoded(words: &[u8]) -> Vec<u8> {
    let digit = |at: usize| (*words.get(at)? as char).to_digit(16);
    let (mut out, mut at) = (Vec::with_capacity(words.len()), 0);
    while let Some(byte) = words.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    out
}
