//! Block types of a capture, with the numbers used before the first public release.

/// Start of a section.
pub(crate) const SECTION: u32 = 0x0A0D_0D0A;
/// Magic of a section header.
pub(crate) const MAGIC: u32 = 0x1A2B_3C4D;
pub(crate) const MACHINE: u32 = 0x201;
pub(crate) const PROCESSES_V9: u32 = 0x215;
pub(crate) const FILES_V2: u32 = 0x218;
pub(crate) const INTERFACES_V2: u32 = 0x219;
pub(crate) const USERS_V2: u32 = 0x220;
pub(crate) const EVENT_V2: u32 = 0x216;
pub(crate) const EVENT_FLAGS_V2: u32 = 0x217;
pub(crate) const EVENT_LARGE: u32 = 0x221;
pub(crate) const EVENT_FLAGS_LARGE: u32 = 0x222;

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Section,
    Machine,
    /// Process list and its version.
    Processes(u8),
    /// Descriptor list and its version.
    Files(u8),
    Interfaces(u8),
    Users(u8),
    /// `flags`: a dump-flags word precedes the event; `counted`: the header carries `nparams`.
    Event {
        flags: bool,
        counted: bool,
    },
    Unknown,
}

/// Kind of a block type.
pub(crate) fn kind(block: u32) -> Kind {
    match block {
        SECTION => Kind::Section,
        MACHINE | 0x8002_ABCD => Kind::Machine,
        0x202 | 0x8000_ABCD => Kind::Processes(1),
        0x207 | 0x8013_ABCD => Kind::Processes(2),
        0x209 | 0x8014_ABCD => Kind::Processes(3),
        0x210..=0x215 => Kind::Processes((block - 0x210) as u8 + 4),
        0x203 | 0x8001_ABCD => Kind::Files(1),
        FILES_V2 => Kind::Files(2),
        0x205 | 0x8011_ABCD => Kind::Interfaces(1),
        INTERFACES_V2 => Kind::Interfaces(2),
        0x206 | 0x8012_ABCD => Kind::Users(1),
        USERS_V2 => Kind::Users(2),
        0x204 | 0x8010_ABCD => Kind::Event { flags: false, counted: false },
        0x208 => Kind::Event { flags: true, counted: false },
        EVENT_V2 | EVENT_LARGE => Kind::Event { flags: false, counted: true },
        EVENT_FLAGS_V2 | EVENT_FLAGS_LARGE => Kind::Event { flags: true, counted: true },
        _ => Kind::Unknown,
    }
}
