//! Tests for whole texts, put together by what they ask of: one look-up of a value answers all of them.

use eyas_field::Value;
use rustc_hash::FxHashMap;

use crate::operand::bytes;
use crate::predicate::Predicate;

/// Fewest tests of one left side that are worth a look-up.
const WORTH: usize = 4;

/// The texts that tests of one left side ask for.
#[derive(Debug, Default)]
struct Texts {
    rows: FxHashMap<Box<[u8]>, u32>,
    /// Which tests hold, a row for each text; none of them in row 0.
    bits: Vec<u64>,
    /// Words of a row.
    width: usize,
}

/// Tests for whole texts, by the number of their left side.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    by_left: Vec<Texts>,
}

impl Whole {
    /// Puts tests together and tells each its place.
    pub(crate) fn new(predicates: &mut [Predicate], left_sides: usize) -> Whole {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); left_sides];
        for (n, predicate) in predicates.iter().enumerate() {
            if predicate.texts().is_some() {
                members[predicate.number as usize].push(n);
            }
        }
        let by_left = members.into_iter().map(|of| Texts::new(predicates, &of)).collect();
        Whole { by_left }
    }

    /// The row of a value of a left side; none when it is no text.
    #[inline]
    pub(crate) fn row(&self, left: u32, value: &Value<'_>) -> Option<u32> {
        let texts = &self.by_left[left as usize];
        bytes(value).map(|text| texts.rows.get(text).copied().unwrap_or(0))
    }

    /// Whether the test at a place holds for the value of a row.
    #[inline]
    pub(crate) fn holds(&self, left: u32, row: u32, place: u32) -> bool {
        let texts = &self.by_left[left as usize];
        let word = texts.bits[row as usize * texts.width + place as usize / 64];
        word >> (place % 64) & 1 != 0
    }
}

impl Texts {
    fn new(predicates: &mut [Predicate], members: &[usize]) -> Texts {
        if members.len() < WORTH {
            return Texts::default();
        }
        let width = members.len().div_ceil(64);
        let mut texts = Texts { bits: vec![0; width], width, ..Texts::default() };
        for (place, n) in members.iter().enumerate() {
            predicates[*n].place = Some(place as u32);
            for text in predicates[*n].texts().unwrap_or_default() {
                texts.add(text, place);
            }
        }
        texts
    }

    fn add(&mut self, text: &[u8], place: usize) {
        let next = (self.bits.len() / self.width) as u32;
        let row = *self.rows.entry(text.into()).or_insert(next);
        if row == next {
            self.bits.resize(self.bits.len() + self.width, 0);
        }
        self.bits[row as usize * self.width + place / 64] |= 1 << (place % 64);
    }
}
