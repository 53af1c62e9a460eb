//! Containers that nobody has described yet: each is asked about once, elsewhere, never while an event waits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use eyas_engine::Engine;
use eyas_event::{Event, id};
use eyas_state::{Seen, Thread};

/// Programs run in a container that are worth asking about: the first ones may still be those of the runtime.
const ENTRIES: u8 = 4;
/// Programs that start containers: their command line says which, before its first process runs.
const RUNTIMES: [&[u8]; 5] = [b"conmon", b"conmonrs", b"crun", b"runc", b"youki"];

/// A container that turned up in a thread's cgroups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its id as fields show it.
    pub container: String,
    /// The cgroup path that names it.
    pub cgroup: String,
    /// A process inside.
    pub pid: i64,
    /// It was not asked about before.
    pub new: bool,
    /// The process runs a program of the container, so its root is that of the container.
    pub inside: bool,
    /// The command line of a runtime that may be about to start a container; the rest says nothing then.
    pub command: Vec<String>,
}

/// Which containers were asked about.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// How often each was asked about as entered.
    known: HashMap<Vec<u8>, u8>,
    last: Option<Arc<[u8]>>,
    /// Those that somebody described, maybe before their first thread.
    told: HashSet<Vec<u8>>,
    /// Those without a thread at the last sweep.
    empty: HashSet<Vec<u8>>,
    questions: Vec<Question>,
}

impl Asked {
    /// Asks about the container of an event's thread, and again when it first runs a program of its own.
    pub(crate) fn look(&mut self, engine: &Engine, event: &Event<'_>, seen: &Seen) {
        let Some(thread) = seen.thread.and_then(|slot| engine.state.threads.get(slot)) else { return };
        let runs = matches!(event.kind, id::SYSCALL_EXECVE_19_X | id::SYSCALL_EXECVEAT_X);
        if runs && seen.errno.is_none() && RUNTIMES.contains(&thread.comm.as_ref()) {
            self.questions.push(announced(thread));
        }
        if thread.container_id.is_empty() {
            return;
        }
        if !runs && self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &thread.container_id)) {
            return;
        }
        self.last = Some(Arc::clone(&thread.container_id));
        self.ask(thread, runs);
    }

    /// Asks about the containers of all threads there are.
    pub(crate) fn look_around(&mut self, engine: &Engine) {
        for (_, thread) in engine.state.threads.iter().filter(|(_, t)| !t.container_id.is_empty()) {
            self.ask(thread, true);
        }
    }

    fn ask(&mut self, thread: &Thread, runs: bool) {
        // What a runtime runs from memory or from the host is not inside yet.
        let inside = runs && !thread.exe_from_memfd && thread.in_pidns();
        let new = !self.known.contains_key(thread.container_id.as_ref());
        let entered = self.known.entry(thread.container_id.to_vec()).or_default();
        let again = inside && *entered < ENTRIES;
        *entered += u8::from(again);
        if new || again {
            self.questions.push(question(thread, new, inside));
        }
    }

    /// Remembers whom a container event describes, so that its record ends too.
    pub(crate) fn told(&mut self, json: &[u8]) {
        let json = serde_json::from_slice::<serde_json::Value>(json).ok();
        if let Some(id) = json.as_ref().and_then(|told| told.get("container")?.get("id")?.as_str()) {
            self.told.insert(id.as_bytes().to_vec());
        }
    }

    /// Forgets a container that is gone.
    pub(crate) fn forget(&mut self, container: &[u8]) {
        self.known.remove(container);
        self.told.remove(container);
        self.last = None;
    }

    /// Containers that have had no thread for two sweeps.
    pub(crate) fn sweep(&mut self, engine: &Engine) -> Vec<Vec<u8>> {
        let mut empty: HashSet<Vec<u8>> = self.known.keys().chain(&self.told).cloned().collect();
        for (_, thread) in engine.state.threads.iter() {
            empty.remove(thread.container_id.as_ref());
        }
        let gone = empty.intersection(&self.empty).cloned().collect();
        self.empty = empty;
        gone
    }

    /// Questions since the last call.
    pub(crate) fn take(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.questions)
    }
}

fn question(thread: &Thread, new: bool, inside: bool) -> Question {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let names =
        |path: &[u8]| path.windows(thread.container_id.len()).any(|w| w == thread.container_id.as_ref());
    let cgroup = thread.cgroups.iter().find(|(_, path)| names(path)).map(|(_, path)| text(path));
    Question {
        container: text(&thread.container_id),
        cgroup: cgroup.unwrap_or_default(),
        pid: thread.pid,
        new,
        inside,
        command: Vec::new(),
    }
}

fn announced(thread: &Thread) -> Question {
    Question {
        container: String::new(),
        cgroup: String::new(),
        pid: thread.pid,
        new: false,
        inside: false,
        command: thread.args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect(),
    }
}
