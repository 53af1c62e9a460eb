//! Expressions from declarations: every pointer goes to a tree, everything that is not understood is refused.

use serde_json::Value as Json;

use crate::expr::{Cond, Expr, Inner};
use crate::pointer::{self, Step};
use crate::tree::Tree;

/// Nesting of a declaration that is followed.
const MAX_DEPTH: usize = 64;

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
            let onward = argument.strip_prefix('/').unwrap_or(argument);
            let mut steps = pointer::parse(before.strip_suffix('/').unwrap_or(before)).map_err(bad)?;
            if before.ends_with('/') {
                steps.push(Step::Key(argument.into()));
            } else if !onward.is_empty() {
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
            ("spread", values) => Expr::Spread(self.exprs(values)?),
            ("times", [value, by]) => Expr::Times(self.boxed(value)?, self.boxed(by)?),
            ("distinct", [value]) => Expr::Distinct(self.boxed(value)?),
            ("written", [pointer]) => {
                let steps = self.steps(word(pointer)?)?;
                Expr::Written(self.tree.want(&steps))
            }
            ("join", [separator, values @ ..]) => Expr::Join(literal(separator)?, self.exprs(values)?),
            ("without_prefix", [value, prefix]) => Expr::WithoutPrefix(self.boxed(value)?, literal(prefix)?),
            ("without_suffix", [value, suffix]) => Expr::WithoutSuffix(self.boxed(value)?, literal(suffix)?),
            ("shortened", [value, count]) => Expr::Shortened(self.boxed(value)?, number(count)?),
            ("part", [value, separator, n]) => {
                Expr::Part(self.boxed(value)?, literal(separator)?, number(n)?, None)
            }
            ("part", [value, separator, n, count]) => {
                Expr::Part(self.boxed(value)?, literal(separator)?, number(n)?, Some(number(count)?))
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
