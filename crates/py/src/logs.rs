//! Records of log sources through the engine.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use eyas_engine::{Bodies, Intake, Logs, unpacked};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::program::PyProgram;
use crate::replay::clock;
use crate::values::{PyMatch, matches};
use crate::{errors, inspect};

/// Bytes that a record may have.
const LIMIT: usize = 16 << 20;
/// Bodies up to this are judged without letting go of the interpreter.
const SMALL: usize = 16 << 10;

/// How many records of a kind there were, and where the first of them is.
type Counted = (u64, Option<u64>);
/// Matches of a body, its events, its refusals, what was skipped, and what said no time.
type Judged = (Vec<PyMatch>, u64, Vec<(u64, String)>, Counted, Counted);

/// Bytes read again and again.
struct Repeated {
    bytes: Cursor<Vec<u8>>,
    left: u32,
}

impl Read for Repeated {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.bytes.read(out)?;
            if count > 0 || out.is_empty() || self.left <= 1 {
                return Ok(count);
            }
            self.left -= 1;
            self.bytes.set_position(0);
        }
    }
}

fn open(path: &str, repeat: u32) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    if repeat <= 1 {
        return unpacked(file);
    }
    let mut bytes = Vec::new();
    { file }.read_to_end(&mut bytes)?;
    unpacked(Repeated { bytes: Cursor::new(bytes), left: repeat })
}

/// When a file was last changed, nanoseconds since the epoch: what of it says no time came then.
fn modified(path: &str) -> io::Result<u64> {
    let since = std::fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// How each part of rule `rule` came out on event `num` of a file of records, as JSON.
#[pyfunction]
pub(crate) fn explain_record<'py>(
    py: Python<'py>,
    path: &str,
    program: &PyProgram,
    rule: u32,
    num: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let opened = open(path, 1).and_then(|source| Ok((source, modified(path)?)));
    let (source, came) = opened.map_err(|e| errors::file(path, e))?;
    let intake = Intake::new(Arc::clone(&program.program), "", 0);
    let tree =
        py.detach(|| intake.explain(source, LIMIT, came, rule, num)).map_err(|e| errors::file(path, e))?;
    inspect::answer(py, tree, || format!("{path}: there is no event {num}"))
}

fn counted<'py>(py: Python<'py>, intake: &Intake) -> PyResult<Bound<'py, PyDict>> {
    let [events, refused, skipped, repeated] = intake.counts();
    let dict = PyDict::new(py);
    dict.set_item("events", events)?;
    dict.set_item("alerts", intake.alerts())?;
    dict.set_item("refused", refused)?;
    dict.set_item("skipped", skipped)?;
    dict.set_item("repeated", repeated)?;
    dict.set_item("untimed", intake.untimed().count)?;
    Ok(dict)
}

/// A file of records being judged.
#[pyclass(name = "Logs", frozen, module = "eyas._core")]
pub(crate) struct PyLogs {
    logs: Mutex<Logs>,
    path: String,
}

#[pymethods]
impl PyLogs {
    #[new]
    #[pyo3(signature = (path, program, *, hostname="", limit=LIMIT, repeats=0, repeat=1))]
    fn new(
        py: Python<'_>,
        path: String,
        program: &PyProgram,
        hostname: &str,
        limit: usize,
        repeats: usize,
        repeat: u32,
    ) -> PyResult<PyLogs> {
        let opened = py.detach(|| open(&path, repeat).and_then(|source| Ok((source, modified(&path)?))));
        let (source, came) = opened.map_err(|e| errors::file(&path, e))?;
        let intake = Intake::new(Arc::clone(&program.program), hostname, repeats);
        Ok(PyLogs { logs: Mutex::new(Logs::new(source, came, limit, intake, clock)), path })
    }

    /// Judges up to `max_events` records: their matches, and whether the end is reached.
    fn next(&self, py: Python<'_>, max_events: usize) -> PyResult<(Vec<PyMatch>, bool)> {
        let batch = py.detach(|| self.lock().next(max_events)).map_err(|e| errors::file(&self.path, e))?;
        Ok((matches(py, batch.matches)?, batch.ended))
    }

    /// Figures so far.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let logs = self.lock();
        let s = logs.statistics();
        let dict = counted(py, logs.intake())?;
        dict.set_item("skipped_at", logs.intake().skipped_at())?;
        dict.set_item("untimed_at", logs.intake().untimed().at)?;
        dict.set_item("lost", 0)?;
        dict.set_item("unknown_events", s.unknown_events)?;
        dict.set_item("seconds", s.nanoseconds as f64 / 1e9)?;
        dict.set_item("position", s.position)?;
        dict.set_item("size", s.size)?;
        let warnings: Vec<(u64, String)> = s.warnings.into_iter().map(|w| (w.offset, w.text)).collect();
        dict.set_item("warnings", warnings)?;
        Ok(dict)
    }
}

impl PyLogs {
    fn lock(&self) -> MutexGuard<'_, Logs> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bodies of a source, judged as they arrive.
#[pyclass(name = "Bodies", frozen, module = "eyas._core")]
pub(crate) struct PyBodies {
    bodies: Mutex<Bodies>,
}

#[pymethods]
impl PyBodies {
    #[new]
    #[pyo3(signature = (program, *, hostname="", limit=LIMIT, repeats=0))]
    fn new(program: &PyProgram, hostname: &str, limit: usize, repeats: usize) -> PyBodies {
        let intake = Intake::new(Arc::clone(&program.program), hostname, repeats);
        PyBodies { bodies: Mutex::new(Bodies::new(intake, limit)) }
    }

    /// Judges every record of a body that came at a time, in nanoseconds. Gives the matches, how many events there
    /// were, what was refused (offset in the body, and why), and what was skipped and what said no time of its own (how
    /// many, and the offset of the first).
    fn judge(&self, py: Python<'_>, body: &[u8], came: u64) -> PyResult<Judged> {
        let mut found = Vec::new();
        let mut judge = || {
            let mut bodies = self.lock();
            let ([events_before, _, skipped_before, _], untimed_before) =
                (bodies.intake.counts(), bodies.intake.untimed());
            bodies.intake.forget_places();
            bodies.body(body, came, &mut found)?;
            let ([events, _, skipped, _], untimed) = (bodies.intake.counts(), bodies.intake.untimed());
            let skips = (skipped - skipped_before, bodies.intake.skipped_at());
            let timeless = (untimed.count - untimed_before.count, untimed.at);
            Ok((events - events_before, bodies.intake.refusals(), skips, timeless))
        };
        // A small body takes less time than handing the interpreter over and back.
        let judged: io::Result<_> = if body.len() < SMALL { judge() } else { py.detach(judge) };
        let (events, refusals, skips, timeless) = judged.map_err(errors::core)?;
        let refused = refusals.into_iter().map(|r| (r.offset, r.text)).collect();
        Ok((matches(py, found)?, events, refused, skips, timeless))
    }

    /// Puts other rules of the same source in force.
    fn reload(&self, program: &PyProgram) {
        self.lock().intake.reload(Arc::clone(&program.program));
    }

    /// Figures so far.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        counted(py, &self.lock().intake)
    }
}

impl PyBodies {
    fn lock(&self) -> MutexGuard<'_, Bodies> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
