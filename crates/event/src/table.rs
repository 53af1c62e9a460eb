//! Types of the event table: what an event is called, which parameters it has and how each is written.

pub use crate::generated::kinds::{Category, Dynamic, Kind};

/// Names of the values of one flag or enumeration parameter, in the order they are printed.
pub type Names = [(&'static str, u32)];

/// Properties of an event type; the constants are named as in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// Whether any bit of `other` is set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

/// How an integer parameter is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Not a number.
    Na,
    /// Decimal.
    Dec,
    /// Upper-case hexadecimal without prefix.
    Hex,
    /// Octal without leading zero.
    Oct,
}

/// One parameter of an event.
#[derive(Debug)]
pub struct Param {
    /// Name, as in `evt.arg.NAME`.
    pub name: &'static str,
    /// Encoding.
    pub kind: Kind,
    /// Number base.
    pub format: Format,
    /// Flag or enumeration names.
    pub table: Option<&'static Names>,
    /// Set of types of a `dyn` parameter.
    pub dynamic: Option<Dynamic>,
    /// Parameter that holds the directory descriptor of a relative path.
    pub dirfd: Option<usize>,
}

/// One event type.
#[derive(Debug)]
pub struct Info {
    /// Event id: even for enter and one-shot events, odd for exit events.
    pub id: u16,
    /// Name, as in `evt.type`.
    pub name: &'static str,
    /// Category, as in `evt.category`.
    pub category: Category,
    /// Source bits: 512 syscall, 1024 tracepoint, 2048 plugin, 4096 meta event, 8192 iterator.
    pub sources: u32,
    /// Properties.
    pub flags: Flags,
    /// Parameter that holds the file descriptor.
    pub fd_param: Option<usize>,
    /// System-call codes that produce this event.
    pub codes: &'static [u16],
    /// Parameters in order.
    pub params: &'static [Param],
}

impl Info {
    /// Whether this is an exit event.
    pub const fn is_exit(&self) -> bool {
        self.id & 1 == 1
    }

    /// Index of the parameter called `name`.
    pub fn param(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|p| p.name == name)
    }
}
