//! State after a loss: what was true at a time, told as the events that were lost.

use std::collections::{HashMap, HashSet};

use eyas_engine::Engine;
use eyas_event::{File, FileKind, Given, Process, Snapshot, build, find};
use eyas_probe::Sensor;
use eyas_state::{Fd, Thread};

use crate::late::{life, program};

/// Births that are further apart than clocks are those of two threads with one id.
const APART_NS: u64 = 1_000_000_000;
const AT_FDCWD: i64 = -100;

/// Threads and open files at a time.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Up to this time events have to be folded before it is compared with the state.
    pub(crate) ts: u64,
    /// Whether descriptors that the kernel side leaves out are left out here too.
    exact: bool,
    threads: HashMap<i64, Process>,
    files: HashMap<i64, HashMap<i64, File>>,
}

impl Standing {
    /// What is true now.
    pub(crate) fn take(sensor: &Sensor) -> Standing {
        let mut standing = Standing { ts: sensor.now(), exact: sensor.iterates(), ..Standing::default() };
        sensor.scan(&mut |record| standing.add(record));
        standing
    }

    fn add(&mut self, record: Snapshot) {
        match record {
            Snapshot::Process(process) => drop(self.threads.insert(process.tid, *process)),
            Snapshot::File(file) => drop(self.files.entry(file.tid).or_default().insert(file.fd, file)),
            _ => {}
        }
    }

    /// Events that make deaths, births, execs and changes of folder known which the state does not know.
    pub(crate) fn lives(&self, engine: &Engine) -> Vec<Vec<u8>> {
        let mut told: Vec<Vec<u8>> = self
            .dead(engine)
            .into_iter()
            .filter_map(|tid| build(find("procexit")?, self.ts, tid, &[]).ok())
            .collect();
        let dead: HashSet<i64> = self.dead(engine).into_iter().collect();
        let mut tids: Vec<&i64> = self.threads.keys().collect();
        // Leaders are told before their threads, as far as numbers say so.
        tids.sort_unstable_by_key(|tid| (self.threads[tid].pid != **tid, **tid));
        for process in tids.into_iter().map(|tid| &self.threads[tid]) {
            let known = engine.state.threads.find(process.tid).filter(|_| !dead.contains(&process.tid));
            match known.and_then(|slot| engine.state.threads.get(slot)) {
                None => told.extend(life(process, self.ts)),
                Some(thread) => told.extend(self.changes(thread, process)),
            }
        }
        told
    }

    /// Threads of the state that are not there, or are others under the same number.
    fn dead(&self, engine: &Engine) -> Vec<i64> {
        let gone = |thread: &&Thread| match self.threads.get(&thread.tid) {
            None => true,
            Some(process) => thread.clone_ts != 0 && thread.clone_ts.abs_diff(process.clone_ts) > APART_NS,
        };
        let born = |thread: &&Thread| thread.tid > 0 && !thread.is_dead() && thread.clone_ts < self.ts;
        engine
            .state
            .threads
            .iter()
            .map(|(_, thread)| thread)
            .filter(born)
            .filter(gone)
            .map(|t| t.tid)
            .collect()
    }

    fn changes(&self, thread: &Thread, process: &Process) -> Vec<Vec<u8>> {
        if process.tid != process.pid {
            return Vec::new();
        }
        let tell =
            |name: &str, params: &[(&str, Given)]| build(find(name)?, self.ts, process.tid, params).ok();
        let same = thread.exe_ino == process.exe_ino
            && thread.exepath.as_ref() == process.exepath
            && (thread.uid, thread.gid) == (process.uid, process.gid);
        let moved = thread.cwd.strip_suffix(b"/").unwrap_or(&thread.cwd)
            != process.cwd.strip_suffix(b"/").unwrap_or(&process.cwd);
        let exec = (!same).then(|| tell("execve", &program(process))).flatten();
        let cwd = [("path", Given::Text(process.cwd.clone()))];
        exec.into_iter().chain(moved.then(|| tell("chdir", &cwd)).flatten()).collect()
    }

