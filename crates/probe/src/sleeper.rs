//! The mark by which the reader tells the kernel side that it sleeps: only then is a wake-up worth its price.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

/// Bytes that are mapped; the mark is the first word.
const PAGE: usize = 4096;

/// The mark in memory that the kernel side shares.
#[derive(Debug)]
pub(crate) struct Sleeper {
    mark: NonNull<AtomicU32>,
}

impl Sleeper {
    pub(crate) fn of(map: BorrowedFd<'_>) -> io::Result<Sleeper> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh mapping of a map that libbpf made mappable; nothing else refers to it.
        let at = unsafe {
            libc::mmap(std::ptr::null_mut(), PAGE, protection, libc::MAP_SHARED, map.as_raw_fd(), 0)
        };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(at.cast())
            .map(|mark| Sleeper { mark })
            .ok_or_else(|| io::Error::from(io::ErrorKind::Other))
    }

    /// Asks for a wake-up by the next event. The rings have to be looked at once more after this.
    pub(crate) fn may_wake(&self) {
        // SAFETY: the mapping lives as long as `self`, is aligned, and both sides use it as one word.
        unsafe { self.mark.as_ref() }.store(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // SAFETY: what `of` mapped, once.
        unsafe { libc::munmap(self.mark.as_ptr().cast(), PAGE) };
    }
}
