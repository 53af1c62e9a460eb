//! Records of the kernel side, as `bpf/record.h` lays them out.

pub(crate) const KIND_EXEC: u16 = 0x1001;
pub(crate) const KIND_FORK: u16 = 0x1002;
pub(crate) const KIND_EXIT: u16 = 0x1003;
pub(crate) const KIND_TASK: u16 = 0x1004;
pub(crate) const KIND_FILE: u16 = 0x1005;

const COMPAT: u16 = 1;
const BASE: u16 = 4;
const OUR_ROOT: u16 = 8;
const HEAD: usize = 80;
/// Most blobs of a record.
const BLOBS: usize = 8;

/// The head of a record with its blobs.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) ts: u64,
    pub(crate) pid: u32,
    pub(crate) tid: u32,
    pub(crate) kind: u16,
    /// Whether a 32-bit caller made the call.
    pub(crate) compat: bool,
    /// Whether the blob behind those of its steps is the folder from which a name was looked up.
    pub(crate) has_base: bool,
    /// Whether paths of the caller begin where ours do.
    pub(crate) at_our_root: bool,
    pub(crate) ret: i64,
    pub(crate) args: [u64; 6],
    blobs: [&'a [u8]; BLOBS],
}

pub(crate) fn u16_at(b: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(b.get(at..at + 2)?.try_into().ok()?))
}

pub(crate) fn u32_at(b: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(b.get(at..at + 4)?.try_into().ok()?))
}

pub(crate) fn u64_at(b: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(b.get(at..at + 8)?.try_into().ok()?))
}

impl<'a> Record<'a> {
    /// Reads a record; `None` when it is too short.
    pub(crate) fn read(b: &'a [u8]) -> Option<Record<'a>> {
        let mut args = [0; 6];
        for (i, arg) in args.iter_mut().enumerate() {
            *arg = u64_at(b, 32 + 8 * i)?;
        }
        let flags = u16_at(b, 18)?;
        Some(Record {
            ts: u64_at(b, 0)?,
            pid: u32_at(b, 8)?,
            tid: u32_at(b, 12)?,
            kind: u16_at(b, 16)?,
            compat: flags & COMPAT != 0,
            has_base: flags & BASE != 0,
            at_our_root: flags & OUR_ROOT != 0,
            ret: u64_at(b, 24)?.cast_signed(),
            args,
            blobs: blobs(b.get(HEAD..)?),
        })
    }

    /// Blob `n`; empty when it is not there.
    pub(crate) fn blob(&self, n: usize) -> &'a [u8] {
        self.blobs.get(n).copied().unwrap_or_default()
    }
}

fn blobs(mut rest: &[u8]) -> [&[u8]; BLOBS] {
    let mut blobs = [&rest[..0]; BLOBS];
    for blob in &mut blobs {
        let Some(end) = u16_at(rest, 0).map(|len| 2 + usize::from(len)) else { break };
        let Some(bytes) = rest.get(2..end) else { break };
        *blob = bytes;
        rest = &rest[end..];
    }
    blobs
}

/// `struct process`: a task at its birth, exec, or failed exec.
#[derive(Clone, Debug)]
pub(crate) struct Task<'a>(&'a [u8]);

impl<'a> Task<'a> {
    const SIZE: usize = 64 + 11 * 8 + 16;

    pub(crate) fn read(b: &'a [u8]) -> Option<Task<'a>> {
        (b.len() >= Task::SIZE).then_some(Task(b))
    }

    fn word(&self, i: usize) -> u32 {
        u32_at(self.0, 4 * i).unwrap_or(0)
    }

    fn long(&self, i: usize) -> u64 {
        u64_at(self.0, 64 + 8 * i).unwrap_or(0)
    }

    pub(crate) fn comm(&self) -> &'a [u8] {
        self.0.get(152..168).and_then(|b| b.split(|c| *c == 0).next()).unwrap_or_default()
    }
}

/// Numbers of a task by their place.
macro_rules! numbers {
    ($read:ident -> $type:ty: $($name:ident $place:literal),+) => {
        impl Task<'_> {
            $(pub(crate) fn $name(&self) -> $type { self.$read($place) })+
        }
    };
}

numbers!(word -> u32: pid 0, tid 1, ptid 2, uid 3, gid 4, vtid 5, vpid 6, pgid 7, vpgid 8, loginuid 9, tty 10,
    in_namespace 11, exe_flags 12, vm_size 13, vm_rss 14, vm_swap 15);
numbers!(long -> u64: fdlimit 0, maj_flt 1, min_flt 2, cap_inheritable 3, cap_permitted 4, cap_effective 5,
    exe_ino 6, exe_ctime 7, exe_mtime 8, namespace_start 9, clone_flags 10);
