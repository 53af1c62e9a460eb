//! Users and groups, per container.

use crate::thread::Text;

/// One user.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct UserEntry {
    pub gid: u32,
    pub name: Text,
    pub home: Text,
    pub shell: Text,
}

/// One group.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct GroupEntry {
    pub name: Text,
}

/// Users and groups by container id ("" is the host).
#[derive(Debug, Default)]
pub struct Users {}

impl Users {
    /// A user of a container.
    pub fn user(&self, container: &[u8], uid: u32) -> Option<&UserEntry> {
        let _ = (container, uid);
        None
    }

    /// A group of a container.
    pub fn group(&self, container: &[u8], gid: u32) -> Option<&GroupEntry> {
        let _ = (container, gid);
        None
    }
}
