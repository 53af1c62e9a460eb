//! The initial state: records of a capture's head, of the iterators or of /proc.

use eyas_event::{File, FileKind, Process, Snapshot};

use crate::address::{End, end_name, ends_name, unmapped_pair};
use crate::fd::{Fd, FdKind, Unix};
use crate::path::normalise;
use crate::thread::{List, Slot, Text, Thread};
use crate::{Cgroups, State};

const TCP: u8 = 2;

impl State {
    /// Takes one record of the initial state.
    pub fn seed(&mut self, record: &Snapshot) {
        match record {
            Snapshot::Machine(machine) => self.machine = machine.clone(),
            Snapshot::Process(process) => self.seed_process(process),
            Snapshot::File(file) => self.seed_file(file),
            Snapshot::Interface(interface) => self.interfaces.push(interface.clone()),
            Snapshot::User(user) => self.users.add_user(b"", user),
            Snapshot::Group(group) => self.users.add_group(b"", group),
        }
    }

    /// Links parents, groups and leaders once all records of the initial state are in.
    pub fn seeded(&mut self) {
        let slots: Vec<Slot> = self.threads.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.admit(slot);
            self.assign_roles(slot);
        }
        self.lineage += 1;
    }

    /// Takes one record that was looked up later.
    pub fn seed_late(&mut self, record: &Snapshot) {
        self.seed(record);
        match record {
            Snapshot::Process(process) => {
                self.threads.find(process.tid).into_iter().for_each(|slot| self.admit(slot));
                self.lineage += 1;
            }
            Snapshot::File(file) => {
                self.threads.find(file.tid).into_iter().for_each(|slot| self.assign_role_of(slot, file.fd));
            }
            _ => {}
        }
    }

    /// Links a record and finds its container.
    pub(crate) fn admit(&mut self, slot: Slot) {
        self.threads.link(slot);
        self.threads.settle(slot);
        self.find_container(slot);
        let version = self.tick();
        self.threads.with(slot, |t| t.version = version);
    }

    /// Sets the container id from the cgroups.
    pub(crate) fn find_container(&mut self, slot: Slot) {
        let Some(thread) = self.threads.get(slot) else { return };
        let id = thread.cgroups.container();
        if thread.container_id != *id {
            let id = id.clone();
            self.threads.with(slot, |t| t.container_id = id);
            self.touch(slot);
        }
    }

    fn seed_process(&mut self, p: &Process) {
        let text = |b: &Vec<u8>| Text::from(b.as_slice());
        let mut t = Thread {
            pid: p.pid,
            ptid: p.ptid,
            sid: p.sid,
            vpgid: p.vpgid,
            pgid: p.pgid,
            vtid: p.vtid,
            vpid: p.vpid,
            comm: text(&p.comm),
            exe: text(&p.exe),
            exepath: text(&p.exepath),
            env: List::new(&p.env),
            cwd: directory(&normalise(b"/", &p.cwd)),
            root: text(&p.root),
            cgroups: Cgroups::new(&p.cgroups),
            flags: p.flags,
            fdlimit: p.fdlimit,
            uid: p.uid,
            gid: p.gid,
            loginuid: p.loginuid,
            tty: p.tty,
            cap_inheritable: p.cap_inheritable,
            cap_permitted: p.cap_permitted,
            cap_effective: p.cap_effective,
            exe_writable: p.exe_writable,
            exe_upper_layer: p.exe_upper_layer,
            exe_lower_layer: p.exe_lower_layer,
            exe_from_memfd: p.exe_from_memfd,
            exe_ino: p.exe_ino,
            exe_ino_ctime: p.exe_ino_ctime,
            exe_ino_mtime: p.exe_ino_mtime,
            exe_ino_ctime_duration_clone_ts: p.exe_age,
            exe_ino_ctime_duration_pidns_start: p.exe_age_in_namespace,
            vmsize_kb: p.vmsize_kb,
            vmrss_kb: p.vmrss_kb,
            vmswap_kb: p.vmswap_kb,
            pfmajor: p.pfmajor,
            pfminor: p.pfminor,
            pidns_init_start_ts: p.pidns_init_start_ts,
            clone_ts: p.clone_ts,
            ..Thread::blank(p.tid)
        };
        t.set_args(&p.args);
        self.threads.insert(t);
    }

    fn seed_file(&mut self, file: &File) {
        let Some(slot) = self.threads.find(file.tid) else { return };
        let mut fd = record(&file.kind);
        fd.ino = file.ino;
        fd.from_scan = true;
        fd.version = self.tick();
        if let FdKind::Listener { port, .. } = fd.kind {
            self.listening.insert(port);
        }
        self.threads.enter(slot, file.fd, fd);
    }

    /// Sockets of the initial state: who listens serves, everybody else is a client.
    fn assign_roles(&mut self, slot: Slot) {
        let Some(thread) = self.threads.get(slot) else { return };
        let sockets: Vec<i64> = thread
            .files
            .iter()
            .filter(|(_, fd)| matches!(fd.kind, FdKind::Connection { .. } | FdKind::Unix(_)))
            .map(|(num, _)| num)
            .collect();
        sockets.into_iter().for_each(|num| self.assign_role_of(slot, num));
    }

    fn assign_role_of(&mut self, slot: Slot, num: i64) {
        let listening = &self.listening;
        let serves = |port: u16| listening.contains(&port);
        if let Some(fd) = self.threads.get_mut(slot).and_then(|t| t.files.get_mut(num)) {
            assign_role(fd, &serves);
        }
    }
}

