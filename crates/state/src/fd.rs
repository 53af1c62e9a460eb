//! Open files of a process.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::thread::Text;

/// Both ends of a unix socket, as kernel addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Unix {
    pub source: u64,
    pub dest: u64,
}

/// What kind of file a record describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FdKind {
    Unknown,
    Regular,
    Directory,
    Connection { source: IpAddr, dest: IpAddr, sport: u16, dport: u16 },
    Listener { ip: IpAddr, port: u16 },
    Unix(Unix),
    Fifo,
    Eventfd,
    Signalfd,
    Epoll,
    Inotify,
    Timerfd,
    Netlink,
    Bpf,
    Userfaultfd,
    IoUring,
    Memfd,
    Pidfd,
    Unsupported,
}

/// One open file.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Fd {
    pub kind: FdKind,
    pub name: Text,
    pub raw_name: Text,
    /// Name at the previous lookup.
    pub old_name: Text,
    pub open_flags: u32,
    /// 0 unknown, 1 not applicable, 2 TCP, 3 UDP, 4 ICMP, 5 raw.
    pub l4: u8,
    pub dev: u32,
    pub mount_id: u32,
    pub ino: u64,
    /// Process of a pidfd.
    pub pid: i64,
    pub role_client: bool,
    pub role_server: bool,
    pub connected: bool,
    pub upper_layer: bool,
    pub lower_layer: bool,
    pub cloned: bool,
    pub from_scan: bool,
    /// Globally unique, drawn anew on every change; predicates about the file are remembered under it.
    pub version: u64,
}

impl Fd {
    /// A record with nothing but its kind and name.
    pub(crate) fn new(kind: FdKind, name: impl Into<Text>) -> Fd {
        Fd {
            kind,
            name: name.into(),
            raw_name: Text::default(),
            old_name: Text::default(),
            open_flags: 0,
            l4: 0,
            dev: 0,
            mount_id: 0,
            ino: 0,
            pid: 0,
            role_client: false,
            role_server: false,
            connected: false,
            upper_layer: false,
            lower_layer: false,
            cloned: false,
            from_scan: false,
            version: 0,
        }
    }

    /// Whether either role is known.
    pub fn has_role(&self) -> bool {
        self.role_client || self.role_server
    }
}

/// Descriptors below this stand in a vector.
const SMALL: i64 = 1024;
/// Most open files that are kept for one process.
const CAPACITY: usize = 131_072;

/// Descriptors of one process. Copies share their records until one changes.
#[derive(Clone, Debug, Default)]
pub struct FdTable {
    small: Vec<Option<Arc<Fd>>>,
    large: FxHashMap<i64, Arc<Fd>>,
    count: usize,
}

impl FdTable {
    /// The record of a descriptor.
    pub fn get(&self, num: i64) -> Option<&Fd> {
        if (0..SMALL).contains(&num) {
            return self.small.get(num as usize)?.as_deref();
        }
        self.large.get(&num).map(AsRef::as_ref)
    }

    /// The record of a descriptor, to be changed.
    pub(crate) fn get_mut(&mut self, num: i64) -> Option<&mut Fd> {
        let slot = if (0..SMALL).contains(&num) {
            self.small.get_mut(num as usize)?.as_mut()?
        } else {
            self.large.get_mut(&num)?
        };
        Some(Arc::make_mut(slot))
    }

    /// Adds or replaces a record; false when the table is full.
    pub(crate) fn insert(&mut self, num: i64, fd: Fd) -> bool {
        let known = self.get(num).is_some();
        if !known && self.count >= CAPACITY {
            return false;
        }
        self.count += usize::from(!known);
        if (0..SMALL).contains(&num) {
            let at = num as usize;
            if self.small.len() <= at {
                self.small.resize(at + 1, None);
            }
            self.small[at] = Some(Arc::new(fd));
        } else {
            self.large.insert(num, Arc::new(fd));
        }
        true
    }

    /// Removes a record.
    pub(crate) fn remove(&mut self, num: i64) {
        let gone = if (0..SMALL).contains(&num) {
            self.small.get_mut(num as usize).and_then(Option::take).is_some()
        } else {
            self.large.remove(&num).is_some()
        };
        self.count -= usize::from(gone);
    }

    /// Removes what `drop` says.
    pub(crate) fn remove_where(&mut self, drop: impl Fn(i64, &Fd) -> bool) {
        let gone: Vec<i64> = self.iter().filter(|(num, fd)| drop(*num, fd)).map(|(num, _)| num).collect();
        gone.into_iter().for_each(|num| self.remove(num));
    }

    /// Open descriptors.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Every record: small numbers in order, then the others.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Fd)> + '_ {
        let small = self.small.iter().enumerate().filter_map(|(num, fd)| Some((num as i64, fd.as_deref()?)));
        small.chain(self.large.iter().map(|(num, fd)| (*num, fd.as_ref())))
    }
}
