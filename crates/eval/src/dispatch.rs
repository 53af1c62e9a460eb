//! Which rules a record can match at all: most conditions want one field to be one of a few texts, so one look-up of
//! that field replaces asking each rule.

use eyas_field::{Cx, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::graph::{Graph, NodeId, Shape};
use crate::operand::Operand;

/// A set of rules of a plan, by their place in it.
type Bits = Box<[u64]>;
type Wanted = FxHashMap<Box<[u8]>, Bits>;
/// Texts of a slot, of which a condition wants one.
type Wish = (usize, Vec<Box<[u8]>>);

/// Rules by the texts they want.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// Rules that want no text.
    always: Bits,
    /// For each slot, the rules that want a text of it.
    slots: Vec<(usize, Wanted)>,
}

impl Dispatch {
    /// Sorts conditions by what they want.
    pub(crate) fn new(graph: &Graph, conditions: &[NodeId]) -> Dispatch {
        let words = conditions.len().div_ceil(64);
        let mut dispatch = Dispatch { always: vec![0; words].into(), slots: Vec::new() };
        let wishes: Vec<Vec<Wish>> = conditions.iter().map(|id| wishes(graph, *id)).collect();
        let spread = spread(&wishes);
        for (place, wishes) in wishes.into_iter().enumerate() {
            let best =
                wishes.into_iter().max_by_key(|(slot, texts)| (spread[slot], usize::MAX - texts.len()));
            match best {
                None => set(&mut dispatch.always, place),
                Some((slot, texts)) => dispatch.add(slot, texts, place, words),
            }
        }
        dispatch
    }

    fn add(&mut self, slot: usize, texts: Vec<Box<[u8]>>, place: usize, words: usize) {
        let at = self.slots.iter().position(|(known, _)| *known == slot).unwrap_or_else(|| {
            self.slots.push((slot, Wanted::default()));
            self.slots.len() - 1
        });
        for text in texts {
            set(self.slots[at].1.entry(text).or_insert_with(|| vec![0; words].into()), place);
        }
    }

    /// The rules that can hold on a record.
    #[inline]
    pub(crate) fn candidates(&self, cx: &Cx<'_>, out: &mut Vec<u64>) {
        out.clear();
        out.extend_from_slice(&self.always);
        let Some(record) = cx.record else { return };
        for (slot, rules) in &self.slots {
            if let Some(Value::Text(text)) = record.value(*slot)
                && let Some(bits) = rules.get(text.as_ref())
            {
                out.iter_mut().zip(bits).for_each(|(have, more)| *have |= more);
            }
        }
    }
}

fn set(bits: &mut Bits, place: usize) {
    bits[place / 64] |= 1 << (place % 64);
}

/// How many different texts the conditions want of each slot.
fn spread(wishes: &[Vec<Wish>]) -> FxHashMap<usize, usize> {
    let mut texts: FxHashMap<usize, FxHashSet<&[u8]>> = FxHashMap::default();
    for (slot, wanted) in wishes.iter().flatten() {
        texts.entry(*slot).or_default().extend(wanted.iter().map(AsRef::as_ref));
    }
    texts.into_iter().map(|(slot, texts)| (slot, texts.len())).collect()
}

/// What a condition cannot do without.
fn wishes(graph: &Graph, id: NodeId) -> Vec<Wish> {
    match &graph.nodes[id as usize].shape {
        Shape::And(members) => members.iter().filter_map(|member| wish(graph, *member)).collect(),
        _ => wish(graph, id).into_iter().collect(),
    }
}

fn wish(graph: &Graph, id: NodeId) -> Option<Wish> {
    match &graph.nodes[id as usize].shape {
        Shape::Test(number) => {
            let predicate = &graph.predicates[*number as usize];
            let Operand::Slot { slot, list: false } = &predicate.left else { return None };
            Some((*slot, predicate.test.texts()?.into_iter().map(Into::into).collect()))
        }
        Shape::Or(members) => {
            let mut all = members.iter().map(|member| wish(graph, *member));
            let (slot, mut texts) = all.next()??;
            for other in all {
                let (same, more) = other?;
                if same != slot {
                    return None;
                }
                texts.extend(more);
            }
            Some((slot, texts))
        }
        _ => None,
    }
}
