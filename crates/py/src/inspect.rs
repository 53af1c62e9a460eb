//! Looking at captures and at what the core knows.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::Value;

use crate::errors;
use crate::program::PyProgram;
use crate::replay::open;

/// Fields, events and system calls as JSON.
#[pyfunction]
pub(crate) fn catalog(py: Python<'_>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, eyas_engine::catalog().to_string().as_bytes())
}

/// How each part of rule `rule` came out on event `num`, as JSON.
#[pyfunction]
pub(crate) fn explain<'py>(
    py: Python<'py>,
    path: &str,
    program: &PyProgram,
    rule: u32,
    num: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut footage = open(path, 1).map_err(|e| errors::file(path, e))?;
    let tree = py.detach(|| eyas_engine::explain(&mut footage, &program.program, rule, num));
    let found = tree.map_err(|e| errors::file(path, e))?;
    answer(py, found, || format!("{path}: no rule can see event {num}"))
}

/// How the parts came out, as JSON; an index error where there is no such event.
pub(crate) fn answer(
    py: Python<'_>,
    found: Option<Value>,
    missing: impl FnOnce() -> String,
) -> PyResult<Bound<'_, PyBytes>> {
    match found {
        Some(tree) => Ok(PyBytes::new(py, tree.to_string().as_bytes())),
        None => Err(PyIndexError::new_err(missing())),
    }
}

/// Lines of JSON, one for each event that a rule can see.
#[pyclass(name = "Lines", frozen, module = "eyas._core")]
pub(crate) struct PyLines {
    lines: Mutex<std::vec::IntoIter<String>>,
}

#[pymethods]
impl PyLines {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self) -> Option<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

/// Values of `fields` on every event.
#[pyfunction]
pub(crate) fn field_values(py: Python<'_>, path: &str, fields: Vec<String>) -> PyResult<PyLines> {
    let columns =
        fields.iter().map(|f| eyas_engine::column(f)).collect::<Result<Vec<_>, _>>().map_err(errors::core)?;
    let mut footage = open(path, 1).map_err(|e| errors::file(path, e))?;
    let mut lines = Vec::new();
    let done = py.detach(|| eyas_engine::field_values(&mut footage, &columns, |line| lines.push(line)));
    done.map_err(|e| errors::file(path, e))?;
    Ok(PyLines { lines: Mutex::new(lines.into_iter()) })
}

/// Reads a capture without state or rules; events and seconds.
#[pyfunction]
#[pyo3(signature = (path, repeat=1))]
pub(crate) fn bench_read(py: Python<'_>, path: &str, repeat: u32) -> PyResult<(u64, f64)> {
    let mut footage = open(path, repeat).map_err(|e| errors::file(path, e))?;
    let start = Instant::now();
    let events = py.detach(|| eyas_engine::bench_read(&mut footage)).map_err(|e| errors::file(path, e))?;
    Ok((events, start.elapsed().as_secs_f64()))
}
