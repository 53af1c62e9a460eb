//! What to collect: which calls, under which tests, with how much of their data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use eyas_event::EVENTS;

use crate::ProbeError;
use crate::calls::{CALLS, CONNECTIONS, Call, Class, NOT_READING, STATE, Wanted};
use crate::named::named;
use crate::numbers::{self, COUNT, NONE, Numbers};
use crate::recipe::{Makes, RECIPE_SIZE, Step, base, path, recipe};
use crate::test::{Terms, Test, either, laid_out};

/// Commands of fcntl that change descriptors: F_DUPFD, F_SETFD, F_DUPFD_CLOEXEC.
const FCNTL_STATE: Test = Test::OneOf(1, 1 << 0 | 1 << 2, 1030);
/// PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER.
const PRCTL_STATE: Test = Test::OneOf(0, 1 << 36 | 1 << 37, u16::MAX);

/// The limit that the state keeps.
const RLIMIT_NOFILE: u64 = 1 << 7;

/// What a sieve can have, and names of programs: bits of a word (`NAMES` of `record.h`).
const PARTS: usize = 32;
const NAMES: usize = 32;
/// Size of `struct plan` before its recipes.
const HEAD: usize = 1752;
/// Bytes of a path that count at either end (`PART` of `record.h`).
const PART: usize = 8;

/// Which opens for reading may matter; the others, and their closes, are not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sieve {
    /// Beginnings of paths; the first eight bytes count.
    pub prefixes: Vec<String>,
    /// Ends of paths; the last eight bytes count.
    pub suffixes: Vec<String>,
    /// Ends of the names that files have in their own folders, with the slash before; the last eight bytes count.
    pub found: Vec<String>,
    /// Names of programs whose every open matters.
    pub names: Vec<String>,
    /// Whether failed opens of other paths matter.
    pub failures: bool,
}

/// What the kernel side is to send. Births, execs and deaths always come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// Calls by name, each with tests that must all hold; none when it is wanted whatever it does.
    pub calls: BTreeMap<String, Vec<Test>>,
    /// Bytes of buffers to keep (`evt.buffer`).
    pub data: u32,
    /// Whether events carry the path that the kernel resolved.
    pub paths: bool,
    /// Which opens for reading matter; without it all do.
    pub sieve: Option<Sieve>,
    /// Whether the state may go without connections that no rule asks for.
    pub brief: bool,
}

impl Plan {
    /// A plan for event types; none asks for what the state needs only.
    pub fn of(events: &[u16]) -> Plan {
        let mut plan = Plan { paths: true, ..Plan::default() };
        for call in CALLS {
            if events.contains(&call.event) {
                plan.calls.insert(call.name.to_owned(), Vec::new());
            } else if STATE.contains(&call.name) {
                plan.calls.insert(call.name.to_owned(), state_tests(call.name));
            }
        }
        plan
    }

    /// Reads a plan as `eyas rules explain --collect --json` writes it, with names of calls or of their events; what
    /// the state needs is added.
    ///
    /// # Errors
    /// Says where the text is not a plan, or which call is unknown.
    pub fn parse(json: &str) -> Result<Plan, ProbeError> {
        let mut plan: Plan = serde_json::from_str(json).map_err(|e| ProbeError::Plan(e.to_string()))?;
        let mut calls = BTreeMap::new();
        for (name, tests) in std::mem::take(&mut plan.calls) {
            let known = |call: &&Call| call.name == name || EVENTS[usize::from(call.event)].name == name;
            let before = calls.len();
            if numbers::is_generic(&name) {
                calls.insert(name.clone(), tests.clone());
            }
            calls.extend(CALLS.iter().filter(known).map(|call| (call.name.to_owned(), tests.clone())));
            // Some events are of other machines or of no call at all: nothing here makes them.
            if calls.len() == before && !EVENTS.iter().any(|info| info.name == name) {
                return Err(ProbeError::Plan(format!("no system call is called '{name}'")));
            }
        }
        plan.calls = calls;
        for name in STATE.iter().filter(|name| !(plan.brief && CONNECTIONS.contains(name))) {
            let needed = state_tests(name);
            let tests = plan.calls.get(*name).map_or(needed.clone(), |asked| either(asked, &needed));
            plan.calls.insert((*name).to_owned(), tests);
        }
        Ok(plan)
    }

