//! Tests that the kernel side makes before a call is sent: as plans state them, and as `bpf/record.h` lays them out.

use serde::{Deserialize, Serialize};

use eyas_event::table::{Kind, Param};
use eyas_event::{EVENTS, SIGNALS};

use crate::calls::{Call, Origin, Shape, Value};
use crate::encoding::Encoding;
use crate::recipe::RETURNED;

/// Most tests of a call (`TESTS` of `record.h`), and numbers and ports of one test.
pub(crate) const TESTS: usize = 8;
const NUMBERS: usize = 3;
const PORTS: usize = 6;
/// Size of `struct test`.
pub(crate) const TEST_SIZE: usize = 16;
const OR: u8 = 128;
const ADDRESS_IN_MESSAGE: u16 = 8;
const NO_PEER: u16 = 9;

/// A test that must hold for a call to be sent. One that cannot be made of a call counts as held.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// The call succeeded.
    Succeeded,
    /// The call failed.
    Failed,
    /// The result is not zero.
    NotZero,
    /// An argument has any of these bits.
    AnyBit(u8, u64),
    /// An argument has none of these bits.
    NoBit(u8, u64),
    /// An argument is the number of a set bit, or the value beside them.
    OneOf(u8, u64, u16),
    /// The socket in an argument has one of the families whose bits are set; 0 stands for what is no socket.
    Family(u8, u64),
    /// A parameter of the event has one of these values.
    Number(String, Vec<i64>),
    /// A parameter of the event reads as one of these.
    Text(String, Vec<String>),
    /// The names of the flags of a parameter contain one of these.
    Contains(String, Vec<String>),
    /// The socket has one of these ports on either side.
    Ports(Vec<u16>),
    /// The caller's program has one of these names, or had it when it began.
    Named(Vec<String>),
    /// The caller's effective user is one of these.
    User(Vec<u32>),
    /// The caller's effective user is another.
    OtherUser(u32),
    /// The caller may be in a container.
    Contained,
    /// One of these holds.
    Any(Vec<Test>),
}

/// `struct test`.
type Bytes = [u8; TEST_SIZE];

/// What tests speak of: a call, and the names of programs that the kernel side knows, in its order.
pub(crate) struct Terms<'a> {
    pub(crate) call: Option<&'static Call>,
    pub(crate) names: &'a [&'a str],
}

/// The tests of a call, as many as fit.
pub(crate) fn laid_out(tests: &[Test], terms: &Terms<'_>) -> Vec<Bytes> {
    let mut out: Vec<Bytes> = Vec::new();
    for ways in tests.iter().filter_map(|test| terms.ways(test)) {
        if let (Some((last, others)), true) = (ways.split_last(), out.len() + ways.len() <= TESTS) {
            out.extend(others.iter().map(|way| or(*way)));
            out.push(*last);
        }
    }
    out
}

/// Tests that hold when either of two groups of tests does.
pub(crate) fn either(one: &[Test], other: &[Test]) -> Vec<Test> {
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| [a.parts(), b.parts()].concat()));
    let mut all: Vec<Vec<&Test>> = Vec::new();
    for mut ways in pairs.filter(|ways| !(ways.contains(&&Test::Succeeded) && ways.contains(&&Test::Failed)))
    {
        let mut seen: Vec<&Test> = Vec::new();
        ways.retain(|way| {
            !seen.contains(way) && {
                seen.push(way);
                true
            }
        });
        all.push(ways);
    }
    let within = |a: &Vec<&Test>, b: &Vec<&Test>| a.len() < b.len() && a.iter().all(|way| b.contains(way));
    let needed = all.iter().filter(|ways| !all.iter().any(|less| within(less, ways)));
    let mut out: Vec<Test> = Vec::new();
    for ways in needed {
        let test = match ways[..] {
            [way] => way.clone(),
            _ => Test::Any(ways.iter().map(|way| (*way).clone()).collect()),
        };
        if !out.contains(&test) {
            out.push(test);
        }
    }
    out
}

