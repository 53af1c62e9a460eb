//! Which programs this kernel can take: hooks that it has, in the form that it has them.

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::ReferencesType as _;
use libbpf_rs::btf::types::{FuncProto, Ptr, Typedef};

/// Tracepoints of this kernel, by its own description.
pub(crate) struct Tracepoints {
    btf: Option<Btf<'static>>,
}

impl Tracepoints {
    pub(crate) fn of_this_kernel() -> Tracepoints {
        Tracepoints { btf: Btf::from_vmlinux().ok() }
    }

    /// Number of arguments of a tracepoint; none when the kernel does not have it.
    fn arguments(&self, name: &str) -> Option<usize> {
        let hook = self.btf.as_ref()?.type_by_name::<Typedef<'_>>(&format!("btf_trace_{name}"))?;
        let pointer = Ptr::try_from(hook.referenced_type()).ok()?;
        let function = FuncProto::try_from(pointer.referenced_type()).ok()?;
        // The first one is the tracepoint's own.
        Some(function.iter().count().saturating_sub(1))
    }

    /// Whether a program of the probe has something to hang on.
    pub(crate) fn take(&self, program: &str) -> bool {
        match program {
            "io_uring_complete" => self.arguments("io_uring_complete") == Some(3),
            "io_uring_complete_old" => self.arguments("io_uring_complete").is_some_and(|n| n > 3),
            name => self.arguments(name).is_some(),
        }
    }
}
