//! What an event speaks of, by name: enough for fields that no other property of a file touches.

use eyas_event::id;
use eyas_state::FdKind;

use crate::Cx;

/// A file by its name. Two events with equal ones have equal values of every field of scope `Name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Named<'a> {
    /// How it is known: opened, opened as a directory, or asked for in vain by an event of this type.
    pub tag: u16,
    /// Its path.
    pub name: &'a [u8],
    /// Its path as passed.
    pub raw: &'a [u8],
}

const OPENED: u16 = u16::MAX;
const DIRECTORY: u16 = u16::MAX - 1;

impl<'a> Cx<'a> {
    /// The file of the event, or the absolute path that it failed to open; none for what is no file.
    #[inline]
    pub fn named(&self) -> Option<Named<'a>> {
        let Some(fd) = self.fd() else { return self.missed() };
        let tag = match fd.kind {
            FdKind::Regular => OPENED,
            FdKind::Directory => DIRECTORY,
            _ => return None,
        };
        Some(Named { tag, name: &fd.name, raw: &fd.raw_name })
    }

    fn missed(&self) -> Option<Named<'a>> {
        let tag = self.event.kind;
        if !matches!(tag, id::SYSCALL_OPENAT_2_X | id::SYSCALL_OPENAT2_X) || self.seen.fd_num.is_none() {
            return None;
        }
        let name = self.event.text(2).filter(|path| path.starts_with(b"/"))?;
        Some(Named { tag, name, raw: b"" })
    }
}