impl Test {
    /// The tests of which one must hold.
    pub(crate) fn parts(&self) -> Vec<&Test> {
        match self {
            Test::Any(ways) => ways.iter().flat_map(Test::parts).collect(),
            one => vec![one],
        }
    }
}

impl Terms<'_> {
    /// The ways in which a test may hold; none when it cannot be made.
    fn ways(&self, test: &Test) -> Option<Vec<Bytes>> {
        Some(match test {
            Test::Succeeded => vec![masked(1, 0, 0, 0)],
            Test::Failed => vec![masked(1, 0, 1, 0)],
            Test::NotZero => vec![masked(1, 0, 2, 0)],
            Test::AnyBit(arg, mask) => vec![masked(2, *arg, 0, *mask)],
            Test::NoBit(arg, mask) => vec![masked(3, *arg, 0, *mask)],
            Test::OneOf(arg, mask, also) => vec![masked(4, *arg, *also, *mask)],
            Test::Family(arg, mask) => vec![masked(5, *arg, 0, *mask)],
            Test::Number(param, values) => self.numbers(param, |_| Some(values.clone()))?,
            Test::Text(param, texts) => self.numbers(param, |param| read(param, texts))?,
            Test::Contains(param, texts) => self.contains(param, texts)?,
            Test::Ports(ports) => self.ports(ports)?,
            Test::Named(names) => vec![numbered(8, 0, 0, &[self.names_mask(names)?])],
            Test::User(users) => {
                users.chunks(NUMBERS).map(|some| numbered(9, 0, some.len() as u16, some)).collect()
            }
            Test::OtherUser(user) => vec![numbered(10, 0, 0, &[*user])],
            Test::Contained => vec![numbered(11, 0, 0, &[])],
            Test::Any(tests) => {
                let ways: Option<Vec<_>> = tests.iter().map(|test| self.ways(test)).collect();
                ways?.concat()
            }
        })
    }

    /// Where a parameter of the event comes from, when that is an argument.
    fn place(&self, name: &str) -> Option<(&'static Param, u8, Option<&'static Encoding>)> {
        let call = self.call?;
        let Shape::Table(origins) = call.shape else { return None };
        let info = &EVENTS[usize::from(call.event)];
        let at = info.param(name)?;
        let (arg, encoding) = match origins.get(at)? {
            Origin::Number(Value::Arg(arg)) | Origin::Unsigned32(arg) => (*arg as u8, None),
            Origin::Number(Value::Ret) => (RETURNED, None),
            Origin::Coded(Value::Arg(arg), encoding) => (*arg as u8, Some(*encoding)),
            _ => return None,
        };
        Some((info.params.get(at)?, arg, encoding))
    }

    fn numbers(&self, param: &str, values: impl FnOnce(&Param) -> Option<Vec<i64>>) -> Option<Vec<Bytes>> {
        let (param, arg, encoding) = self.place(param)?;
        let values = values(param)?;
        let Some(encoding) = encoding else {
            return match param.kind.size() {
                Some(width @ 1..4) => small(arg, width, &values).map(|one| vec![one]),
                _ => Some(among(arg, values.iter().map(|n| *n as u32))),
            };
        };
        let known: Option<Vec<_>> = values.iter().map(|n| encoding.sources(n.cast_unsigned())).collect();
        Some(among(arg, known?.into_iter().flatten().map(|n| n as u32)))
    }

    fn contains(&self, param: &str, texts: &[String]) -> Option<Vec<Bytes>> {
        let (param, arg, encoding) = self.place(param)?;
        let named = |text: &String| {
            let names = param.table?.iter().filter(|(name, _)| name.contains(text.as_str()));
            let bits: Vec<u32> = names.map(|(_, bits)| *bits).collect();
            (text.contains('_') && !bits.is_empty() && !bits.contains(&0)).then_some(bits)
        };
        let flags = matches!(param.kind, Kind::Flags8 | Kind::Flags16 | Kind::Flags32 | Kind::Mode);
        let bits: Option<Vec<_>> = texts.iter().map(named).collect();
        let mask = bits?.concat().into_iter().fold(0, |all, bits| all | u64::from(bits));
        let mask = if let Some(encoding) = encoding { encoding.source_bits(mask)? } else { mask };
        flags.then(|| vec![masked(2, arg, 0, mask)])
    }

    fn ports(&self, ports: &[u16]) -> Option<Vec<Bytes>> {
        let (socket, address) = match self.call?.name {
            "connect" => (0, 1),
            "sendto" | "recvfrom" => (0, 4),
            "sendmsg" | "recvmsg" => (0, ADDRESS_IN_MESSAGE),
            "accept" | "accept4" => (RETURNED, 0),
            "bind" | "listen" => (0, NO_PEER),
            _ => return None,
        };
        Some(ports.chunks(PORTS).map(|some| with_ports(socket, address, some)).collect())
    }

    fn names_mask(&self, names: &[String]) -> Option<u32> {
        let place = |name: &String| self.names.iter().position(|known| known == name);
        names.iter().map(place).try_fold(0, |mask, place| Some(mask | 1 << place?))
    }
}

