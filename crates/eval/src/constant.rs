//! Constants of the IR.

use std::net::IpAddr;

use eyas_field::Value;

use crate::ir::{EvalError, Place};

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Text(Box<[u8]>),
    Int(i128),
    Double(f64),
    Bool(bool),
    Ip(IpAddr),
    Net(Net),
    /// A host name; its addresses are not known here.
    Host(Box<str>),
}

/// An address and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Net {
    address: IpAddr,
    prefix: u8,
}

impl Net {
    fn parse(text: &str) -> Option<Net> {
        let (address, prefix) = text.split_once('/')?;
        let net = Net { address: address.parse().ok()?, prefix: prefix.parse().ok()? };
        (net.prefix <= if net.address.is_ipv4() { 32 } else { 128 }).then_some(net)
    }

    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                (net.to_bits() ^ ip.to_bits()).checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                (net.to_bits() ^ ip.to_bits()).checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|p| u8::from_str_radix(std::str::from_utf8(p).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect()
}

/// Reads a constant: an object with one key that names its type.
pub(crate) fn constant(place: &Place<'_>) -> Result<Constant, EvalError> {
    let map = place.object(&["text", "bytes", "int", "uint", "double", "bool", "ip", "net", "host"])?;
    let Some((kind, value)) = map.iter().next().filter(|_| map.len() == 1) else {
        return place.refuse("a constant has exactly one type");
    };
    let text = value.as_str();
    let found = match kind.as_str() {
        "text" => text.map(|t| Constant::Text(t.as_bytes().into())),
        "bytes" => text.and_then(unhex).map(|b| Constant::Text(b.into())),
        "int" => value.as_i64().map(|n| Constant::Int(n.into())),
        "uint" => value.as_u64().map(|n| Constant::Int(n.into())),
        "double" => value.as_f64().map(Constant::Double),
        "bool" => value.as_bool().map(Constant::Bool),
        "ip" => text.and_then(|t| t.parse().ok()).map(Constant::Ip),
        "net" => text.and_then(Net::parse).map(Constant::Net),
        _ => text.map(|t| Constant::Host(t.into())),
    };
    match found {
        Some(constant) => Ok(constant),
        None => place.refuse(format!("{value} is not of type {kind}")),
    }
}

impl Constant {
    /// Whether a value equals the constant.
    pub(crate) fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Constant::Text(a), Value::Text(b) | Value::Bytes(b)) => a.as_ref() == b.as_ref(),
            (Constant::Bool(a), Value::Bool(b)) => a == b,
            (Constant::Ip(a), Value::Ip(b)) => a == b,
            (Constant::Net(a), Value::Ip(b)) => a.contains(*b),
            (Constant::Host(a), Value::Ip(b)) => a.parse() == Ok(*b),
            _ => self.order(value).is_some_and(std::cmp::Ordering::is_eq),
        }
    }

    /// How a value stands to the constant.
    pub(crate) fn order(&self, value: &Value<'_>) -> Option<std::cmp::Ordering> {
        match (value, self) {
            (Value::Text(a) | Value::Bytes(a), Constant::Text(b)) => Some(a.as_ref().cmp(b.as_ref())),
            (Value::Int(a), Constant::Int(b)) => Some(i128::from(*a).cmp(b)),
            (Value::Uint(a), Constant::Int(b)) => Some(i128::from(*a).cmp(b)),
            (Value::Double(a), Constant::Double(b)) => a.partial_cmp(b),
            (Value::Double(a), Constant::Int(b)) => a.partial_cmp(&(*b as f64)),
            (Value::Int(a), Constant::Double(b)) => (*a as f64).partial_cmp(b),
            (Value::Uint(a), Constant::Double(b)) => (*a as f64).partial_cmp(b),
            _ => None,
        }
    }

    /// The constant as a value.
    pub(crate) fn value(&self) -> Value<'static> {
        match self {
            Constant::Text(bytes) => Value::Text(bytes.to_vec().into()),
            Constant::Int(n) => i64::try_from(*n).map_or_else(|_| Value::Uint(*n as u64), Value::Int),
            Constant::Double(x) => Value::Double(*x),
            Constant::Bool(b) => Value::Bool(*b),
            Constant::Ip(ip) => Value::Ip(*ip),
            Constant::Net(net) => Value::Ip(net.address),
            Constant::Host(name) => Value::Text(name.as_bytes().to_vec().into()),
        }
    }
}
