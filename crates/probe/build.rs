//! Compiles the kernel side once, so that whoever installs the package needs no compiler.

use std::path::PathBuf;
use std::process::Command;

/// Compilers to try, newest first.
const COMPILERS: [&str; 5] = ["clang", "clang-19", "clang-16", "clang-15", "clang-14"];

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("probe.bpf.o");
    let arch = match std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("aarch64") => "arm64",
        _ => "x86",
    };
    println!("cargo:rerun-if-changed=bpf");
    let headers = std::env::var("DEP_BPF_INCLUDE").unwrap_or_default();
    let compiled = COMPILERS.iter().any(|clang| {
        let mut command = Command::new(clang);
        command.args(["-target", "bpf", "-O2", "-g", "-Wall", "-c", "bpf/probe.bpf.c", "-o"]).arg(&out);
        command.arg(format!("-D__TARGET_ARCH_{arch}"));
        if !headers.is_empty() {
            command.arg(format!("-I{headers}"));
        }
        command.status().is_ok_and(|status| status.success())
    });
    assert!(compiled, "the probe needs clang with the bpf target and the headers of libbpf (libbpf-dev)");
}