    /// Events that close descriptors that are not there any more, and that open files with a path that the state does
    /// not know or knows as something else; and the records of what has no path.
    pub(crate) fn descriptors(&self, engine: &Engine) -> (Vec<Vec<u8>>, Vec<Snapshot>) {
        let (mut told, mut seeds) = (Vec::new(), Vec::new());
        let nothing = HashMap::new();
        for process in self.threads.values().filter(|process| process.tid == process.pid) {
            let Some(slot) = engine.state.threads.find(process.tid) else { continue };
            let Some(thread) = engine.state.threads.get(slot) else { continue };
            let files = self.files.get(&process.tid).unwrap_or(&nothing);
            told.extend(thread.files.iter().filter(|(num, _)| !files.contains_key(num)).filter_map(
                |(num, _)| {
                    build(find("close")?, self.ts, process.tid, &[number("res", 0), number("fd", num)]).ok()
                },
            ));
            let other = |file: &&File| thread.files.get(file.fd).is_none_or(|fd| !is_same(fd, file));
            for file in files.values().filter(|_| self.exact).filter(other) {
                match opened(file, self.ts) {
                    Some(event) => told.push(event),
                    None => seeds.push(Snapshot::File(file.clone())),
                }
            }
        }
        (told, seeds)
    }
}

fn is_same(fd: &Fd, file: &File) -> bool {
    fd.ino == 0 || file.ino == 0 || fd.ino == file.ino
}

fn number(name: &'static str, value: i64) -> (&'static str, Given) {
    (name, Given::Int(i128::from(value)))
}

fn opened(file: &File, ts: u64) -> Option<Vec<u8>> {
    let FileKind::Regular { name, dev, .. } = &file.kind else { return None };
    let params = [
        number("fd", file.fd),
        number("dirfd", AT_FDCWD),
        ("name", Given::Text(name.clone())),
        number("dev", i64::from(*dev)),
        ("ino", Given::Int(i128::from(file.ino))),
    ];
    build(find("openat")?, ts, file.tid, &params).ok()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use eyas_probe::Plan;

    use super::*;
    use crate::scene::Scene;
    use crate::watch::Setup;

    /// Calls that fill the ring twice, then changes that are lost.
    const ACT: &str = "dd if=/dev/zero of=/dev/null bs=1 count=200000 2>/dev/null
        exec 8</etc/passwd 9>&-; cd /usr; echo done; read end";

    /// Far longer than a full ring takes.
    const LONGEST: Duration = Duration::from_secs(30);

    fn loses(sensor: &Sensor) -> bool {
        sensor.counters().lost().values().any(|lost| *lost > 0)
    }

    #[test]
    fn what_a_loss_hid_is_known_afterwards() {
        let Ok(mut sensor) = Sensor::open() else {
            eprintln!("skipped: this machine cannot be watched");
            return;
        };
        let mut scene = Scene::new(&Setup::default()).unwrap();
        let mut plan = Plan::of(&[]);
        plan.calls.extend(["read", "write"].map(|name| (name.to_owned(), Vec::new())));
        sensor.follow(&plan).unwrap();
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
            command.spawn().unwrap()
        };
        // Nothing is read while it acts.
        let mut child = shell(&format!("exec 9</etc/passwd; echo begun; read go; {ACT}"));
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(said.next().unwrap().unwrap(), "begun");
        sensor.scan(&mut |record| scene.seed(&record));
        scene.seeded(sensor.now());
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        assert_eq!(said.next().unwrap().unwrap(), "done");
        assert!(loses(&sensor), "the ring was full");
        let standing = Standing::take(&sensor);
        let end = Instant::now() + LONGEST;
        while sensor.hand_over(standing.ts, &mut |bytes| scene.take(bytes)) < standing.ts {
            assert!(Instant::now() < end, "the reading does not come to its end");
            std::thread::yield_now();
        }
        let tid = i64::from(child.id());
        let known = |scene: &Scene, num: i64| {
            let state = &scene.engine().state;
            let thread = state.threads.get(state.threads.find(tid).unwrap()).unwrap();
            (
                thread.files.get(num).map(|fd| String::from_utf8_lossy(&fd.name).into_owned()),
                thread.cwd.to_vec(),
            )
        };
        assert_eq!(known(&scene, 8), (None, b"/".to_vec()), "the loss hid it");
        scene.repair(&standing);
        assert_eq!(known(&scene, 8), (Some("/etc/passwd".to_owned()), b"/usr/".to_vec()));
        assert_eq!(known(&scene, 9).0, None, "closed meanwhile");
        assert_eq!(known(&scene, 0).0.unwrap().split(':').next(), Some("pipe"));
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
