//! Values that no pointer can say, as a small language: read from data, evaluated on the spans of a record.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::clock;
use crate::cursor::{Cursor, Fault};
use crate::pointer::{self, Step};
use crate::text;
use crate::tree::{PathId, Spans, Tree, Walk};

/// Nesting of a declaration that is followed.
const MAX_DEPTH: usize = 64;
const SECOND: u64 = 1_000_000_000;

/// A value of a record.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Text(Box<[u8]>),
    Path(PathId),
    /// A pointer of the whole record, inside `Each`.
    Root(PathId),
    Each(Box<Expr>, Box<Inner>),
    First(Vec<Expr>),
    Last(Box<Expr>),
    Concat(Vec<Expr>),
    Join(Box<[u8]>, Vec<Expr>),
    WithoutPrefix(Box<Expr>, Box<[u8]>),
    WithoutSuffix(Box<Expr>, Box<[u8]>),
    Shortened(Box<Expr>, usize),
    Part(Box<Expr>, Box<[u8]>, usize),
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
    tree: Tree,
    expr: Expr,
}

/// Reads declarations: pointers go to a tree.
pub(crate) struct Maker<'t> {
    /// Pointers of where the expression stands.
    pub(crate) tree: &'t mut Tree,
    /// Pointers of the whole record, inside `each`.
    pub(crate) root: Option<&'t mut Tree>,
    /// Argument of the field.
    pub(crate) argument: Option<&'t str>,
    /// Whether the argument takes the place of the first `*`.
    pub(crate) indexed: bool,
    pub(crate) depth: usize,
}

type Made<T> = Result<T, String>;

impl Maker<'_> {
    /// Reads a value: a pointer, or an operation with its operands.
    pub(crate) fn expr(&mut self, json: &Json) -> Made<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nested too deep".to_owned());
        }
        let made = match json {
            Json::String(pointer) => self.pointer(pointer),
            Json::Array(items) => match items.split_first() {
                Some((Json::String(op), args)) => self.operation(op, args),
                _ => Err(format!("expected the name of an operation in {json}")),
            },
            other => Err(format!("expected a pointer or an operation, found {other}")),
        };
        self.depth -= 1;
        made
    }

    fn pointer(&mut self, pointer: &str) -> Made<Expr> {
        let steps = self.steps(pointer)?;
        // What follows a filter is looked up in each element that passes.
        let Some(at) = steps.iter().position(|s| matches!(s, Step::Where(..))) else {
            return Ok(Expr::Path(self.tree.want(&steps)));
        };
        let (before, after) = steps.split_at(at);
        self.filtered(before, after)
    }

    fn filtered(&mut self, before: &[Step], after: &[Step]) -> Made<Expr> {
        let elements = Expr::Path(self.tree.want(&[before, &[Step::Each]].concat()));
        let Some((Step::Where(key, value), rest)) = after.split_first() else {
            return Err("a filter was expected".to_owned());
        };
        let mut tree = Tree::default();
        let key = Expr::Path(tree.want(&[Step::Key(key.clone())]));
        let condition = Cond::OneOf(key, vec![value.as_bytes().into()]);
        let found = match rest.iter().position(|s| matches!(s, Step::Where(..))) {
            None => Expr::Path(tree.want(rest)),
            Some(at) => {
                let (before, after) = rest.split_at(at);
                let mut inside =
                    Maker { tree: &mut tree, root: None, argument: None, indexed: false, depth: 0 };
                inside.filtered(before, after)?
            }
        };
        let expr = Expr::When(Box::new(condition), Box::new(found), None);
        Ok(Expr::Each(Box::new(elements), Box::new(Inner { tree, expr })))
    }

    fn steps(&self, pointer: &str) -> Made<Vec<Step>> {
        let bad = |_| format!("pointer {pointer:?} has too many steps");
        if let Some((before, after)) = pointer.split_once("{arg}") {
            // Behind a slash the argument is one key, else a pointer that goes on from there.
            let argument = self.argument.unwrap_or_default();
            let mut steps = pointer::parse(before.strip_suffix('/').unwrap_or(before)).map_err(bad)?;
            if before.ends_with('/') {
                steps.push(Step::Key(argument.into()));
            } else {
                steps.extend(pointer::parse_plain(argument).map_err(bad)?);
            }
            steps.extend(pointer::parse(after).map_err(bad)?);
            return Ok(steps);
        }
        let mut steps = pointer::parse(pointer).map_err(bad)?;
        if let (true, Some(number)) = (self.indexed, self.argument)
            && let Some(first) = steps.iter_mut().find(|s| matches!(s, Step::Each))
        {
            *first = Step::Key(number.into());
        }
        Ok(steps)
    }

    fn operation(&mut self, op: &str, args: &[Json]) -> Made<Expr> {
        Ok(match (op, args) {
            ("text", [words]) => Expr::Text(word(words)?.as_bytes().into()),
            ("root", [pointer]) => self.root(word(pointer)?)?,
            ("each", [pointer, value]) => self.each(pointer, value)?,
            ("first", values) => Expr::First(self.exprs(values)?),
            ("last", [value]) => Expr::Last(self.boxed(value)?),
            ("concat", values) => Expr::Concat(self.exprs(values)?),
            ("join", [separator, values @ ..]) => Expr::Join(literal(separator)?, self.exprs(values)?),
            ("without_prefix", [value, prefix]) => Expr::WithoutPrefix(self.boxed(value)?, literal(prefix)?),
            ("without_suffix", [value, suffix]) => Expr::WithoutSuffix(self.boxed(value)?, literal(suffix)?),
            ("shortened", [value, count]) => Expr::Shortened(self.boxed(value)?, number(count)?),
            ("part", [value, separator, n]) => {
                Expr::Part(self.boxed(value)?, literal(separator)?, number(n)?)
            }
            ("image_repository", [value]) => Expr::ImageRepository(self.boxed(value)?),
            ("query", [value]) => Expr::Query(self.boxed(value)?, self.given()?.into()),
            ("keys", [pointer, but @ ..]) => {
                Expr::Keys(self.boxed(pointer)?, but.iter().map(literal).collect::<Made<_>>()?)
            }
            ("total", values) => Expr::Total(self.exprs(values)?),
            ("recent", [value]) => {
                let seconds = self.given()?.parse().map_err(|_| "the argument is no number".to_owned())?;
                // The argument is a time here, so it stands for no element of a list.
                self.indexed = false;
                Expr::Recent(self.boxed(value)?, seconds)
            }
            ("whole", []) => Expr::Whole,
            ("event_time", []) => Expr::EventTime,
            ("argument", []) => Expr::Text(self.given()?.as_bytes().into()),
            ("when", [condition, then]) => {
                Expr::When(Box::new(self.cond(condition)?), self.boxed(then)?, None)
            }
            ("when", [condition, then, otherwise]) => {
                let condition = Box::new(self.cond(condition)?);
                Expr::When(condition, self.boxed(then)?, Some(self.boxed(otherwise)?))
            }
            _ => return Err(format!("unknown operation {op:?} with {} operands", args.len())),
        })
    }

    /// Reads a condition.
    pub(crate) fn cond(&mut self, json: &Json) -> Made<Cond> {
        self.depth += 1;
        let Some((Json::String(op), args)) = json.as_array().and_then(|items| items.split_first()) else {
            return Err(format!("expected a condition, found {json}"));
        };
        if self.depth > MAX_DEPTH {
            return Err("nested too deep".to_owned());
        }
        let made = match (op.as_str(), args) {
            ("has", [value]) => Cond::Has(self.expr(value)?),
            ("one_of", [value, words @ ..]) => {
                Cond::OneOf(self.expr(value)?, words.iter().map(literal).collect::<Made<_>>()?)
            }
            ("starts_with", [value, prefix]) => Cond::StartsWith(self.expr(value)?, self.expr(prefix)?),
            ("covered", [value, pattern]) => Cond::Covered(self.expr(value)?, self.expr(pattern)?),
            ("same", [left, right]) => Cond::Same(self.expr(left)?, self.expr(right)?),
            ("negated", [condition]) => Cond::Negated(Box::new(self.cond(condition)?)),
            ("both", all) => Cond::Both(all.iter().map(|one| self.cond(one)).collect::<Made<_>>()?),
            _ => return Err(format!("unknown condition {op:?} with {} operands", args.len())),
        };
        self.depth -= 1;
        Ok(made)
    }

    fn boxed(&mut self, json: &Json) -> Made<Box<Expr>> {
        self.expr(json).map(Box::new)
    }

    fn exprs(&mut self, items: &[Json]) -> Made<Vec<Expr>> {
        items.iter().map(|item| self.expr(item)).collect()
    }

    fn given(&self) -> Made<&str> {
        self.argument.ok_or_else(|| "needs an argument".to_owned())
    }

    fn root(&mut self, pointer: &str) -> Made<Expr> {
        let steps = self.steps(pointer)?;
        match &mut self.root {
            Some(root) => Ok(Expr::Root(root.want(&steps))),
            None => Ok(Expr::Path(self.tree.want(&steps))),
        }
    }

    fn each(&mut self, pointer: &Json, value: &Json) -> Made<Expr> {
        let elements = self.boxed(pointer)?;
        let mut tree = Tree::default();
        let root = match &mut self.root {
            Some(root) => &mut **root,
            None => &mut *self.tree,
        };
        let mut inside = Maker {
            tree: &mut tree,
            root: Some(root),
            argument: self.argument,
            indexed: false,
            depth: self.depth,
        };
        let expr = inside.expr(value)?;
        Ok(Expr::Each(elements, Box::new(Inner { tree, expr })))
    }
}

