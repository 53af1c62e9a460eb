//! The reading side of a ring of the kernel. Its data are mapped once: libbpf maps them twice, to read a record around
//! the end in one piece, and whoever measures this process counts both.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Of the length in a record's head (`BPF_RINGBUF_BUSY_BIT`, `BPF_RINGBUF_DISCARD_BIT`).
const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
/// Bytes before a record (`BPF_RINGBUF_HDR_SZ`).
const HEAD: usize = 8;

/// Memory that is shared with the kernel.
#[derive(Debug)]
struct Mapping {
    at: NonNull<u8>,
    size: usize,
}

impl Mapping {
    fn new(map: BorrowedFd<'_>, protection: i32, offset: usize, size: usize) -> io::Result<Mapping> {
        let offset = offset as libc::off_t;
        // SAFETY: a fresh mapping of a ring; nothing else refers to it.
        let at = unsafe {
            libc::mmap(std::ptr::null_mut(), size, protection, libc::MAP_SHARED, map.as_raw_fd(), offset)
        };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = NonNull::new(at.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Mapping { at, size })
    }

    /// The position on the first bytes of the mapping.
    fn position(&self) -> &AtomicU64 {
        // SAFETY: a page that lives as long as `self`; both sides use its first bytes as one number.
        unsafe { self.at.cast().as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: what `new` mapped, once.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.size) };
    }
}

/// A ring as its only reader sees it: a page with the position of the reader, then a page with that of the writers,
/// then the data.
#[derive(Debug)]
pub(crate) struct Ring {
    reader: Mapping,
    rest: Mapping,
    page: usize,
    size: usize,
    /// A record that lies around the end.
    whole: Vec<u8>,
}

impl Ring {
    /// Maps a ring of `size` bytes.
    pub(crate) fn of(map: BorrowedFd<'_>, size: usize) -> io::Result<Ring> {
        // SAFETY: asks for a number.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
        let reader = Mapping::new(map, libc::PROT_READ | libc::PROT_WRITE, 0, page)?;
        let rest = Mapping::new(map, libc::PROT_READ, page, page + size)?;
        Ok(Ring { reader, rest, page, size, whole: Vec::new() })
    }

    /// Hands over records, oldest first, until none is left of those that are there now, one is still being written, or
    /// `take` has enough.
    pub(crate) fn read(&mut self, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        let mut at = self.reader.position().load(Ordering::Relaxed);
        let end = self.rest.position().load(Ordering::Acquire);
        while at < end {
            let length = self.length(at);
            if length & BUSY != 0 {
                return;
            }
            let bytes = (length & !DISCARDED) as usize;
            let enough = length & DISCARDED == 0 && take(self.record(at, bytes)).is_break();
            at += (HEAD + bytes).next_multiple_of(HEAD) as u64;
            // From here on the kernel may write over it.
            self.reader.position().store(at, Ordering::Release);
            if enough {
                return;
            }
        }
    }

    fn offset(&self, at: u64) -> usize {
        // The size is a power of two.
        (at as usize) & (self.size - 1)
    }

    fn length(&self, at: u64) -> u32 {
        let place = self.page + self.offset(at);
        // SAFETY: heads lie within the data and are aligned to eight bytes; the kernel sets the length when the record
        // is whole.
        unsafe { self.rest.at.add(place).cast::<AtomicU32>().as_ref() }.load(Ordering::Acquire)
    }

    fn record(&mut self, at: u64, bytes: usize) -> &[u8] {
        let start = self.offset(at + HEAD as u64);
        let first = bytes.min(self.size - start);
        if first == bytes {
            return self.bytes(start, bytes);
        }
        let mut whole = std::mem::take(&mut self.whole);
        whole.clear();
        whole.extend_from_slice(self.bytes(start, first));
        whole.extend_from_slice(self.bytes(0, (bytes - first).min(self.size)));
        self.whole = whole;
        &self.whole
    }

    fn bytes(&self, start: usize, count: usize) -> &[u8] {
        // SAFETY: callers stay within the data; the kernel leaves a record alone until the reader has passed it.
        unsafe { std::slice::from_raw_parts(self.rest.at.add(self.page + start).as_ptr(), count) }
    }
}

/// One descriptor that is readable when one of some rings is.
pub(crate) fn either(rings: &[BorrowedFd<'_>]) -> io::Result<OwnedFd> {
    // SAFETY: makes a descriptor, which is owned from then on.
    let made = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if made < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: made above, and nobody else's.
    let either = unsafe { OwnedFd::from_raw_fd(made) };
    for ring in rings {
        let mut wanted = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
        // SAFETY: both descriptors are open and the event lives across the call.
        let done = unsafe {
            libc::epoll_ctl(either.as_raw_fd(), libc::EPOLL_CTL_ADD, ring.as_raw_fd(), &raw mut wanted)
        };
        if done < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(either)
}

/// Waits until a descriptor is readable, for no longer than `wait`; a signal ends it too.
pub(crate) fn readable(fd: BorrowedFd<'_>, wait: std::time::Duration) -> io::Result<()> {
    let mut one = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let wait = libc::timespec {
        tv_sec: libc::time_t::try_from(wait.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: wait.subsec_nanos().into(),
    };
    // SAFETY: one descriptor and one time that live across the call.
    let done = unsafe { libc::ppoll(&raw mut one, 1, &raw const wait, std::ptr::null()) };
    match io::Error::last_os_error() {
        error if done < 0 && error.kind() != io::ErrorKind::Interrupted => Err(error),
        _ => Ok(()),
    }
}
