//! A capture through the engine.

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use eyas_engine::{Engine, Footage, Recorder, Replay};
use eyas_scap::{Reader, ScapError, Tape};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors;
use crate::program::PyProgram;
use crate::values::{PyMatch, matches};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(crate) fn clock() -> u64 {
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Opens a capture; one that is played more than once is held in memory.
pub(crate) fn open(path: &str, repeat: u32) -> Result<Footage, ScapError> {
    let reader = Reader::open(Path::new(path))?;
    Ok(if repeat == 1 { Footage::File(Box::new(reader)) } else { Footage::Tape(Tape::load(reader, repeat)?) })
}

/// A capture being replayed.
#[pyclass(name = "Replay", frozen, module = "eyas._core")]
pub(crate) struct PyReplay {
    replay: Mutex<Replay>,
    path: String,
}

#[pymethods]
impl PyReplay {
    #[new]
    #[pyo3(signature = (path, program=None, *, write=None, keep=None, repeat=1))]
    fn new(
        py: Python<'_>,
        path: String,
        program: Option<&PyProgram>,
        write: Option<&str>,
        keep: Option<&PyProgram>,
        repeat: u32,
    ) -> PyResult<PyReplay> {
        let footage = py.detach(|| open(&path, repeat)).map_err(|e| errors::file(&path, e))?;
        let keep = keep.map(|k| Arc::clone(&k.program));
        let record = |out: &str| Recorder::create(Path::new(out), keep).map_err(|e| errors::file(out, e));
        let recorder = write.map(record).transpose()?;
        let engine = Engine::new(program.map(|p| Arc::clone(&p.program)));
        Ok(PyReplay { replay: Mutex::new(Replay::new(footage, engine, recorder, clock)), path })
    }

    /// Plays up to `max_events` events: their matches, and whether the end is reached.
    fn next(&self, py: Python<'_>, max_events: usize) -> PyResult<(Vec<PyMatch>, bool)> {
        let batch = py.detach(|| self.lock().next(max_events)).map_err(|e| errors::file(&self.path, e))?;
        Ok((matches(py, batch.matches)?, batch.ended))
    }

    /// Figures so far.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let s = self.lock().statistics();
        let seconds = |ns: u64| ns as f64 / 1e9;
        let dict = PyDict::new(py);
        dict.set_item("events", s.events)?;
        dict.set_item("alerts", s.alerts)?;
        dict.set_item("lost", s.drops)?;
        dict.set_item("unknown_events", s.unknown_events)?;
        dict.set_item("absorbed", s.absorbed)?;
        dict.set_item("seconds", seconds(s.nanoseconds))?;
        dict.set_item("seed_seconds", seconds(s.seeding))?;
        dict.set_item("position", s.position)?;
        dict.set_item("size", s.size)?;
        let warnings: Vec<(u64, String)> = s.warnings.into_iter().map(|w| (w.offset, w.text)).collect();
        dict.set_item("warnings", warnings)?;
        Ok(dict)
    }
}

impl PyReplay {
    fn lock(&self) -> MutexGuard<'_, Replay> {
        self.replay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