    /// Numbers of the calls of 64-bit callers that are wanted.
    pub(crate) fn wanted(&self, numbers: &Numbers) -> BTreeSet<u16> {
        let called = numbers.all().map(|(number, call)| (number, call.name)).chain(numbers.generics());
        called.filter(|(_, name)| self.calls.contains_key(*name)).map(|(number, _)| number).collect()
    }

    /// Names of programs that the sieve and tests speak of, as many as the kernel side can know.
    fn names(&self) -> Vec<&str> {
        let sieve = self.sieve.iter().flat_map(|sieve| &sieve.names);
        let tests =
            self.parts().filter_map(|test| if let Test::Named(names) = test { Some(names) } else { None });
        let mut all: Vec<&str> = Vec::new();
        for name in sieve.chain(tests.flatten()) {
            if !all.contains(&name.as_str()) && all.len() < NAMES {
                all.push(name);
            }
        }
        all
    }

    fn parts(&self) -> impl Iterator<Item = &Test> {
        self.calls.values().flatten().flat_map(Test::parts)
    }

    /// `struct plan` of the kernel side.
    pub(crate) fn bytes(&self, numbers: &Numbers) -> Vec<u8> {
        let names = self.names();
        let mut wanted = [0u8; COUNT];
        let mut recipes = vec![0u8; COUNT * RECIPE_SIZE];
        for (number, call) in numbers.all() {
            if let Some(tests) = self.calls.get(call.name) {
                let at = usize::from(number);
                let sieved = call.sieved().filter(|_| self.sieve.is_some());
                wanted[at] = sieved.unwrap_or(Wanted::Sent) as u8;
                recipes[at * RECIPE_SIZE..(at + 1) * RECIPE_SIZE]
                    .copy_from_slice(&self.recipe(call, tests, &names));
            }
        }
        for (number, name) in numbers.generics() {
            if let Some(tests) = self.calls.get(name) {
                let at = usize::from(number);
                wanted[at] = Wanted::Sent as u8;
                let tests = laid_out(tests, &Terms { call: None, names: &names });
                let bytes = recipe(Class::Other as u8, Makes::Nothing, &[], &tests);
                recipes[at * RECIPE_SIZE..(at + 1) * RECIPE_SIZE].copy_from_slice(&bytes);
            }
        }
        let (compat, socketcall) = (numbers::compat(), numbers::socketcall());
        mark_compat(&mut wanted, &compat, &socketcall);
        let mut out = Vec::with_capacity(HEAD + recipes.len());
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        let places = self.parts().any(|test| *test == Test::Contained);
        let head = [1, self.data, generation, names.len() as u32, places.into(), 0];
        head.iter().for_each(|n: &u32| out.extend_from_slice(&n.to_ne_bytes()));
        out.extend_from_slice(&wanted);
        compat
            .iter()
            .chain(&socketcall)
            .chain(&numbers::ring())
            .for_each(|n| out.extend_from_slice(&n.to_ne_bytes()));
        out.extend_from_slice(&recipes);
        (0..NAMES).for_each(|at| out.extend_from_slice(&comm(names.get(at).unwrap_or(&""))));
        out.extend_from_slice(&self.sieve.as_ref().map(|sieve| sieve.bytes(&names)).unwrap_or_default());
        out
    }

    fn recipe(&self, call: &'static Call, tests: &[Test], names: &[&str]) -> [u8; RECIPE_SIZE] {
        let wants_path = self.paths || call.class != Class::Open;
        let looked_up = named(call.name).filter(|_| self.paths).map(|named| base(named.dir));
        let extra: Option<Step> = call.path.filter(|_| wants_path).map(path).or(looked_up);
        let steps: Vec<Step> = call.steps.iter().copied().chain(extra).collect();
        let tests: Vec<Test> = call.tests.iter().chain(tests).cloned().collect();
        let tests = laid_out(&tests, &Terms { call: Some(call), names });
        recipe(call.class as u8, call.makes(), &steps, &tests)
    }
}

