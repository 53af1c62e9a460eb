//! Lists of open files, versions 1 and 2.

use std::borrow::Cow;

use eyas_event::{File, FileKind, Snapshot};

use super::Records;
use crate::cursor::Cursor;
use crate::error::ScapError;

const NAME_MAX: usize = 1024;
/// Descriptor, inode and type.
const ENTRY_MIN: usize = 17;
/// Highest type this format knows.
const LAST_KIND: u8 = 21;
/// Type under which unknown ones are kept.
const UNSUPPORTED: u8 = 10;
/// Highest type that every reader knows; those of before 2023 refuse a file with another.
const COMMON: u8 = 16;
/// Begins the name of a file whose type is kept beside it.
const NEWER: &[u8] = b"newer-type:";

pub(super) fn decode(version: u8, mut body: Cursor<'_>, out: &mut Records) -> Result<(), ScapError> {
    let tid = body.i64()?;
    while body.left() >= ENTRY_MIN {
        let file = if version > 1 {
            let len = body.u32()? as usize;
            let mut entry = body.part(len.saturating_sub(4))?;
            file(tid, true, &mut entry)?
        } else {
            file(tid, false, &mut body)?
        };
        out.push_back(Snapshot::File(file));
    }
    Ok(())
}

fn file(tid: i64, sized: bool, entry: &mut Cursor<'_>) -> Result<File, ScapError> {
    let (fd, ino, code) = (entry.i64()?, entry.u64()?, entry.u8()?);
    Ok(File { tid, fd, ino, kind: kind(code, sized, entry)? })
}

fn kind(code: u8, sized: bool, entry: &mut Cursor<'_>) -> Result<FileKind, ScapError> {
    Ok(match code {
        0 => FileKind::Named { code, name: Vec::new() },
        1 => FileKind::Regular { flags: 0, name: entry.text(NAME_MAX)?, dev: 0, mount_id: 0 },
        3 | 4 => {
            let (source, dest) = (entry.ip(code == 4)?, entry.ip(code == 4)?);
            FileKind::Connection { source, dest, sport: entry.u16()?, dport: entry.u16()?, l4: entry.u8()? }
        }
        5 | 6 => FileKind::Listener { ip: entry.ip(code == 6)?, port: entry.u16()?, l4: entry.u8()? },
        8 => FileKind::Unix { source: entry.u64()?, dest: entry.u64()?, name: entry.text(NAME_MAX)? },
        16 => {
            let (flags, name) = (entry.u32()?, entry.text(NAME_MAX)?);
            let dev = if sized && entry.left() >= 4 { entry.u32()? } else { 0 };
            FileKind::Regular { flags, name, dev, mount_id: 0 }
        }
        UNSUPPORTED => newer(entry.text(NAME_MAX)?),
        2..=LAST_KIND => FileKind::Named { code, name: entry.text(NAME_MAX)? },
        _ if sized => {
            FileKind::Named { code: UNSUPPORTED, name: format!("unknown-type:[{code}]").into_bytes() }
        }
        _ => return Err(entry.fault("unknown type of open file")),
    })
}

/// Type and name under which every reader takes a file; `newer` undoes it.
pub(crate) fn common(code: u8, name: &[u8]) -> (u8, Cow<'_, [u8]>) {
    if code <= COMMON {
        return (code, name.into());
    }
    (UNSUPPORTED, [NEWER, &[b'@' + code], b":", name].concat().into())
}

fn newer(name: Vec<u8>) -> FileKind {
    match name.strip_prefix(NEWER) {
        Some([code @ b'A'..=b'~', b':', rest @ ..]) => {
            FileKind::Named { code: code - b'@', name: rest.to_vec() }
        }
        _ => FileKind::Named { code: UNSUPPORTED, name },
    }
}
