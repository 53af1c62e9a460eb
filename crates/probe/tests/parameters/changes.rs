//! Plans that follow one another while calls are made.

use eyas_probe::Plan;

use crate::files::sys;
use crate::stage::{Notes, Stage, c};

pub(crate) const CASES: &[crate::Case] =
    &[("a change of the plan neither hides nor doubles a call that both plans want", changes)];

const CHANGES: usize = 6;
/// Calls that are made at most between two changes, so that the ring holds all of them.
const EACH: i64 = 2000;

/// A plan that wants calls whatever they do.
fn wanting(calls: &[&str]) -> Plan {
    let mut plan = Plan::of(&[]);
    calls.iter().for_each(|call| drop(plan.calls.insert((*call).to_owned(), Vec::new())));
    plan
}

/// Makes calls until no more plans come; gives how many there were.
fn act(notes: &Notes, name: &std::ffi::CStr) -> i64 {
    let (mut made, mut plan, mut since) = (0, 0, 0);
    while plan >= 0 {
        let now = notes.get(Notes::COUNT - 1);
        if now != plan {
            (plan, since) = (now, 0);
        }
        if since < EACH {
            sys!(SYS_mkdirat(libc::AT_FDCWD, name.as_ptr(), 0o700));
            (made, since) = (made + 1, since + 1);
        }
    }
    made
}

fn changes(stage: &mut Stage) {
    let name = c("/proc/absent");
    let one = wanting(&["mkdirat", "unlinkat", "symlinkat"]);
    let other = wanting(&["mkdirat", "renameat2"]);
    let plans: Vec<Plan> = [one, other].into_iter().cycle().take(CHANGES).collect();
    let seen = stage.run_through(&plans, |notes| notes.put(0, act(notes, &name)));
    assert!(seen.notes.get(0) > 0);
    assert_eq!(seen.all("mkdirat").len() as i64, seen.notes.get(0));
}