impl Sieve {
    /// `struct sieve`; one that does not fit lets everything through.
    fn bytes(&self, names: &[&str]) -> Vec<u8> {
        let parts = [&self.prefixes, &self.suffixes, &self.found];
        let fits = parts.iter().all(|parts| parts.len() <= PARTS) && self.names.len() <= NAMES;
        let own = |(_, name): &(usize, &&str)| self.names.iter().any(|own| own == *name);
        let named = names.iter().enumerate().filter(own).fold(0u32, |mask, (at, _)| mask | 1 << at);
        let finds = !self.found.is_empty();
        let numbers = [u32::from(fits), named, self.failures.into(), NOT_READING, finds.into(), 0];
        let mut out: Vec<u8> = numbers.iter().flat_map(|n| n.to_ne_bytes()).collect();
        let begins = self.prefixes.iter().map(|text| text.bytes().take(PART).collect());
        out.extend(table(begins).flat_map(u32::to_ne_bytes));
        for parts in [&self.suffixes, &self.found] {
            let ends = parts.iter().map(|text| text.bytes().rev().take(PART).collect());
            out.extend(table(ends).flat_map(u32::to_ne_bytes));
        }
        out
    }
}

/// A name as the kernel keeps it.
fn comm(name: &str) -> [u8; 16] {
    let mut comm = [0; 16];
    let len = name.len().min(15);
    comm[..len].copy_from_slice(&name.as_bytes()[..len]);
    comm
}

