//! Users and groups, per container.

use eyas_event::{Group, User};
use rustc_hash::FxHashMap;

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

#[derive(Debug, Default)]
struct Tables {
    users: FxHashMap<u32, UserEntry>,
    groups: FxHashMap<u32, GroupEntry>,
}

/// Users and groups by container id ("" is the host).
#[derive(Debug, Default)]
pub struct Users {
    host: Tables,
    containers: FxHashMap<Vec<u8>, Tables>,
}

/// Names that are left out: entries of network name services.
fn is_compat(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'+' | b'-'))
}

impl Users {
    fn tables(&self, container: &[u8]) -> Option<&Tables> {
        if container.is_empty() { Some(&self.host) } else { self.containers.get(container) }
    }

    fn tables_mut(&mut self, container: &[u8]) -> &mut Tables {
        if container.is_empty() {
            &mut self.host
        } else {
            self.containers.entry(container.to_vec()).or_default()
        }
    }

    /// A user of a container.
    pub fn user(&self, container: &[u8], uid: u32) -> Option<&UserEntry> {
        self.tables(container)?.users.get(&uid)
    }

    /// A group of a container.
    pub fn group(&self, container: &[u8], gid: u32) -> Option<&GroupEntry> {
        self.tables(container)?.groups.get(&gid)
    }

    pub(crate) fn add_user(&mut self, container: &[u8], user: &User) {
        if user.uid == u32::MAX || is_compat(&user.name) {
            return;
        }
        let text = |b: &Vec<u8>| Text::from(b.as_slice());
        let entry = UserEntry {
            gid: user.gid,
            name: text(&user.name),
            home: text(&user.home),
            shell: text(&user.shell),
        };
        self.tables_mut(container).users.insert(user.uid, entry);
    }

    pub(crate) fn add_group(&mut self, container: &[u8], group: &Group) {
        if group.gid == u32::MAX || is_compat(&group.name) {
            return;
        }
        let entry = GroupEntry { name: Text::from(group.name.as_slice()) };
        self.tables_mut(container).groups.insert(group.gid, entry);
    }

    pub(crate) fn remove_user(&mut self, container: &[u8], uid: u32) {
        self.tables_mut(container).users.remove(&uid);
    }

    pub(crate) fn remove_group(&mut self, container: &[u8], gid: u32) {
        self.tables_mut(container).groups.remove(&gid);
    }

    pub(crate) fn remove_container(&mut self, container: &[u8]) {
        self.containers.remove(container);
    }
}
