//! Metadata blocks: the machine, its threads, files, interfaces and users when the capture began.

mod files;
mod processes;

use std::collections::VecDeque;

use eyas_event::{Group, Interface, Machine, Snapshot, User};

use crate::block::Block;
use crate::cursor::Cursor;
use crate::error::ScapError;

pub(crate) use files::common;

/// Records in the order of the file.
pub(crate) type Records = VecDeque<Snapshot>;

/// Longest name of a user or group, and longest path.
const NAME_MAX: usize = 256;
const PATH_MAX: usize = 1024;

/// Takes a metadata block apart.
pub(crate) fn decode(block: Block, body: Cursor<'_>, out: &mut Records) -> Result<(), ScapError> {
    match block {
        Block::Machine => machine(body, out),
        Block::Processes(version) => processes::decode(version, body, out),
        Block::Files(version) => files::decode(version, body, out),
        Block::Interfaces(version) => interfaces(version, body, out),
        Block::Users(version) => users(version, body, out),
        Block::Section | Block::Event(_) | Block::Unknown => Ok(()),
    }
}

fn machine(mut body: Cursor<'_>, out: &mut Records) -> Result<(), ScapError> {
    let (cpus, memory, max_pid) = (body.u32()?, body.u64()?, body.u64()?);
    let padded = body.take(128)?;
    let end = memchr::memchr(0, padded).unwrap_or(padded.len());
    let boot_ts = body.u64()?;
    let hostname = padded[..end].to_vec();
    out.push_back(Snapshot::Machine(Machine { cpus, memory, max_pid, hostname, boot_ts }));
    Ok(())
}

fn interfaces(version: u8, mut body: Cursor<'_>, out: &mut Records) -> Result<(), ScapError> {
    while body.left() >= 4 {
        let mut entry = if version > 1 {
            let len = body.u32()? as usize;
            body.part(len)?
        } else {
            let rest = body.left();
            body.part(rest)?
        };
        out.push_back(Snapshot::Interface(interface(&mut entry)?));
        if version == 1 {
            body = entry;
        }
    }
    Ok(())
}

fn interface(entry: &mut Cursor<'_>) -> Result<Interface, ScapError> {
    let kind = entry.u16()?;
    if !(1..=4).contains(&kind) {
        return Err(entry.fault("unknown type of interface"));
    }
    let name_len = usize::from(entry.u16()?);
    let v6 = kind == 2 || kind == 4;
    let (address, netmask, broadcast) = (entry.ip(v6)?, entry.ip(v6)?, entry.ip(v6)?);
    let linkspeed = if kind <= 2 { entry.u64()? } else { 0 };
    let name = entry.take(name_len)?.to_vec();
    Ok(Interface { name, address, netmask, broadcast, linkspeed })
}

fn users(version: u8, mut body: Cursor<'_>, out: &mut Records) -> Result<(), ScapError> {
    while body.left() >= 4 {
        let mut entry = if version > 1 {
            let len = body.u32()? as usize;
            body.part(len.saturating_sub(4))?
        } else {
            let rest = body.left();
            body.part(rest)?
        };
        out.push_back(user_or_group(&mut entry)?);
        if version == 1 {
            body = entry;
        }
    }
    Ok(())
}

fn user_or_group(entry: &mut Cursor<'_>) -> Result<Snapshot, ScapError> {
    match entry.u8()? {
        0 => Ok(Snapshot::User(User {
            uid: entry.u32()?,
            gid: entry.u32()?,
            name: entry.text(NAME_MAX)?,
            home: entry.text(PATH_MAX)?,
            shell: entry.text(PATH_MAX)?,
        })),
        1 => Ok(Snapshot::Group(Group { gid: entry.u32()?, name: entry.text(NAME_MAX)? })),
        _ => Err(entry.fault("neither a user nor a group")),
    }
}
