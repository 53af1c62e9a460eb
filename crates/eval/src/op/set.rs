//! `in` and `intersects`: sets of constants.

use std::net::IpAddr;

use eyas_field::Value;
use rustc_hash::FxHashSet;

use crate::constant::{Constant, Net};

/// Constants to be found in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    texts: FxHashSet<Box<[u8]>>,
    lengths: u64,
    numbers: FxHashSet<i128>,
    ips: FxHashSet<IpAddr>,
    nets: Vec<Net>,
    others: Vec<Constant>,
}

/// Bit for a length; those over 62 share one.
fn bit(len: usize) -> u64 {
    1 << len.min(63)
}

impl Set {
    pub(crate) fn new(members: Vec<Constant>) -> Set {
        let mut set = Set::default();
        for member in members {
            match member {
                Constant::Text(text) => {
                    set.lengths |= bit(text.len());
                    set.texts.insert(text);
                }
                Constant::Int(n) => {
                    set.numbers.insert(n);
                }
                Constant::Ip(ip) => {
                    set.ips.insert(ip);
                }
                Constant::Net(net) => set.nets.push(net),
                other => set.others.push(other),
            }
        }
        set
    }

    /// The members, when all are texts.
    pub(crate) fn texts(&self) -> Option<&FxHashSet<Box<[u8]>>> {
        let only = self.numbers.is_empty()
            && self.ips.is_empty()
            && self.nets.is_empty()
            && self.others.is_empty()
            && !self.texts.is_empty();
        only.then_some(&self.texts)
    }

    pub(crate) fn contains(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Text(b) | Value::Bytes(b) => {
                self.lengths & bit(b.len()) != 0 && self.texts.contains(b.as_ref())
            }
            Value::Int(n) => self.numbers.contains(&i128::from(*n)),
            Value::Uint(n) => self.numbers.contains(&i128::from(*n)),
            Value::Ip(ip) => {
                self.ips.contains(ip)
                    || self.nets.iter().any(|net| net.contains(*ip))
                    || self.others.iter().any(|c| c.equals(value))
            }
            other => self.others.iter().any(|c| c.equals(other)),
        }
    }
}
