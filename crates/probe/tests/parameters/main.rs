//! Makes a system call and checks every parameter of its event. Needs root, BTF and `bpf()`; says so when it cannot run.

#![allow(clippy::expect_used, clippy::panic)]

#[cfg(target_arch = "x86_64")]
mod compat;
mod descriptors;
mod files;
mod kernel;
mod layers;
mod processes;
mod sieve;
mod sockets;
mod stage;
mod uring;

use std::panic::{AssertUnwindSafe, catch_unwind};

use stage::Stage;

/// A named check.
type Case = (&'static str, fn(&mut Stage));

fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for family in [files::CASES, layers::CASES, sieve::CASES, descriptors::CASES, sockets::CASES] {
        all.extend_from_slice(family);
    }
    all.extend_from_slice(processes::CASES);
    all.extend_from_slice(kernel::CASES);
    all.extend_from_slice(uring::CASES);
    #[cfg(target_arch = "x86_64")]
    all.extend_from_slice(compat::CASES);
    all
}

fn main() {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    if std::env::args().any(|arg| arg == "--list") {
        cases().iter().for_each(|(name, _)| println!("{name}: test"));
        return;
    }
    let mut stage = match Stage::open() {
        Ok(stage) => stage,
        Err(why) => {
            eprintln!("skipped: the probe cannot run here: {why}");
            return;
        }
    };
    let mut failed = Vec::new();
    let mut done = 0;
    for (name, case) in cases() {
        if wanted.as_ref().is_some_and(|w| !name.contains(w.as_str())) {
            continue;
        }
        done += 1;
        if catch_unwind(AssertUnwindSafe(|| case(&mut stage))).is_err() {
            failed.push(name);
        }
    }
    let lost: u64 = stage.lost();
    println!("{} parameter tests, {} failed, {lost} events lost", done, failed.len());
    failed.iter().for_each(|name| println!("failed: {name}"));
    std::process::exit(i32::from(!failed.is_empty()));
}
