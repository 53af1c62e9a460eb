//! Makes a system call and checks every parameter of its event. Needs root, BTF and `bpf()`; says so when it cannot run.

#![allow(clippy::expect_used, clippy::panic)]

mod changes;
mod clock;
#[cfg(target_arch = "x86_64")]
mod compat;
mod descriptors;
mod fairness;
mod files;
#[cfg(target_arch = "x86_64")]
mod functions;
mod kernel;
mod layers;
mod named;
mod processes;
mod races;
mod sieve;
mod snapshot;
mod sockets;
mod stage;
mod uring;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use eyas_probe::Rung;

use stage::Stage;

/// A named check.
type Case = (&'static str, fn(&mut Stage));

fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for family in
        [files::CASES, named::CASES, layers::CASES, sieve::CASES, descriptors::CASES, sockets::CASES]
    {
        all.extend_from_slice(family);
    }
    all.extend_from_slice(processes::CASES);
    all.extend_from_slice(kernel::CASES);
    all.extend_from_slice(races::CASES);
    all.extend_from_slice(uring::CASES);
    all.extend_from_slice(snapshot::CASES);
    all.extend_from_slice(changes::CASES);
    all.extend_from_slice(fairness::CASES);
    all.extend_from_slice(clock::CASES);
    #[cfg(target_arch = "x86_64")]
    for family in [functions::CASES, compat::CASES] {
        all.extend_from_slice(family);
    }
    all
}

fn main() {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    if std::env::args().any(|arg| arg == fairness::FLOOD_ARGUMENT) {
        fairness::open_for_ever();
    }
    if std::env::args().any(|arg| arg == "--list") {
        cases().iter().for_each(|(name, _)| println!("{name}: test"));
        return;
    }
    let mut told = Vec::new();
    let failed: usize = Rung::ALL.iter().map(|rung| run(*rung, wanted.as_deref(), &mut told)).sum();
    std::process::exit(i32::from(failed + differing(&told) > 0));
}

/// What was told of each check.
type Told = BTreeMap<&'static str, Vec<String>>;

/// How many checks were not told alike on both upper rungs.
fn differing(told: &[(Rung, Told)]) -> usize {
    let [(Rung::Function, one), (Rung::Typed, other), ..] = told else { return 0 };
    // What depends on when the reader comes is told differently each time.
    let timed = |name: &str| fairness::CASES.iter().chain(changes::CASES).any(|(timed, _)| *timed == name);
    let differ = one.iter().filter(|(name, events)| !timed(name) && other.get(*name) != Some(events));
    let names: Vec<&str> = differ.map(|(name, _)| *name).collect();
    for name in &names {
        println!("told differently: {name}\n  {:?}\n  {:?}", one[name], other.get(name));
    }
    println!(
        "{} checks compared between {} and {}, {} differ",
        one.len(),
        Rung::Function.name(),
        Rung::Typed.name(),
        names.len()
    );
    names.len()
}

/// Runs the checks on one rung of hooks; gives how many failed.
fn run(rung: Rung, wanted: Option<&str>, all: &mut Vec<(Rung, Told)>) -> usize {
    let mut stage = match Stage::open(rung) {
        Ok(stage) => stage,
        Err(why) => {
            eprintln!("skipped on {}: {why}", rung.name());
            return 0;
        }
    };
    let (mut failed, mut told) = (Vec::new(), Told::new());
    let chosen = cases().into_iter().filter(|(name, _)| wanted.is_none_or(|w| name.contains(w)));
    // The lower rung sees nothing of io_uring, and does not remember the names of children.
    let beyond =
        |name: &str| rung == Rung::Raw && (name.contains("by io_uring") || name.contains("by name is sent"));
    let chosen: Vec<Case> = chosen.filter(|(name, _)| !beyond(name)).collect();
    for (name, case) in &chosen {
        if catch_unwind(AssertUnwindSafe(|| case(&mut stage))).is_err() {
            failed.push(*name);
        }
        told.insert(name, stage.told());
    }
    println!(
        "{}: {} parameter tests, {} failed, {} lost",
        rung.name(),
        chosen.len(),
        failed.len(),
        stage.lost()
    );
    all.push((rung, told));
    failed.iter().for_each(|name| println!("failed on {}: {name}", rung.name()));
    failed.len()
}
