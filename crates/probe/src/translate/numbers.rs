//! Parameters that are computed from more than one place.

use eyas_event::table::Info;

use crate::calls::Origin;
use crate::generated as code;
use crate::record::{Record, u32_at, u64_at};

const SECOND: u64 = 1_000_000_000;
const MS_MGC_VAL: u64 = 0xC0ED_0000;
const MS_MGC_MSK: u64 = 0xFFFF_0000;
const S_IFMT: u64 = 0o170_000;
const FUTEX_COMMAND: u64 = 127;
const SOL_SOCKET: u64 = 1;
const SO_ERROR: u64 = 4;
const SO_TIMEOUTS: [u64; 4] = [20, 21, 66, 67];
const SO_COOKIE: u64 = 57;
const PR_SET_NAME: u64 = 15;
const PR_GET_NAME: u64 = 16;
const PR_GET_CHILD_SUBREAPER: u64 = 37;
const PTRACE_PEEKS: [u64; 3] = [1, 2, 3];
/// Requests whose data is a signal: PTRACE_CONT, KILL, SINGLESTEP, DETACH, SYSCALL.
const PTRACE_SIGNALS: [u64; 5] = [7, 8, 9, 17, 24];

/// Bytes of a computed parameter; `None` when it is not available.
pub(crate) fn special(origin: Origin, record: &Record<'_>, _info: &Info) -> Option<Vec<u8>> {
    let arg = |i: usize| record.args[i];
    let blob = |n: usize| record.blob(n);
    match origin {
        Origin::QueueShare(n) => {
            let (len, most) = (u32_at(blob(n), 0)?, u32_at(blob(n), 4)?);
            Some(vec![(u64::from(len) * 100).checked_div(most.into()).unwrap_or(0).min(100) as u8])
        }
        Origin::Limit(n, which) => limit(blob(n), which, record.compat),
        Origin::Duration(n) => duration(blob(n), record.compat),
        Origin::NodeMode(i) => {
            let kind = code::MKNOD_MODE.apply(arg(i) & S_IFMT);
            Some(word(kind | arg(i) & 0o7777))
        }
        Origin::Moved => Some(word(record.ret.max(0).cast_unsigned())),
        Origin::MessageSize(n) => {
            u32_at(blob(n), if record.compat { 28 } else { 56 }).map(|b| word(b.into()))
        }
        Origin::MountFlags(i) => {
            let magic = arg(i) & MS_MGC_MSK == MS_MGC_VAL;
            Some(word(if magic { arg(i) & !MS_MGC_MSK } else { arg(i) }))
        }
        Origin::QuotaCommand(i) => Some(half(code::QUOTACTL_CMD.apply((arg(i) as u32 >> 8).into()))),
        Origin::QuotaKind(i) => Some(vec![code::QUOTACTL_TYPE.apply(arg(i) & 0xff) as u8]),
        Origin::Unsigned32(i) => Some(u64::from(arg(i) as u32).to_le_bytes().to_vec()),
        Origin::OptionName => {
            let known = arg(1) == SOL_SOCKET;
            Some(vec![if known { code::SOCKOPT_OPTNAME.apply(arg(2)) as u8 } else { 0 }])
        }
        Origin::FutexOperation => {
            let command = code::FUTEX_OP.apply(arg(1) & FUTEX_COMMAND);
            Some(half(command | arg(1) & 0x180))
        }
        Origin::Polled(n) => Some(polled(blob(n))),
        Origin::Option(n) => Some(option(arg(1), arg(2), blob(n))),
        Origin::Dynamic(i) => Some(indexed(0, &arg(i).to_le_bytes())),
        Origin::PtraceData(n) => Some(ptrace_data(record, blob(n))),
        Origin::PrctlNumber(n) => Some(prctl_number(record, blob(n)).to_le_bytes().to_vec()),
        _ => None,
    }
}

fn word(n: u64) -> Vec<u8> {
    n.to_le_bytes()[..4].to_vec()
}

fn half(n: u64) -> Vec<u8> {
    n.to_le_bytes()[..2].to_vec()
}

/// A value of a type that its leading byte tells.
fn indexed(index: u8, value: &[u8]) -> Vec<u8> {
    [&[index], value].concat()
}

fn limit(b: &[u8], which: usize, compat: bool) -> Option<Vec<u8>> {
    let n = if compat {
        u32_at(b, 4 * which).map(|n| if n == u32::MAX { u64::MAX } else { n.into() })?
    } else {
        u64_at(b, 8 * which)?
    };
    Some(n.to_le_bytes().to_vec())
}

fn duration(b: &[u8], compat: bool) -> Option<Vec<u8>> {
    let (seconds, ns) =
        if compat { (u32_at(b, 0)?.into(), u32_at(b, 4)?.into()) } else { (u64_at(b, 0)?, u64_at(b, 8)?) };
    Some(seconds.wrapping_mul(SECOND).wrapping_add(ns).to_le_bytes().to_vec())
}

/// Descriptors of `struct pollfd`, each with the events that came.
fn polled(list: &[u8]) -> Vec<u8> {
    let mut out = ((list.len() / 8) as u16).to_le_bytes().to_vec();
    for one in list.chunks_exact(8) {
        let came = u16::from_le_bytes([one[6], one[7]]);
        out.extend_from_slice(&i64::from(u32_at(one, 0).unwrap_or(0) as i32).to_le_bytes());
        out.extend_from_slice(&half(code::POLL_EVENTS.apply(came.into())));
    }
    out
}

/// Options of the socket level have types; all others are bytes.
fn option(level: u64, name: u64, value: &[u8]) -> Vec<u8> {
    if level != SOL_SOCKET {
        return indexed(0, value);
    }
    match (name, value.len()) {
        (SO_ERROR, 4..) => {
            let errno = u32_at(value, 0).unwrap_or(0) as i32;
            indexed(1, &(-i64::from(errno)).to_le_bytes())
        }
        (SO_COOKIE, 8..) => indexed(3, &value[..8]),
        (name, 16..) if SO_TIMEOUTS.contains(&name) => {
            let (seconds, us) = (u64_at(value, 0).unwrap_or(0), u64_at(value, 8).unwrap_or(0));
            indexed(4, &seconds.wrapping_mul(SECOND).wrapping_add(us.wrapping_mul(1000)).to_le_bytes())
        }
        (_, 4) => indexed(2, value),
        _ => indexed(0, value),
    }
}

fn ptrace_data(record: &Record<'_>, read: &[u8]) -> Vec<u8> {
    let (request, data) = (record.args[0], record.args[3]);
    if PTRACE_SIGNALS.contains(&request) {
        return indexed(1, &[data as u8]);
    }
    let peeked = u64_at(read, 0).filter(|_| PTRACE_PEEKS.contains(&request) && record.ret >= 0);
    indexed(0, &peeked.unwrap_or(data).to_le_bytes())
}

fn prctl_number(record: &Record<'_>, read: &[u8]) -> u64 {
    match record.args[0] {
        PR_SET_NAME | PR_GET_NAME => 0,
        PR_GET_CHILD_SUBREAPER => u32_at(read, 0).unwrap_or(0).into(),
        _ => record.args[1],
    }
}
