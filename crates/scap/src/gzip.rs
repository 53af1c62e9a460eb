//! Unpacks gzip, one member after another, and tells a stream that ends too early from one that ends.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// First bytes of a gzip member.
pub(crate) const MARK: [u8; 2] = [0x1f, 0x8b];

/// What is wrong with the end of a packed stream; all before it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The stream stops inside a member.
    #[error("gzip stream is cut")]
    Cut,
    /// Something else follows the last member.
    #[error("bytes after the gzip stream are no gzip")]
    Garbage,
}

/// The bytes of all members as one stream; zeros after the last are padding.
pub(crate) struct Unpacker<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Unpacker<R> {
    pub(crate) fn new(packed: R) -> Unpacker<R> {
        Unpacker { member: Some(GzDecoder::new(packed)) }
    }

    /// Goes on with the next member; false when there is none.
    fn turn(&mut self) -> io::Result<bool> {
        let Some(done) = self.member.take() else { return Ok(false) };
        let mut packed = done.into_inner();
        while let [first, ..] = *packed.fill_buf()? {
            match first {
                0 => packed.consume(1),
                first if first == MARK[0] => {
                    self.member = Some(GzDecoder::new(packed));
                    return Ok(true);
                }
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, Damage::Garbage)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Unpacker<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let n = match member.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, Damage::Cut));
                }
                other => other?,
            };
            if n > 0 || !self.turn()? {
                return Ok(n);
            }
        }
        Ok(0)
    }
}
