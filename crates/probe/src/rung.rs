//! Which programs this kernel can take: hooks that it has, in the form that it has them.

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::ReferencesType as _;
use libbpf_rs::btf::types::{Func, FuncProto, Ptr, Typedef};

/// Which hooks are used: the best that the kernel allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// Ends of the functions that do the calls (`fentry`): a call that is not wanted costs nothing.
    Function,
    /// Tracepoints whose arguments the kernel checks (`tp_btf`): cheap loads, and io_uring is seen.
    Typed,
    /// Tracepoints as they are (`raw_tp`).
    Raw,
}

impl Rung {
    /// From the best down.
    pub const ALL: [Rung; 3] = [Rung::Function, Rung::Typed, Rung::Raw];

    /// The kind of hook, as the kernel calls it.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Function => "fentry",
            Rung::Typed => "tp_btf",
            Rung::Raw => "raw_tp",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Rung> {
        Rung::ALL.into_iter().find(|rung| rung.name() == name)
    }

    /// What is lost with it.
    pub fn lacks(self) -> &'static [&'static str] {
        match self {
            Rung::Function => &[
                BY_NAME,
                "calls that were waiting in the kernel when the hooks came are not seen, nor what a debugger skips",
            ],
            Rung::Typed => &[BY_NAME],
            Rung::Raw => &[
                BY_NAME,
                "operations of io_uring are not seen",
                "every system call that is collected costs a little more",
            ],
        }
    }
}

/// What the hooks of security modules (LSM) would give, and none of these has.
const BY_NAME: &str = "where the names of rename, unlink and other calls by name led is looked up right after the call: \
                       links that were taken away at once, and in containers those of programs that ended at once, are not \
                       followed";

/// Programs of the lower rung have this before their name, and iterators this.
const RAW: &str = "raw_";
const SNAPSHOT: &str = "snapshot_";
/// Programs at functions.
const FUNCTION: &str = "function_";

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

    /// Whether a program at a function has it to hang on; those that serve many functions always have.
    fn takes_function(&self, name: &str) -> bool {
        match name {
            "secure_computing" => self.parameters("__secure_computing") == Some(0),
            "secure_computing_old" => self.parameters("__secure_computing") == Some(1),
            "ia32_sys_call" => self.parameters(name).is_some(),
            _ => true,
        }
    }

    /// Number of parameters of a function; none when the kernel does not have it.
    fn parameters(&self, name: &str) -> Option<usize> {
        let function = self.btf.as_ref()?.type_by_name::<Func<'_>>(name)?;
        Some(FuncProto::try_from(function.referenced_type()).ok()?.iter().count())
    }

    /// Whether a program of the probe belongs to the rung and has something to hang on.
    pub(crate) fn take(&self, program: &str, rung: Rung, iterators: bool) -> bool {
        if program.starts_with(SNAPSHOT) {
            return iterators;
        }
        if let Some(name) = program.strip_prefix(RAW) {
            return rung == Rung::Raw && self.arguments(name).is_some();
        }
        if let Some(function) = program.strip_prefix(FUNCTION) {
            return rung == Rung::Function && self.takes_function(function);
        }
        if rung == Rung::Raw {
            return false;
        }
        match program {
            "sys_exit" => rung == Rung::Typed,
            "io_uring_complete" => self.arguments("io_uring_complete") == Some(3),
            "io_uring_complete_old" => self.arguments("io_uring_complete").is_some_and(|n| n > 3),
            name => self.arguments(name).is_some(),
        }
    }
}
