//! A bounded walk over the bytes of one block.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::{Fault, ScapError};

/// Position in a block, which knows its offset in the capture.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    base: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], base: u64) -> Cursor<'a> {
        Cursor { bytes, at: 0, base }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn fault(&self, why: &'static str) -> ScapError {
        Fault::Entry(why).at(self.offset())
    }

    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], ScapError> {
        let Some(bytes) = self.bytes.get(self.at..self.at.saturating_add(n)) else {
            return Err(self.fault("entry runs past the end of its block"));
        };
        self.at += n;
        Ok(bytes)
    }

    /// The next `n` bytes as a walk of their own.
    pub(crate) fn part(&mut self, n: usize) -> Result<Cursor<'a>, ScapError> {
        let base = self.offset();
        Ok(Cursor::new(self.take(n)?, base))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ScapError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ScapError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ScapError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ScapError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ScapError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, ScapError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A length and that many bytes, at most `max`.
    pub(crate) fn text(&mut self, max: usize) -> Result<Vec<u8>, ScapError> {
        let n = usize::from(self.u16()?);
        if n > max {
            return Err(self.fault("text is longer than the format allows"));
        }
        Ok(self.take(n)?.to_vec())
    }

    pub(crate) fn ip(&mut self, v6: bool) -> Result<IpAddr, ScapError> {
        Ok(if v6 {
            IpAddr::V6(Ipv6Addr::from(self.array::<16>()?))
        } else {
            IpAddr::V4(Ipv4Addr::from(self.array::<4>()?))
        })
    }
}
