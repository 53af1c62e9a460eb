//! Conditions as a graph in which everything that is the same stands once.

use std::collections::{BTreeMap, HashMap};

use eyas_field::Scope;
use serde_json::Value as Json;

use crate::ir::{EvalError, MAX_DEPTH, Place};
use crate::names::Names;
use crate::operand::join;
use crate::predicate::{Predicate, predicate};
use crate::special;

/// Number of a node.
pub(crate) type NodeId = u32;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    Const(bool),
    /// Number of a predicate.
    Test(u32),
    Not(NodeId),
    And(Box<[NodeId]>),
    Or(Box<[NodeId]>),
}

/// A node with what is known about it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) shape: Shape,
    pub(crate) scope: Scope,
    pub(crate) cost: u32,
}

/// All nodes and predicates.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) names: Names,
    by_shape: HashMap<Shape, NodeId>,
    by_text: HashMap<String, u32>,
    texts: Vec<String>,
    lefts: HashMap<String, u32>,
}

impl Graph {
    /// An empty graph whose conditions use these names.
    pub(crate) fn over(names: Names) -> Graph {
        Graph { names, ..Graph::default() }
    }

    /// Reads a condition.
    pub(crate) fn read(&mut self, place: &Place<'_>) -> Result<NodeId, EvalError> {
        if place.depth() > MAX_DEPTH {
            return place.refuse("nested too deep");
        }
        if let Some(list) = place.get("and") {
            place.object(&["and"])?;
            let members = items(self, &list)?;
            return Ok(self.group(true, members));
        }
        if let Some(list) = place.get("or") {
            place.object(&["or"])?;
            let members = items(self, &list)?;
            return Ok(self.group(false, members));
        }
        if let Some(inner) = place.get("not") {
            place.object(&["not"])?;
            let inner = self.read(&inner)?;
            return Ok(self.negation(inner));
        }
        if let Some(value) = place.get("const") {
            place.object(&["const"])?;
            return Ok(self.constant(value.flag()?));
        }
        let text = place.value.to_string();
        let number = match self.by_text.get(&text) {
            Some(number) => *number,
            None => {
                let mut predicate = predicate(place, &mut self.names)?;
                predicate.number = self.left(&place.value["left"]);
                self.predicates.push(predicate);
                let number = (self.predicates.len() - 1) as u32;
                self.texts.push(text.clone());
                self.by_text.insert(text, number);
                number
            }
        };
        Ok(self.test(number))
    }

    /// Number of a left side.
    fn left(&mut self, ir: &Json) -> u32 {
        let next = self.lefts.len() as u32;
        *self.lefts.entry(ir.to_string()).or_insert(next)
    }

    /// How many left sides there are.
    pub(crate) fn left_sides(&self) -> usize {
        self.lefts.len()
    }

    /// Members of nested `and`s.
    pub(crate) fn conjuncts(&self, id: NodeId, out: &mut Vec<NodeId>) {
        match &self.nodes[id as usize].shape {
            Shape::And(members) => members.iter().for_each(|m| self.conjuncts(*m, out)),
            _ => out.push(id),
        }
    }

