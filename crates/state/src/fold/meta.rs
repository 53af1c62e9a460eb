//! Events that no thread makes: containers, users, and the accounting of processors.

use eyas_event::{Event, Group, User, id};

use super::ids::set_memory;
use crate::{Seen, State};

impl State {
    pub(super) fn meta(&mut self, event: &Event<'_>) {
        let text = |i: usize| event.text(i).unwrap_or_default();
        let number = |i: usize| event.unsigned(i).map_or(u32::MAX, |n| n as u32);
        match event.kind {
            id::CONTAINER_JSON_2_E => self.add_container(text(0)),
            id::ASYNCEVENT_E => match text(1) {
                b"container" => self.add_container(text(2)),
                b"container_removed" => self.remove_container(text(2)),
                _ => {}
            },
            id::USER_ADDED_E => {
                let user = User {
                    uid: number(0),
                    gid: number(1),
                    name: text(2).to_vec(),
                    home: text(3).to_vec(),
                    shell: text(4).to_vec(),
                };
                self.users.add_user(text(5), &user);
                self.everything_changed();
            }
            id::USER_DELETED_E => {
                self.users.remove_user(text(5), number(0));
                self.everything_changed();
            }
            id::GROUP_ADDED_E => {
                self.users.add_group(text(2), &Group { gid: number(0), name: text(1).to_vec() });
                self.everything_changed();
            }
            _ => {
                self.users.remove_group(text(2), number(0));
                self.everything_changed();
            }
        }
    }

    fn add_container(&mut self, json: &[u8]) {
        if self.containers.add(json).is_some() {
            self.everything_changed();
        }
    }

    fn remove_container(&mut self, json: &[u8]) {
        let id = serde_json::from_slice::<serde_json::Value>(json).ok();
        let id = id.as_ref().map(|v| v.get("container").unwrap_or(v)).and_then(|v| v.get("id")?.as_str());
        if let Some(id) = id {
            self.containers.remove(id.as_bytes());
            self.users.remove_container(id.as_bytes());
            self.everything_changed();
        }
    }

    /// Users and containers show on many threads: whatever was remembered about any thread is void.
    fn everything_changed(&mut self) {
        let slots: Vec<_> = self.threads.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            let version = self.tick();
            self.threads.with(slot, |t| t.version = version);
        }
        self.lineage += 1;
    }

    /// Page faults, memory and processor time.
    pub(super) fn accounting(&mut self, event: &Event<'_>, seen: &mut Seen) {
        let Some(slot) = seen.thread else { return };
        if event.kind == id::PROCINFO_E {
            return;
        }
        let before = self.switched.insert(event.cpu, event.ts).unwrap_or(event.ts);
        seen.exectime = event.ts.saturating_sub(before);
        let Some(thread) = self.threads.get_mut(slot) else { return };
        thread.exectime_total += seen.exectime;
        if event.unsigned(5).is_none() {
            return;
        }
        thread.pfmajor = event.unsigned(1).unwrap_or(thread.pfmajor);
        thread.pfminor = event.unsigned(2).unwrap_or(thread.pfminor);
        if let Some(main) = self.threads.main(slot) {
            self.threads.with(main, |t| set_memory(t, event, 3));
        }
    }
}
