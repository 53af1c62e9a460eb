//! Records of the kernel side, as `bpf/record.h` lays them out.

pub(crate) const KIND_EXEC: u32 = 0x10001;
pub(crate) const KIND_FORK: u32 = 0x10002;
pub(crate) const KIND_EXIT: u32 = 0x10003;

const HEAD: usize = 112;
const PROCESS: usize = 112;

/// The head of a record with its blobs.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) ts: u64,
    pub(crate) pid: u32,
    pub(crate) tid: u32,
    pub(crate) ppid: u32,
    pub(crate) kind: u32,
    pub(crate) ret: i64,
    pub(crate) args: [u64; 6],
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    rest: &'a [u8],
}

/// What follows the head of a life-cycle record.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub(crate) struct Facts {
    pub(crate) vtid: u32,
    pub(crate) vpid: u32,
    pub(crate) pgid: u32,
    pub(crate) vpgid: u32,
    pub(crate) loginuid: u32,
    pub(crate) tty: u32,
    pub(crate) in_namespace: bool,
    pub(crate) fdlimit: u64,
    pub(crate) pfmajor: u64,
    pub(crate) pfminor: u64,
    pub(crate) vm_pages: u64,
    pub(crate) caps: [u64; 3],
    pub(crate) exe_ino: u64,
    pub(crate) comm: Vec<u8>,
}

fn u16_at(b: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(b.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(b: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(b.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(b: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(b.get(at..at + 8)?.try_into().ok()?))
}

impl<'a> Record<'a> {
    /// Reads a record; `None` when it is too short.
    pub(crate) fn read(b: &'a [u8]) -> Option<Record<'a>> {
        let mut args = [0; 6];
        for (i, arg) in args.iter_mut().enumerate() {
            *arg = u64_at(b, 32 + 8 * i)?;
        }
        Some(Record {
            ts: u64_at(b, 0)?,
            pid: u32_at(b, 8)?,
            tid: u32_at(b, 12)?,
            ppid: u32_at(b, 16)?,
            kind: u32_at(b, 20)?,
            ret: u64_at(b, 24)?.cast_signed(),
            args,
            uid: u32_at(b, 80)?,
            gid: u32_at(b, 84)?,
            dev: u64_at(b, 88)?,
            ino: u64_at(b, 96)?,
            rest: b.get(HEAD..)?,
        })
    }

    /// Facts of a life-cycle record.
    pub(crate) fn facts(&self) -> Option<Facts> {
        let b = self.rest;
        let word = |i: usize| u32_at(b, 4 * i);
        let long = |i: usize| u64_at(b, 32 + 8 * i);
        let comm = b.get(96..112)?;
        Some(Facts {
            vtid: word(0)?,
            vpid: word(1)?,
            pgid: word(2)?,
            vpgid: word(3)?,
            loginuid: word(5)?,
            tty: word(6)?,
            in_namespace: word(7)? != 0,
            fdlimit: long(0)?,
            pfmajor: long(1)?,
            pfminor: long(2)?,
            vm_pages: long(3)?,
            caps: [long(4)?, long(5)?, long(6)?],
            exe_ino: long(7)?,
            comm: comm.split(|c| *c == 0).next().unwrap_or_default().to_vec(),
        })
    }

    /// Blobs in order.
    pub(crate) fn blobs(&self) -> Vec<&'a [u8]> {
        let mut at = if self.kind >= KIND_EXEC { PROCESS } else { 0 };
        let mut blobs = Vec::new();
        while let Some(len) = u16_at(self.rest, at) {
            let Some(blob) = self.rest.get(at + 2..at + 2 + usize::from(len)) else { break };
            blobs.push(blob);
            at += 2 + usize::from(len);
        }
        blobs
    }
}
