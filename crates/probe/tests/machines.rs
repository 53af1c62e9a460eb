//! The kernel side compiles for every machine that it is written for.

#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::Command;

#[test]
fn the_kernel_side_compiles_for_each_machine() {
    let Some(clang) = ["clang", "clang-19", "clang-16", "clang-14"]
        .into_iter()
        .find(|clang| Command::new(clang).arg("--version").output().is_ok_and(|done| done.status.success()))
    else {
        eprintln!("skipped: clang is not here");
        return;
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("bpf/probe.bpf.c");
    for machine in ["x86", "arm64"] {
        let mut command = Command::new(clang);
        command.args(["-target", "bpf", "-O2", "-g", "-Wall", "-Werror", "-c", "-o", "/dev/null"]);
        command.arg(format!("-D__TARGET_ARCH_{machine}")).arg(&source);
        let done = command.output().expect("clang runs");
        assert!(done.status.success(), "{machine}: {}", String::from_utf8_lossy(&done.stderr));
    }
}
