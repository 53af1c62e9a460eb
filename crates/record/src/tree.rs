//! All wanted pointers as one tree, and the walk along it that notes where their values stand.

use rustc_hash::FxHashMap;

use crate::cursor::{Cursor, Fault, Span};
use crate::pointer::Step;

/// Number of a wanted pointer.
pub(crate) type PathId = u32;

const ROOT: usize = 0;
const NONE: u32 = u32::MAX;
/// Lengths of keys are told apart up to this.
const LENGTHS: usize = 32;

/// A place in records that a pointer passes or ends at.
#[derive(Clone, Debug, Default)]
struct Node {
    /// The pointer that ends here.
    path: Option<PathId>,
    /// Children by key.
    keys: Vec<(Box<[u8]>, usize)>,
    /// For each length of a key: whether some child has it.
    lengths: u32,
    /// Child for each element of a list.
    each: Option<usize>,
    /// Children that are numbers: elements of a list.
    numbered: Vec<(usize, usize)>,
}

impl Node {
    #[inline]
    fn child(&self, key: &[u8]) -> Option<usize> {
        if self.lengths >> (key.len() % LENGTHS) & 1 == 0 {
            return None;
        }
        self.keys.iter().find(|(name, _)| name.as_ref() == key).map(|(_, node)| *node)
    }

    fn has_elements(&self) -> bool {
        self.each.is_some() || !self.numbered.is_empty()
    }
}

/// Wanted pointers.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    known: FxHashMap<Vec<Step>, PathId>,
}

impl Default for Tree {
    fn default() -> Tree {
        Tree { nodes: vec![Node::default()], known: FxHashMap::default() }
    }
}

impl Tree {
    /// The number of a pointer, which is added if it is new. Filters belong to expressions, not here.
    pub(crate) fn want(&mut self, steps: &[Step]) -> PathId {
        if let Some(path) = self.known.get(steps) {
            return *path;
        }
        let mut node = ROOT;
        for step in steps {
            node = self.descend(node, step);
        }
        let path = self.known.len() as PathId;
        self.nodes[node].path = Some(path);
        self.known.insert(steps.to_vec(), path);
        path
    }

    /// How many pointers are wanted.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    fn descend(&mut self, from: usize, step: &Step) -> usize {
        let next = self.nodes.len();
        let node = &mut self.nodes[from];
        let found = match step {
            Step::Key(key) => {
                node.keys.iter().find(|(name, _)| name.as_ref() == key.as_bytes()).map(|(_, child)| *child)
            }
            Step::Each | Step::Where(..) => node.each,
        };
        if let Some(child) = found {
            return child;
        }
        match step {
            Step::Key(key) => {
                node.lengths |= 1 << (key.len() % LENGTHS);
                node.keys.push((key.as_bytes().into(), next));
                if let Ok(number) = key.parse() {
                    node.numbered.push((number, next));
                }
            }
            Step::Each | Step::Where(..) => node.each = Some(next),
        }
        self.nodes.push(Node::default());
        next
    }
}

/// A value found for a pointer, and the next one for the same.
#[derive(Clone, Copy, Debug)]
struct Hit {
    span: Span,
    next: u32,
}

/// Where the values of wanted pointers stand in one record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans {
    /// First and last hit of each pointer.
    ends: Vec<(u32, u32)>,
    hits: Vec<Hit>,
}

impl Spans {
    pub(crate) fn clear(&mut self, paths: usize) {
        self.hits.clear();
        self.ends.clear();
        self.ends.resize(paths, (NONE, NONE));
    }

    #[inline]
    fn add(&mut self, path: PathId, span: Span) {
        let hit = self.hits.len() as u32;
        self.hits.push(Hit { span, next: NONE });
        let ends = &mut self.ends[path as usize];
        if ends.0 == NONE {
            ends.0 = hit;
        } else {
            self.hits[ends.1 as usize].next = hit;
        }
        ends.1 = hit;
    }