fn assign_role(fd: &mut Fd, serves: &dyn Fn(u16) -> bool) {
    match &mut fd.kind {
        FdKind::Unix(_) => {
            fd.role_client = fd.name.is_empty();
            fd.role_server = !fd.role_client;
        }
        FdKind::Connection { source, dest, sport, dport } => {
            fd.connected = fd.l4 == TCP;
            if source.is_ipv6() {
                return;
            }
            if serves(*sport) {
                std::mem::swap(source, dest);
                std::mem::swap(sport, dport);
                let (s, d) = (End { ip: *source, port: *sport }, End { ip: *dest, port: *dport });
                fd.name = Text::from(ends_name(s, d).as_bytes());
                fd.role_server = true;
            } else {
                fd.role_client = true;
            }
        }
        _ => {}
    }
}

fn record(kind: &FileKind) -> Fd {
    match kind {
        FileKind::Connection { source, dest, sport, dport, l4 } => {
            let (s, d) = (End { ip: *source, port: *sport }, End { ip: *dest, port: *dport });
            let (s, d, _) = unmapped_pair(s, d);
            let kind = FdKind::Connection { source: s.ip, dest: d.ip, sport: *sport, dport: *dport };
            Fd { l4: *l4, ..Fd::new(kind, ends_name(s, d).as_bytes()) }
        }
        FileKind::Listener { ip, port, l4 } => {
            let name = end_name(End { ip: *ip, port: *port });
            Fd { l4: *l4, ..Fd::new(FdKind::Listener { ip: *ip, port: *port }, name.as_bytes()) }
        }
        FileKind::Unix { source, dest, name } => {
            Fd::new(FdKind::Unix(Unix { source: *source, dest: *dest }), name.as_slice())
        }
        FileKind::Regular { flags, name, dev, mount_id } => Fd {
            open_flags: *flags,
            dev: *dev,
            mount_id: *mount_id,
            ..Fd::new(FdKind::Regular, name.as_slice())
        },
        FileKind::Named { code, name } => Fd::new(named(*code), name.as_slice()),
    }
}

/// Kind of a descriptor type of the capture format.
fn named(code: u8) -> FdKind {
    match code {
        2 => FdKind::Directory,
        7 => FdKind::Fifo,
        9 => FdKind::Eventfd,
        11 => FdKind::Signalfd,
        12 => FdKind::Epoll,
        13 => FdKind::Inotify,
        14 => FdKind::Timerfd,
        15 => FdKind::Netlink,
        17 => FdKind::Bpf,
        18 => FdKind::Userfaultfd,
        19 => FdKind::IoUring,
        20 => FdKind::Memfd,
        21 => FdKind::Pidfd,
        10 => FdKind::Unsupported,
        _ => FdKind::Unknown,
    }
}

/// A path with one `/` at its end.
pub(crate) fn directory(path: &[u8]) -> Text {
    if path.ends_with(b"/") { Text::from(path) } else { Text::from([path, b"/"].concat()) }
}
