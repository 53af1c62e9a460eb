//! Records of the kernel side become events of the event table.

pub(crate) mod life;
mod numbers;
mod sockets;

use eyas_event::table::{Info, Kind};
use eyas_event::{EVENTS, id};

use crate::calls::{Call, Class, Origin, Shape, Value};
use crate::named::named;
use crate::numbers::Numbers;
use crate::params::Params;
use crate::record::{KIND_EXEC, KIND_EXIT, KIND_FORK, Record, u16_at, u32_at, u64_at};

/// Bytes of a kernel module that are kept.
const MODULE_HEAD: usize = 80;

/// Turns records into events; knows where system calls stand.
#[derive(Debug)]
pub(crate) struct Translator {
    numbers: Numbers,
}

impl Translator {
    pub(crate) fn new() -> Translator {
        Translator { numbers: Numbers::native() }
    }

    /// Appends the event of a record to `out`, with the boot time added to its clock, and gives its class; `None` when
    /// it makes none.
    pub(crate) fn event(&self, bytes: &[u8], boot: u64, out: &mut Vec<u8>) -> Option<Class> {
        let mut record = Record::read(bytes)?;
        record.ts = record.ts.wrapping_add(boot);
        match record.kind {
            KIND_EXEC => life::exec(&record, out)?,
            KIND_FORK => life::fork(&record, self.numbers.name(record.ret as u16), out)?,
            KIND_EXIT => life::exit(&record, out),
            number => return self.of_call(number, &record, out),
        }
        Some(Class::Life)
    }

    fn of_call(&self, number: u16, record: &Record<'_>, out: &mut Vec<u8>) -> Option<Class> {
        let Some(call) = self.numbers.call(number) else {
            generic(self.numbers.generic(number)?, record, out);
            return Some(Class::Other);
        };
        called(call, record, out)?;
        Some(call.class)
    }
}

/// A call without an event of its own: its code, and its number here.
fn generic(code: u16, record: &Record<'_>, out: &mut Vec<u8>) {
    let mut params = Params::begin(out, record.ts, record.tid, id::GENERIC_X, 2);
    params.number(code.into(), 2);
    params.number(record.kind.into(), 2);
    params.end();
}

fn called(call: &Call, record: &Record<'_>, out: &mut Vec<u8>) -> Option<()> {
    match call.shape {
        Shape::Table(origins) => table(call, origins, record, out),
        Shape::Exec => life::failed_exec(record, call.event, out)?,
        Shape::Clone => life::caller(record, call.event, out)?,
    }
    Some(())
}

/// An event whose parameters each have an origin; the path that the kernel knows stands behind them.
fn table(call: &Call, origins: &[Origin], record: &Record<'_>, out: &mut Vec<u8>) {
    let info = &EVENTS[usize::from(call.event)];
    let extra = record.blob(call.steps.len());
    let path = call.path.filter(|_| !extra.is_empty()).map(|_| life::path(extra));
    let path = path.or_else(|| record.has_base.then(|| named(call.name))??.found(record, extra));
    let mut params = Params::begin(out, record.ts, record.tid, call.event, origins.len());
    for (i, origin) in origins.iter().enumerate() {
        let kind = info.params.get(i).map_or(Kind::Bytebuf, |p| p.kind);
        param(*origin, kind, record, info, &mut params);
    }
    if let Some(path) = path {
        params.tail(&path);
    }
    params.end();
}

fn param(origin: Origin, kind: Kind, record: &Record<'_>, info: &Info, out: &mut Params<'_>) {
    let width = kind.size().unwrap_or(8);
    let blob = |n: usize| record.blob(n);
    match origin {
        Origin::Number(value) => match number(value, kind, record) {
            Some(n) => out.number(n, width),
            None => out.empty(),
        },
        Origin::Coded(value, encoding) => match raw(value, record) {
            Some(n) => out.number(encoding.apply(n), width),
            None => out.empty(),
        },
        Origin::OpenFlags(flags, file) => out.number(open_flags(raw(flags, record), blob(file)), width),
        Origin::OpenMode(flags, mode) => out.number(open_mode(raw(flags, record), raw(mode, record)), width),
        Origin::Layers(file) => out.number(u64::from(u32_at(blob(file), 4).unwrap_or(0) >> 1 & 3), width),
        Origin::Dev(file) => out.number(device(u32_at(blob(file), 0).unwrap_or(0)), width),
        Origin::Ino(file) => out.number(u64_at(blob(file), 8).unwrap_or(0), width),
        Origin::Text(n) => text(blob(n), out),
        Origin::TextFor(n, arg, values) => {
            text(if values.contains(&record.args[arg]) { blob(n) } else { b"" }, out)
        }
        Origin::Bytes(n) => out.bytes(blob(n)),
        Origin::BytesFor(n, arg, value) => out.bytes(if record.args[arg] == value { blob(n) } else { b"" }),
        Origin::Head(n) => out.bytes(&blob(n)[..blob(n).len().min(MODULE_HEAD)]),
        Origin::Path(_) if record.ret < 0 => out.text(b""),
        Origin::Path(n) => out.text(&life::path(blob(n))),
        Origin::Empty => out.empty(),
        Origin::Fixed(n) => out.number(n, width),
        Origin::Address(_)
        | Origin::Reached(..)
        | Origin::Outbound(..)
        | Origin::Inbound(..)
        | Origin::Connected(..) => sockets::param(origin, record, out),
        _ => match numbers::special(origin, record, info) {
            Some(bytes) => out.bytes(&bytes),
            None => out.empty(),
        },
    }
}