    /// The first value of a pointer.
    #[inline]
    pub(crate) fn first(&self, path: PathId) -> Option<Span> {
        self.all(path).next()
    }

    /// All values of a pointer, in the order of the record.
    #[inline]
    pub(crate) fn all(&self, path: PathId) -> impl Iterator<Item = Span> {
        let mut at = self.ends.get(path as usize).map_or(NONE, |ends| ends.0);
        std::iter::from_fn(move || {
            let hit = self.hits.get(at as usize)?;
            at = hit.next;
            Some(hit.span)
        })
    }
}

/// How a walk over a document ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// After the document.
    Past,
    /// Before the first element of a list of records inside the document.
    List,
}

/// One walk: a cursor with the tree it follows and the place for what it finds. Offsets count from `base`.
pub(crate) struct Walk<'b, 't> {
    pub(crate) cursor: Cursor<'b>,
    pub(crate) tree: &'t Tree,
    pub(crate) spans: &'t mut Spans,
    pub(crate) base: usize,
}

impl Walk<'_, '_> {
    /// Steps over a value and notes what is wanted of it.
    pub(crate) fn value(&mut self) -> Result<(), Fault> {
        self.at(ROOT)
    }

    /// The same for a document, unless it holds a list under one of these keys.
    pub(crate) fn document(&mut self, lists: &[Box<str>]) -> Result<Walked, Fault> {
        if lists.is_empty() || self.cursor.peek()? != b'{' {
            return self.value().map(|()| Walked::Past);
        }
        let start = self.cursor.at;
        self.cursor.at += 1;
        if !self.cursor.accept(b'}')? && self.members(ROOT, lists)? == Walked::List {
            return Ok(Walked::List);
        }
        self.note(ROOT, start);
        Ok(Walked::Past)
    }

    fn at(&mut self, node: usize) -> Result<(), Fault> {
        let byte = self.cursor.peek()?;
        let start = self.cursor.at;
        let known = &self.tree.nodes[node];
        if byte == b'{' && !known.keys.is_empty() {
            self.cursor.at += 1;
            if !self.cursor.accept(b'}')? {
                self.members(node, &[])?;
            }
        } else if byte == b'[' && known.has_elements() {
            self.cursor.at += 1;
            self.elements(node)?;
        } else {
            self.cursor.skip()?;
        }
        self.note(node, start);
        Ok(())
    }

    #[inline]
    fn note(&mut self, node: usize, start: usize) {
        if let Some(path) = self.tree.nodes[node].path {
            self.spans.add(path, ((start - self.base) as u32, (self.cursor.at - self.base) as u32));
        }
    }

    fn members(&mut self, node: usize, lists: &[Box<str>]) -> Result<Walked, Fault> {
        let tree = self.tree;
        loop {
            let key = self.cursor.expect_key()?;
            if lists.iter().any(|list| list.as_bytes() == key.as_ref()) && self.cursor.peek()? == b'[' {
                self.cursor.at += 1;
                return Ok(Walked::List);
            }
            match tree.nodes[node].child(&key) {
                Some(child) => self.at(child)?,
                None => self.cursor.skip()?,
            }
            if !self.cursor.expect_more(b'}')? {
                return Ok(Walked::Past);
            }
        }
    }

    fn elements(&mut self, node: usize) -> Result<(), Fault> {
        if self.cursor.accept(b']')? {
            return Ok(());
        }
        let tree = self.tree;
        let known = &tree.nodes[node];
        for number in 0.. {
            let start = self.cursor.clone();
            let own = known.numbered.iter().find(|(n, _)| *n == number).map(|(_, child)| *child);
            match (known.each, own) {
                (None, None) => self.cursor.skip()?,
                (Some(child), None) | (None, Some(child)) => self.at(child)?,
                (Some(each), Some(own)) => {
                    self.at(each)?;
                    self.cursor = start;
                    self.at(own)?;
                }
            }
            if !self.cursor.expect_more(b']')? {
                break;
            }
        }
        Ok(())
    }
}
