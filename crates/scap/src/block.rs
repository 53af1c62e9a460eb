//! Numbers of the blocks, today's and those from before the first release.

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Section,
    Machine,
    /// Version of the list.
    Processes(u8),
    Files(u8),
    Interfaces(u8),
    Users(u8),
    Event(EventBlock),
    Unknown,
}

/// How an event is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventBlock {
    /// 26-byte header with a parameter count.
    pub counted: bool,
    /// Dump flags precede the event.
    pub flagged: bool,
}

impl EventBlock {
    /// Bytes before the event: type, length, CPU, dump flags.
    #[inline]
    pub(crate) fn head(self) -> usize {
        if self.flagged { 14 } else { 10 }
    }
}

pub(crate) const SECTION: u32 = 0x0A0D_0D0A;
pub(crate) const MAGIC: u32 = 0x1A2B_3C4D;
pub(crate) const MACHINE: u32 = 0x201;
pub(crate) const PROCESSES: u32 = 0x215;
pub(crate) const FILES: u32 = 0x218;
pub(crate) const INTERFACES: u32 = 0x219;
pub(crate) const USERS: u32 = 0x220;
pub(crate) const EVENT: u32 = 0x216;
pub(crate) const EVENT_FLAGGED: u32 = 0x217;
pub(crate) const EVENT_LARGE: u32 = 0x221;
pub(crate) const EVENT_FLAGGED_LARGE: u32 = 0x222;

/// Whether events in blocks of this number may be longer than 64 KiB.
pub(crate) fn is_large(kind: u32) -> bool {
    matches!(kind, EVENT_LARGE | EVENT_FLAGGED_LARGE)
}

/// Meaning of a block number.
#[inline]
pub(crate) fn block(kind: u32) -> Block {
    let event = |counted, flagged| Block::Event(EventBlock { counted, flagged });
    match kind {
        EVENT | EVENT_LARGE => event(true, false),
        EVENT_FLAGGED | EVENT_FLAGGED_LARGE => event(true, true),
        0x204 | 0x8010_ABCD => event(false, false),
        0x208 => event(false, true),
        SECTION => Block::Section,
        MACHINE | 0x8002_ABCD => Block::Machine,
        0x202 | 0x8000_ABCD => Block::Processes(1),
        0x207 | 0x8013_ABCD => Block::Processes(2),
        0x209 | 0x8014_ABCD => Block::Processes(3),
        0x210 => Block::Processes(4),
        0x211 => Block::Processes(5),
        0x212 => Block::Processes(6),
        0x213 => Block::Processes(7),
        0x214 => Block::Processes(8),
        PROCESSES => Block::Processes(9),
        0x203 | 0x8001_ABCD => Block::Files(1),
        FILES => Block::Files(2),
        0x205 | 0x8011_ABCD => Block::Interfaces(1),
        INTERFACES => Block::Interfaces(2),
        0x206 | 0x8012_ABCD => Block::Users(1),
        USERS => Block::Users(2),
        _ => Block::Unknown,
    }
}