/// Values of a parameter that read as one of these texts.
fn read(param: &Param, texts: &[String]) -> Option<Vec<i64>> {
    let valued = |names: &[(&str, u32)], text: &String| {
        let found = names.iter().filter(|(name, _)| name == text).map(|(_, value)| i64::from(*value));
        Some(found.collect::<Vec<_>>()).filter(|found| !found.is_empty())
    };
    let of = |text: &String| match param.kind {
        Kind::Enumflags8 | Kind::Enumflags16 | Kind::Enumflags32 => valued(param.table?, text),
        Kind::Sigtype => valued(&SIGNALS, text),
        _ => None,
    };
    texts.iter().map(of).collect::<Option<Vec<_>>>().map(|all| all.concat())
}

/// Numbers of bits where they are small; the others by threes.
fn among(arg: u8, values: impl Iterator<Item = u32>) -> Vec<Bytes> {
    let (small, large): (Vec<u32>, Vec<u32>) = values.partition(|n| *n < 64);
    let mask = small.iter().fold(0u64, |mask, n| mask | 1 << n);
    let bits = (!small.is_empty()).then(|| masked(4, arg, u16::MAX, mask));
    let rest = large.chunks(NUMBERS).map(|some| numbered(6, arg, some.len() as u16, some));
    bits.into_iter().chain(rest).collect()
}

/// Small numbers among those of a parameter that is narrower than its argument.
fn small(arg: u8, width: usize, values: &[i64]) -> Option<Bytes> {
    let bit = |n: &i64| (0..64).contains(n).then(|| 1u64 << n);
    let mask = values.iter().map(bit).try_fold(0, |mask, bit| Some(mask | bit?))?;
    let counts = (1 << (8 * width)) - 1;
    Some(numbered(4, arg, u16::MAX, &[counts, mask as u32, (mask >> 32) as u32]))
}

fn masked(kind: u8, arg: u8, value: u16, mask: u64) -> Bytes {
    numbered(kind, arg, value, &[0, mask as u32, (mask >> 32) as u32])
}

fn numbered(kind: u8, arg: u8, value: u16, words: &[u32]) -> Bytes {
    let mut out = [0; TEST_SIZE];
    out[..2].copy_from_slice(&[kind, arg]);
    out[2..4].copy_from_slice(&value.to_ne_bytes());
    for (place, word) in out[4..].chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    out
}

fn with_ports(socket: u8, address: u16, ports: &[u16]) -> Bytes {
    let mut out = numbered(7, socket, address, &[]);
    for (place, port) in out[4..].chunks_exact_mut(2).zip(ports) {
        place.copy_from_slice(&port.to_ne_bytes());
    }
    out
}

