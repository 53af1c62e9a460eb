//! What to collect: which calls, under which tests, with how much of their data.

use std::collections::BTreeMap;

use crate::calls::{CALLS, Call, STATE};
use crate::numbers::{self, COUNT, NONE, Numbers};
use crate::recipe::{RECIPE_SIZE, Step, Test, path, recipe};

/// Commands of fcntl that change descriptors: F_DUPFD, F_SETFD, F_DUPFD_CLOEXEC.
const FCNTL_STATE: Test = Test::OneOf(1, 1 << 0 | 1 << 2, 1030);
/// PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER.
const PRCTL_STATE: Test = Test::OneOf(0, 1 << 36 | 1 << 37, u16::MAX);

/// What the kernel side is to send. Births, execs and deaths always come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Calls by name, each with tests that must all hold; none when it is wanted whatever it does.
    pub calls: BTreeMap<String, Vec<Test>>,
    /// Bytes of buffers to keep (`evt.buffer`).
    pub data: u32,
    /// Whether events carry the path that the kernel resolved.
    pub paths: bool,
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

    /// `struct plan` of the kernel side.
    pub(crate) fn bytes(&self, numbers: &Numbers) -> Vec<u8> {
        let mut wanted = [0u8; COUNT];
        let mut recipes = vec![0u8; COUNT * RECIPE_SIZE];
        for (number, call) in numbers.all() {
            if let Some(tests) = self.calls.get(call.name) {
                let at = usize::from(number);
                wanted[at] = 1;
                recipes[at * RECIPE_SIZE..(at + 1) * RECIPE_SIZE].copy_from_slice(&self.recipe(call, tests));
            }
        }
        let (compat, socketcall) = (numbers::compat(), numbers::socketcall());
        mark_compat(&mut wanted, &compat, &socketcall);
        let mut out = Vec::with_capacity(1616 + recipes.len());
        [1, self.data, 0, 0].iter().for_each(|n: &u32| out.extend_from_slice(&n.to_ne_bytes()));
        out.extend_from_slice(&wanted);
        compat.iter().chain(&socketcall).for_each(|n| out.extend_from_slice(&n.to_ne_bytes()));
        out.extend_from_slice(&recipes);
        out
    }

    fn recipe(&self, call: &Call, tests: &[Test]) -> [u8; RECIPE_SIZE] {
        let extra: Option<Step> = call.path.filter(|_| self.paths).map(path);
        let steps: Vec<Step> = call.steps.iter().copied().chain(extra).collect();
        let tests: Vec<Test> = call.tests.iter().chain(tests).copied().collect();
        recipe(call.class as u8, &steps, &tests)
    }
}

/// Tests of a call that only the state needs.
fn state_tests(name: &str) -> Vec<Test> {
    match name {
        "fcntl" => vec![Test::Succeeded, FCNTL_STATE],
        "prctl" => vec![Test::Succeeded, PRCTL_STATE],
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
        if *new != NONE && is_wanted(*new) {
            wanted[old] = 1;
        }
    }
    if socketcall.iter().any(|number| is_wanted(*number)) {
        wanted[usize::from(numbers::COMPAT_SOCKETCALL)] = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_laid_out_as_the_kernel_side_reads_it() {
        let plan = Plan { calls: BTreeMap::from([("chdir".to_owned(), Vec::new())]), data: 80, paths: false };
        let bytes = plan.bytes(&Numbers::native());
        assert_eq!(bytes.len(), 1616 + COUNT * RECIPE_SIZE);
        assert_eq!(bytes[..8], [1, 0, 0, 0, 80, 0, 0, 0]);
        let chdir = numbers::number("chdir");
        assert_eq!(bytes[16 + usize::from(chdir)], 1);
        assert_eq!(bytes[1616 + usize::from(chdir) * RECIPE_SIZE], 1);
    }

    #[test]
    fn the_state_is_kept_true_whatever_the_rules_ask() {
        let plan = Plan::of(&[]);
        assert!(STATE.iter().all(|name| plan.calls.contains_key(*name)));
        assert!(!plan.calls.contains_key("read"));
    }
}
