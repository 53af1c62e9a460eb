//! Compiles the kernel side once, so that whoever installs the package needs no compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compilers to try, newest first.
const COMPILERS: [&str; 5] = ["clang", "clang-19", "clang-16", "clang-15", "clang-14"];
/// Objects: the probe, and nothing, to compare with.
const OBJECTS: [&str; 2] = ["probe", "empty"];

fn main() {
    println!("cargo:rerun-if-changed=bpf");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    for name in OBJECTS {
        let (source, object) = (format!("bpf/{name}.bpf.c"), out.join(format!("{name}.bpf.o")));
        let compiled = COMPILERS.iter().any(|clang| compiles(clang, &source, &object));
        assert!(compiled, "{source} needs clang with the bpf target and the headers of libbpf (libbpf-dev)");
    }
}

fn compiles(clang: &str, source: &str, object: &Path) -> bool {
    let arch = match std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("aarch64") => "arm64",
        _ => "x86",
    };
    let headers = std::env::var("DEP_BPF_INCLUDE").unwrap_or_default();
    let mut command = Command::new(clang);
    command.args(["-target", "bpf", "-O2", "-g", "-Wall", "-c", source, "-o"]).arg(object);
    command.arg(format!("-D__TARGET_ARCH_{arch}"));
    if !headers.is_empty() {
        command.arg(format!("-I{headers}"));
    }
    command.status().is_ok_and(|status| status.success())
}