fn or(mut way: Bytes) -> Bytes {
    way[0] |= OR;
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::CALLS;

    fn lay(name: &str, tests: &[Test]) -> Vec<Bytes> {
        let call = CALLS.iter().find(|call| call.name == name);
        laid_out(tests, &Terms { call, names: &["tar", "sshd"] })
    }

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn a_number_is_looked_for_where_the_parameter_comes_from() {
        let signals = lay("tgkill", &[Test::Number("sig".into(), vec![9, 19])]);
        assert_eq!(signals, [numbered(4, 2, u16::MAX, &[255, 1 << 9 | 1 << 19])]);
        let targets = lay("kill", &[Test::Number("pid".into(), vec![-1, 4711, -4711, 4712])]);
        let (one, more) =
            (numbered(6, 0, 3, &[u32::MAX, 4711, 4711u32.wrapping_neg()]), numbered(6, 0, 1, &[4712]));
        assert_eq!(targets, [or(one), more]);
    }

    #[test]
    fn names_of_values_and_flags_are_those_of_the_kernel() {
        let seized =
            lay("ptrace", &[Test::Text("request".into(), texts(&["PTRACE_ATTACH", "PTRACE_SEIZE"]))]);
        assert_eq!(seized, [or(masked(4, 0, u16::MAX, 1 << 16)), numbered(6, 0, 1, &[0x4206])]);
        let spaces = lay("unshare", &[Test::Contains("flags".into(), texts(&["CLONE_NEWUSER"]))]);
        assert_eq!(spaces, [masked(2, 0, 0, 0x1000_0000)]);
        let deadly = lay("kill", &[Test::Text("sig".into(), texts(&["SIGKILL"]))]);
        assert_eq!(deadly, [numbered(4, 1, u16::MAX, &[255, 1 << 9])]);
    }

    #[test]
    fn a_test_that_cannot_be_made_counts_as_held() {
        assert!(lay("kill", &[Test::Number("fd".into(), vec![1])]).is_empty());
        assert!(lay("openat", &[Test::Contains("flags".into(), texts(&["O_CREAT"]))]).is_empty());
        assert!(lay("chmod", &[Test::Ports(vec![22])]).is_empty());
        assert!(lay("kill", &[Test::Named(texts(&["tar", "another"]))]).is_empty());
        let half = Test::Any(vec![Test::Failed, Test::Number("fd".into(), vec![1])]);
        assert!(lay("kill", &[half]).is_empty());
        let many = Test::Number("pid".into(), (64..99).collect());
        assert_eq!(lay("kill", &[many, Test::Failed]), [masked(1, 0, 1, 0)]);
    }

    #[test]
    fn ports_and_names_are_laid_out_as_the_kernel_side_reads_them() {
        assert_eq!(lay("connect", &[Test::Ports(vec![22, 23])])[0][..8], [7, 0, 1, 0, 22, 0, 23, 0]);
        assert_eq!(lay("kill", &[Test::Named(texts(&["sshd"]))]), [numbered(8, 0, 0, &[2])]);
    }

    #[test]
    fn either_of_two_groups_lets_through_what_one_lets_through() {
        let (ok, failed, uid) = (Test::Succeeded, Test::Failed, Test::User(vec![0]));
        let one = |test: &Test| std::slice::from_ref(test).to_vec();
        assert_eq!(either(&one(&ok), &one(&ok)), one(&ok));
        assert!(either(&one(&ok), &one(&failed)).is_empty());
        assert!(either(&one(&ok), &[]).is_empty());
        assert_eq!(either(&[ok.clone(), uid.clone()], &one(&ok)), one(&ok));
        assert_eq!(either(&one(&uid), &one(&ok)), [Test::Any(vec![uid, ok])]);
    }
}
