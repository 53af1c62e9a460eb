//! Answers about files that still hold: under the version of a descriptor, or under the name of what was opened.

use std::hash::Hasher;

use eyas_event::table::Flags;
use eyas_field::{Cx, Named};
use rustc_hash::FxHasher;

use crate::memory::{Bits, Gate, Sizes};

/// Descriptors, and names, that are kept.
const KEPT: usize = 4096;

/// What is known about one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Since which `Memory::forget` it counts; 0 when nothing was ever kept here.
    era: u32,
    /// Whether the file came before: what comes again is worth asking about at once.
    pub(crate) again: bool,
    pub(crate) bits: Bits,
    pub(crate) gates: Box<[Gate]>,
}

#[derive(Clone, Debug, Default)]
struct ByVersion {
    version: u64,
    known: Known,
}

#[derive(Clone, Debug, Default)]
struct ByName {
    tag: u16,
    name: Vec<u8>,
    raw: Vec<u8>,
    known: Known,
}

/// Where the answers about the file of an event stand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum At {
    /// They hold for the event alone.
    #[default]
    Nowhere,
    Version(usize),
    /// Only answers that the name decides are kept.
    Name(usize),
}

/// Answers about files.
#[derive(Debug, Default)]
pub(crate) struct Files {
    versions: Vec<ByVersion>,
    names: Vec<ByName>,
    sizes: Sizes,
    at: At,
}

impl Files {
    pub(crate) fn new(sizes: Sizes) -> Files {
        let kept = if sizes.file == 0 { 0 } else { KEPT };
        Files {
            versions: vec![ByVersion::default(); kept],
            names: vec![ByName::default(); kept],
            sizes,
            at: At::Nowhere,
        }
    }

    /// Turns to the file of an event. The descriptor that an event makes has a version that no one asks for again, so
    /// its name is what counts.
    #[inline]
    pub(crate) fn turn(&mut self, cx: &Cx<'_>, era: u32) {
        self.at = match cx.fd() {
            _ if self.versions.is_empty() => At::Nowhere,
            Some(fd) if !cx.event.info().flags.has(Flags::CREATES_FD) => self.version(fd.version, era),
            _ => cx.named().map_or(At::Nowhere, |named| self.name(named, era)),
        };
    }

    pub(crate) fn nowhere(&mut self) {
        self.at = At::Nowhere;
    }

    fn version(&mut self, version: u64, era: u32) -> At {
        let at = version as usize % KEPT;
        let file = &mut self.versions[at];
        file.known.again = file.version == version && file.known.era == era;
        if !file.known.again {
            file.version = version;
            file.known.clear(era, self.sizes);
        }
        At::Version(at)
    }

    fn name(&mut self, named: Named<'_>, era: u32) -> At {
        let at = place(&named);
        let file = &mut self.names[at];
        let same = file.tag == named.tag && file.name == named.name && file.raw == named.raw;
        file.known.again = same && file.known.era == era;
        if !file.known.again {
            file.tag = named.tag;
            named.name.clone_into(&mut file.name);
            named.raw.clone_into(&mut file.raw);
            file.known.clear(era, self.sizes);
        }
        At::Name(at)
    }

    /// What is known about the file; by its name alone when `named`.
    #[inline]
    pub(crate) fn known(&self, named: bool) -> Option<&Known> {
        match self.at {
            At::Version(at) => Some(&self.versions[at].known),
            At::Name(at) if named => Some(&self.names[at].known),
            _ => None,
        }
    }

    /// The same, to add to it.
    #[inline]
    pub(crate) fn known_mut(&mut self, named: bool) -> Option<&mut Known> {
        match self.at {
            At::Version(at) => Some(&mut self.versions[at].known),
            At::Name(at) if named => Some(&mut self.names[at].known),
            _ => None,
        }
    }
}

impl Known {
    fn clear(&mut self, era: u32, sizes: Sizes) {
        if self.era == 0 {
            self.bits = Bits::new(sizes.file);
            self.gates = vec![Gate::default(); sizes.names].into();
        } else {
            self.bits.clear();
            self.gates.fill(Gate::default());
        }
        self.era = era;
    }
}

fn place(named: &Named<'_>) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(named.name);
    hasher.write_u16(named.tag);
    (hasher.finish() >> 16) as usize % KEPT
}