/// Text; nothing when the program's memory could not be read.
fn text(blob: &[u8], out: &mut Params<'_>) {
    if blob.is_empty() { out.empty() } else { out.text(blob) }
}

/// A number as the record holds it.
fn raw(value: Value, record: &Record<'_>) -> Option<u64> {
    match value {
        Value::Ret => Some(record.ret.cast_unsigned()),
        Value::Arg(i) => Some(record.args[i]),
        Value::U16(n, at) => u16_at(record.blob(n), at).map(u64::from),
        Value::U32(n, at) => u32_at(record.blob(n), at).map(u64::from),
        Value::U64(n, at) => u64_at(record.blob(n), at),
    }
}

/// Descriptors and ids are 32 bits wide in the kernel and signed.
fn number(value: Value, kind: Kind, record: &Record<'_>) -> Option<u64> {
    let n = raw(value, record)?;
    let signed = matches!(kind, Kind::Fd | Kind::Pid | Kind::Int32 | Kind::Errno);
    if signed && !matches!(value, Value::Ret) { Some(i64::from(n as i32).cast_unsigned()) } else { Some(n) }
}

/// Open flags: the access mode is one more than the kernel's.
fn open_flags(kernel: Option<u64>, file: &[u8]) -> u64 {
    let kernel = kernel.unwrap_or(0);
    let access = match kernel & 3 {
        0 => 1,
        1 => 2,
        _ => 3,
    };
    let found = u64::from(u32_at(file, 4).unwrap_or(0) & 7);
    crate::generated::OPEN_FLAGS.apply(kernel) | access | found << 14
}

/// O_CREAT, and O_TMPFILE without the bit of O_DIRECTORY that it contains.
const CREATES: u64 = 0o100 | 0o20_000_000;

fn open_mode(flags: Option<u64>, mode: Option<u64>) -> u64 {
    if flags.unwrap_or(0) & CREATES == 0 {
        return 0;
    }
    crate::generated::OPEN_MODES.apply(mode.unwrap_or(0))
}

/// The kernel's inner device number as user space writes it.
pub(crate) fn device(dev: u32) -> u64 {
    let (major, minor) = (dev >> 20, dev & 0xf_ffff);
    u64::from(minor & 0xff | major << 8 | (minor & !0xff) << 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_flags_become_those_of_the_event_table() {
        assert_eq!(open_flags(Some(0), b""), 1);
        assert_eq!(open_flags(Some(0o1101), b""), 2 | 4 | 256);
        assert_eq!(open_flags(Some(0o2_000_002), b""), 3 | 4096);
        assert_eq!(open_flags(Some(0o101), &[0, 0, 0, 0, 3, 0, 0, 0]), 2 | 4 | 1 << 14 | 1 << 15);
    }

    #[test]
    fn the_mode_counts_only_when_something_is_made() {
        assert_eq!(open_mode(Some(0o200_000), Some(0o777)), 0);
        assert_eq!(open_mode(Some(0o100), Some(0o100_644)), 0o644);
    }

    #[test]
    fn a_device_is_written_as_user_space_writes_it() {
        assert_eq!(device(8 << 20 | 1), 0x801);
        assert_eq!(device(259 << 20 | 0x123), 0x1_00000 | 259 << 8 | 0x23);
    }

    #[test]
    fn every_event_is_one_that_the_table_has() {
        assert_eq!(EVENTS[usize::from(id::SYSCALL_OPENAT_2_X)].name, "openat");
        for call in crate::calls::CALLS {
            let info = &EVENTS[usize::from(call.event)];
            if let Shape::Table(origins) = call.shape {
                assert_eq!(origins.len(), info.params.len(), "{}", call.name);
            }
            assert!(call.steps.len() <= 6, "{}", call.name);
        }
    }
}