fn word(json: &Json) -> Made<&str> {
    json.as_str().ok_or_else(|| format!("expected a text, found {json}"))
}

/// The text of `["text", …]`.
fn literal(json: &Json) -> Made<Box<[u8]>> {
    match json.as_array().map(Vec::as_slice) {
        Some([Json::String(op), Json::String(words)]) if op == "text" => Ok(words.as_bytes().into()),
        _ => Err(format!("expected a fixed text, found {json}")),
    }
}

fn number(json: &Json) -> Made<usize> {
    let text = literal(json)?;
    String::from_utf8_lossy(&text).parse().map_err(|_| format!("expected a number, found {json}"))
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
        times.filter(|time| (since..=self.time).contains(time)).count()
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
        Expr::Part(_, separator, number) => part(words, separator, *number),
        Expr::ImageRepository(_) => Some(repository(words)),
        Expr::Query(_, name) => query(words, name.as_bytes()),
        _ => None,
    }
}

fn part<'w>(words: &'w [u8], separator: &[u8], number: usize) -> Option<&'w [u8]> {
    let separator = std::str::from_utf8(separator).ok()?;
    std::str::from_utf8(words).ok()?.split(separator).nth(number).map(str::as_bytes)
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

/// First value of a query parameter, as written.
fn query<'w>(uri: &'w [u8], name: &[u8]) -> Option<&'w [u8]> {
    let start = memchr::memchr(b'?', uri)? + 1;
    let query = uri[start..].split(|b| *b == b'#').next()?;
    query.split(|b| *b == b'&').find_map(|pair| {
        let (key, value) = pair.split_at(memchr::memchr(b'=', pair).unwrap_or(pair.len()));
        (key == name).then(|| value.get(1..).unwrap_or_default())
    })
}