/// For each place and byte, a bit for each part that may have the byte there or is shorter.
fn table(parts: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = u32> {
    let parts: Vec<Vec<u8>> = parts.take(PARTS).collect();
    (0..PART * 256).map(move |at| {
        let fits = |part: &Vec<u8>| part.get(at / 256).is_none_or(|byte| usize::from(*byte) == at % 256);
        parts.iter().enumerate().filter(|(_, part)| fits(part)).fold(0, |bits, (n, _)| bits | 1 << n)
    })
}

/// Counts plans, so that what was remembered under an old one is known to be old.
static GENERATION: AtomicU32 = AtomicU32::new(1);

/// Tests of a call that only the state needs.
fn state_tests(name: &str) -> Vec<Test> {
    match name {
        "fcntl" => vec![Test::Succeeded, FCNTL_STATE],
        "prctl" => vec![Test::Succeeded, PRCTL_STATE],
        "setrlimit" => vec![Test::Succeeded, Test::OneOf(0, RLIMIT_NOFILE, u16::MAX)],
        "prlimit64" => vec![Test::Succeeded, Test::OneOf(1, RLIMIT_NOFILE, u16::MAX)],
        // A connection in progress has a negative result.
        "connect" => Vec::new(),
        _ => vec![Test::Succeeded],
    }
}

/// The kernel side looks at `wanted` before it knows who calls: a number is marked when either meaning is wanted.
fn mark_compat(wanted: &mut [u8; COUNT], compat: &[u16], socketcall: &[u16]) {
    let native = *wanted;
    let is_wanted = |number: u16| native.get(usize::from(number)).is_some_and(|w| *w != 0);
    for (old, new) in compat.iter().enumerate() {
        if *new != NONE && is_wanted(*new) && wanted[old] == Wanted::Not as u8 {
            wanted[old] = Wanted::Sent as u8;
        }
    }
    if socketcall.iter().any(|number| is_wanted(*number)) {
        let number = usize::from(numbers::COMPAT_SOCKETCALL);
        wanted[number] = wanted[number].max(Wanted::Sent as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_laid_out_as_the_kernel_side_reads_it() {
        let plan =
            Plan { calls: BTreeMap::from([("chdir".to_owned(), Vec::new())]), data: 80, ..Plan::default() };
        let bytes = plan.bytes(&Numbers::native());
        assert_eq!(bytes.len(), HEAD + COUNT * RECIPE_SIZE + 16 * NAMES);
        assert_eq!(bytes[..8], [1, 0, 0, 0, 80, 0, 0, 0]);
        let chdir = numbers::number("chdir");
        assert_eq!(bytes[24 + usize::from(chdir)], 1);
        assert_eq!(bytes[HEAD + usize::from(chdir) * RECIPE_SIZE], 1);
    }

    #[test]
    fn an_event_that_no_call_here_makes_is_left_out_and_an_unknown_name_refused() {
        let parsed = |name: &str| Plan::parse(&format!(r#"{{"calls": {{"{name}": []}}}}"#));
        assert!(parsed("fstat64").is_ok_and(|plan| !plan.calls.contains_key("fstat64")));
        assert!(parsed("drop").is_ok());
        assert!(parsed("opan").is_err());
    }

    #[test]
    fn a_sieve_is_laid_out_as_the_kernel_side_reads_it() {
        let sieve = Sieve {
            prefixes: vec!["/etc/shadow".into(), "/a".into()],
            suffixes: vec![".key".into()],
            found: vec!["/ab".into()],
            names: vec!["tar".into()],
            failures: true,
        };
        let bytes = sieve.bytes(&["sshd", "tar"]);
        assert_eq!(bytes.len(), 24 + 4 * 3 * PART * 256);
        assert_eq!(bytes[16..20], [1, 0, 0, 0]);
        assert_eq!(bytes[..12], [1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
        let bits = |table: usize, place: usize, byte: u8| {
            bytes[24 + 4 * ((table * PART + place) * 256 + usize::from(byte))]
        };
        assert_eq!([bits(0, 1, b'e'), bits(0, 1, b'a'), bits(0, 1, b'x')], [0b01, 0b10, 0]);
        assert_eq!([bits(0, 7, b'a'), bits(0, 7, b'x')], [0b11, 0b10]);
        assert_eq!([bits(1, 0, b'y'), bits(1, 3, b'.'), bits(1, 3, b'y'), bits(1, 4, b'x')], [1, 1, 0, 1]);
        assert_eq!([bits(2, 0, b'b'), bits(2, 2, b'/'), bits(2, 2, b'x'), bits(2, 3, b'x')], [1, 1, 0, 1]);
        assert_eq!(comm("tar")[..4], *b"tar\0");
    }

    #[test]
    fn a_plan_is_read_with_its_faults() {
        let plan = Plan::parse(r#"{"calls": {"read": [{"any_bit": [2, 3]}, "succeeded"]}, "data": 80}"#);
        let plan = plan.unwrap_or_default();
        assert_eq!(plan.calls["read"], [Test::AnyBit(2, 3), Test::Succeeded]);
        assert!(plan.calls.contains_key("close"));
        assert!(Plan::parse(r#"{"calls": {"reed": []}}"#).is_err_and(|e| e.to_string().contains("reed")));
        assert!(Plan::parse("{").is_err());
    }

    #[test]
    fn what_the_state_needs_of_a_call_is_sent_whatever_a_rule_asks_of_it() {
        let parsed = |json: &str| Plan::parse(json).unwrap_or_default().calls;
        let calls =
            parsed(r#"{"calls": {"setuid": [{"user": [0]}, "succeeded"], "connect": [{"ports": [22]}]}}"#);
        assert_eq!((&calls["setuid"], calls["connect"].len()), (&vec![Test::Succeeded], 0));
        let calls = parsed(r#"{"calls": {"connect": [{"ports": [22]}]}, "brief": true}"#);
        assert_eq!(calls["connect"], [Test::Ports(vec![22])]);
        assert!(!calls.contains_key("accept") && calls.contains_key("socket"));
    }

    #[test]
    fn the_state_is_kept_true_whatever_the_rules_ask() {
        let plan = Plan::of(&[]);
        assert!(STATE.iter().all(|name| plan.calls.contains_key(*name)));
        assert!(!plan.calls.contains_key("read"));
    }
}
