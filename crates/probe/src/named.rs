//! Where the names of calls led that make, move or remove entries of folders, or change files by name.
//!
//! The kernel side says from which folder a name was looked up. Where it led is asked right afterwards, and only of what
//! the kernel has at hand (`RESOLVE_CACHED`): no file system, slow or hostile, can keep the sensor waiting.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use crate::params::until_nul;
use crate::record::Record;
use crate::translate::life;

/// What of a path is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// An entry: its folder is found, the name stands as it is.
    Entry,
    /// A file, through links.
    Followed,
    /// A file, or through links unless the flags in an argument say otherwise.
    Flagged(usize),
}

/// The name of a call that is looked up.
pub(crate) struct Named {
    call: &'static str,
    /// Argument with the folder.
    pub(crate) dir: Option<u8>,
    /// Blob with the name.
    name: usize,
    last: Last,
}

const AT_SYMLINK_NOFOLLOW: u64 = 0x100;

const fn row(call: &'static str, dir: Option<u8>, name: usize, last: Last) -> Named {
    Named { call, dir, name, last }
}

/// Of calls with two names the one that is made.
static NAMED: &[Named] = &[
    row("rename", None, 1, Last::Entry),
    row("renameat", Some(2), 1, Last::Entry),
    row("renameat2", Some(2), 1, Last::Entry),
    row("link", None, 1, Last::Entry),
    row("linkat", Some(2), 1, Last::Entry),
    row("symlink", None, 1, Last::Entry),
    row("symlinkat", Some(1), 1, Last::Entry),
    row("unlink", None, 0, Last::Entry),
    row("unlinkat", Some(0), 0, Last::Entry),
    row("mkdir", None, 0, Last::Entry),
    row("mkdirat", Some(0), 0, Last::Entry),
    row("rmdir", None, 0, Last::Entry),
    row("mknod", None, 0, Last::Entry),
    row("mknodat", Some(0), 0, Last::Entry),
    row("chmod", None, 0, Last::Followed),
    row("fchmodat", Some(0), 0, Last::Followed),
    row("chown", None, 0, Last::Followed),
    row("lchown", None, 0, Last::Entry),
    row("fchownat", Some(0), 0, Last::Flagged(4)),
];

/// What of a call is looked up.
pub(crate) fn named(call: &str) -> Option<&'static Named> {
    NAMED.iter().find(|named| named.call == call)
}

impl Named {
    /// The path that a call meant, when it succeeded and the way there still stands; `base` are the names of the folder.
    pub(crate) fn found(&self, record: &Record<'_>, base: &[u8]) -> Option<Vec<u8>> {
        if record.ret != 0 {
            return None;
        }
        let name = until_nul(record.blob(self.name));
        let path = if name.starts_with(b"/") { name.to_vec() } else { joined(&life::path(base), name) };
        if name.is_empty() || !path.starts_with(b"/") {
            return None;
        }
        let follows = self.follows(record);
        if !follows && !name.contains(&b'/') {
            // An entry of the very folder: nothing is on the way.
            return parted(&path).map(|_| path.clone());
        }
        let root = root(record).ok()?;
        let standing = |path: &[u8]| standing(&root, path, record.at_our_root).ok();
        if follows {
            return standing(&path);
        }
        let (folder, entry) = parted(&path)?;
        Some(joined(&standing(folder)?, entry))
    }

    fn follows(&self, record: &Record<'_>) -> bool {
        match self.last {
            Last::Entry => false,
            Last::Followed => true,
            Last::Flagged(arg) => record.args[arg] & AT_SYMLINK_NOFOLLOW == 0,
        }
    }
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    [folder, b"/", name].concat()
}

/// Folder and name of an entry; none when the name is not one.
fn parted(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = path.iter().rposition(|byte| *byte != b'/')? + 1;
    let start = path[..end].iter().rposition(|byte| *byte == b'/')? + 1;
    let name = &path[start..end];
    (name != b"." && name != b"..").then_some((&path[..start], name))
}

/// Where the paths of the caller begin.
fn root(record: &Record<'_>) -> io::Result<OwnedFd> {
    let path = if record.at_our_root { "/".to_owned() } else { format!("/proc/{}/root", record.tid) };
    let path = CString::new(path)?;
    // SAFETY: a string that ends with NUL.
    descriptor(unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) }.into())
}

const RESOLVE_NO_XDEV: u64 = 0x01;
const RESOLVE_IN_ROOT: u64 = 0x10;
const RESOLVE_CACHED: u64 = 0x20;

/// The path of a file as the kernel has it, asked for without waiting. A link whose time of access is due the kernel
/// does not follow so; on the file system of our own root it may take its time.
fn standing(root: &OwnedFd, path: &[u8], ours: bool) -> io::Result<Vec<u8>> {
    let path = CString::new(path)?;
    let file = looked_up(root, &path, RESOLVE_CACHED).or_else(|error| {
        let again = ours && error.kind() == io::ErrorKind::WouldBlock;
        if again { looked_up(root, &path, RESOLVE_NO_XDEV) } else { Err(error) }
    })?;
    let found = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?.into_os_string().into_vec();
    if !found.starts_with(b"/") || found.ends_with(b" (deleted)") {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(found)
}

fn looked_up(root: &OwnedFd, path: &CStr, resolve: u64) -> io::Result<OwnedFd> {
    let how = [(libc::O_PATH | libc::O_CLOEXEC) as u64, 0, RESOLVE_IN_ROOT | resolve];
    let (at, size) = (root.as_raw_fd(), std::mem::size_of_val(&how));
    // SAFETY: a string that ends with NUL, and a `struct open_how` of that size.
    descriptor(unsafe { libc::syscall(libc::SYS_openat2, at, path.as_ptr(), how.as_ptr(), size) })
}

fn descriptor(given: i64) -> io::Result<OwnedFd> {
    match i32::try_from(given) {
        // SAFETY: made just now, and nobody else's.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::CALLS;

    #[test]
    fn every_name_is_one_of_a_call_that_is_sent() {
        for named in NAMED {
            let call = CALLS.iter().find(|call| call.name == named.call).expect("a call");
            assert!(named.name < call.steps.len() && call.path.is_none(), "{}", call.name);
        }
    }

    #[test]
    fn an_entry_is_parted_from_its_folder() {
        assert_eq!(parted(b"/a/b"), Some((&b"/a/"[..], &b"b"[..])));
        assert_eq!(parted(b"/a//b//"), Some((&b"/a//"[..], &b"b"[..])));
        assert_eq!(parted(b"/b"), Some((&b"/"[..], &b"b"[..])));
        assert_eq!((parted(b"/a/.."), parted(b"/")), (None, None));
    }
}