    /// The IR of a predicate.
    pub(crate) fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    fn add(&mut self, shape: Shape, scope: Scope, cost: u32) -> NodeId {
        if let Some(id) = self.by_shape.get(&shape) {
            return *id;
        }
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node { shape: shape.clone(), scope, cost });
        self.by_shape.insert(shape, id);
        id
    }

    pub(crate) fn constant(&mut self, value: bool) -> NodeId {
        self.add(Shape::Const(value), Scope::Process, 0)
    }

    fn test(&mut self, number: u32) -> NodeId {
        let predicate = &self.predicates[number as usize];
        let (scope, cost) = (predicate.scope(), predicate.cost());
        self.add(Shape::Test(number), scope, cost)
    }

    pub(crate) fn negation(&mut self, inner: NodeId) -> NodeId {
        let node = self.nodes[inner as usize].clone();
        match node.shape {
            Shape::Const(value) => self.constant(!value),
            Shape::Not(inner) => inner,
            _ => self.add(Shape::Not(inner), node.scope, node.cost),
        }
    }

    /// `and` (or `or`) of nodes: flattened, without repeats, decided where a member decides.
    pub(crate) fn group(&mut self, all: bool, items: Vec<NodeId>) -> NodeId {
        let mut flat = Vec::with_capacity(items.len());
        for item in items {
            match &self.nodes[item as usize].shape {
                Shape::Const(value) if *value == all => {}
                Shape::Const(_) => return item,
                Shape::And(inner) if all => flat.extend_from_slice(inner),
                Shape::Or(inner) if !all => flat.extend_from_slice(inner),
                _ => flat.push(item),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        match flat.len() {
            0 => self.constant(all),
            1 => flat[0],
            _ => self.make(all, flat),
        }
    }

    fn make(&mut self, all: bool, members: Vec<NodeId>) -> NodeId {
        let scope = join(members.iter().map(|m| self.nodes[*m as usize].scope)).unwrap_or(Scope::Event);
        let cost = members.iter().map(|m| self.nodes[*m as usize].cost).fold(0, u32::saturating_add);
        let members = members.into_boxed_slice();
        self.add(if all { Shape::And(members) } else { Shape::Or(members) }, scope, cost)
    }

    /// The condition as it is on events of one type.
    pub(crate) fn on(&mut self, id: NodeId, kind: u16, done: &mut HashMap<NodeId, NodeId>) -> NodeId {
        if let Some(known) = done.get(&id) {
            return *known;
        }
        let found = match self.nodes[id as usize].shape.clone() {
            Shape::Const(_) => id,
            Shape::Test(number) => match special::decided(&self.predicates[number as usize], kind) {
                Some(value) => self.constant(value),
                None => id,
            },
            Shape::Not(inner) => {
                let inner = self.on(inner, kind, done);
                self.negation(inner)
            }
            Shape::And(members) => self.group_on(true, &members, kind, done),
            Shape::Or(members) => self.group_on(false, &members, kind, done),
        };
        done.insert(id, found);
        found
    }

    fn group_on(
        &mut self,
        all: bool,
        members: &[NodeId],
        kind: u16,
        done: &mut HashMap<NodeId, NodeId>,
    ) -> NodeId {
        let members = members.iter().map(|m| self.on(*m, kind, done)).collect();
        self.group(all, members)
    }

    /// Puts members that are remembered equally long together, cheapest first.
    pub(crate) fn arrange(&mut self, id: NodeId, done: &mut HashMap<NodeId, NodeId>) -> NodeId {
        if let Some(known) = done.get(&id) {
            return *known;
        }
        let (all, members) = match self.nodes[id as usize].shape.clone() {
            Shape::Const(_) | Shape::Test(_) => return id,
            Shape::Not(inner) => {
                let inner = self.arrange(inner, done);
                let found = self.negation(inner);
                done.insert(id, found);
                return found;
            }
            Shape::And(members) => (true, members),
            Shape::Or(members) => (false, members),
        };
        let mut members: Vec<NodeId> = members.iter().map(|m| self.arrange(*m, done)).collect();
        if !all {
            members = self.joined(members);
        }
        let found = if members.len() == 1 { members[0] } else { self.by_scope(all, &members) };
        done.insert(id, found);
        found
    }

    /// Members of an `or` in which the words that one value is searched for stand together.
    fn joined(&mut self, members: Vec<NodeId>) -> Vec<NodeId> {
        let mut by_left: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut rest = Vec::new();
        for member in members {
            match self.nodes[member as usize].shape {
                Shape::Test(number) if self.predicates[number as usize].is_word() => {
                    by_left.entry(self.predicates[number as usize].number).or_default().push(number);
                }
                _ => rest.push(member),
            }
        }
        for numbers in by_left.into_values() {
            let number = if numbers.len() == 1 { numbers[0] } else { self.words(&numbers) };
            rest.push(self.test(number));
        }
        rest
    }

    fn words(&mut self, numbers: &[u32]) -> u32 {
        let texts: Vec<&str> = numbers.iter().map(|n| self.text(*n)).collect();
        let text = format!("any of [{}]", texts.join(", "));
        if let Some(number) = self.by_text.get(&text) {
            return *number;
        }
        let all: Vec<Predicate> = numbers.iter().map(|n| self.predicates[*n as usize].clone()).collect();
        self.predicates.push(all[0].any_word(all.iter()));
        let number = (self.predicates.len() - 1) as u32;
        self.texts.push(text.clone());
        self.by_text.insert(text, number);
        number
    }

    fn by_scope(&mut self, all: bool, members: &[NodeId]) -> NodeId {
        let mut parts = Vec::new();
        for scope in [Scope::Process, Scope::Lineage, Scope::Name, Scope::File] {
            let mut same = self.of_scope(members, scope);
            match same.len() {
                0 => {}
                1 => parts.push(same[0]),
                _ if same.len() == members.len() => {
                    same.sort_by_key(|m| self.nodes[*m as usize].cost);
                    return self.make(all, same);
                }
                _ => {
                    same.sort_by_key(|m| self.nodes[*m as usize].cost);
                    parts.push(self.make(all, same));
                }
            }
        }
        let mut rest = self.of_scope(members, Scope::Event);
        rest.sort_by_key(|m| self.nodes[*m as usize].cost);
        parts.extend(rest);
        if parts.len() == 1 { parts[0] } else { self.make(all, parts) }
    }

    fn of_scope(&self, members: &[NodeId], scope: Scope) -> Vec<NodeId> {
        members.iter().copied().filter(|m| self.nodes[*m as usize].scope == scope).collect()
    }

    /// A condition in three: what depends on the process alone, on the name of the file alone, and the rest.
    pub(crate) fn parts(&mut self, id: NodeId) -> [NodeId; 3] {
        let members = match &self.nodes[id as usize].shape {
            Shape::And(members) => members.to_vec(),
            _ => vec![id],
        };
        let mut parts = [const { Vec::new() }; 3];
        for member in members {
            let part = match self.nodes[member as usize].scope {
                Scope::Process | Scope::Lineage => 0,
                Scope::Name => 1,
                Scope::File | Scope::Event => 2,
            };
            parts[part].push(member);
        }
        parts.map(|part| match part.len() {
            0 => self.constant(true),
            1 => part[0],
            _ => self.make(true, part),
        })
    }
}

fn items(graph: &mut Graph, place: &Place<'_>) -> Result<Vec<NodeId>, EvalError> {
    (0..place.array()?.len()).map(|n| graph.read(&place.item(n))).collect()
}
