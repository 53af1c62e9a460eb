//! Making captures from readable values.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eyas_event::{Event, Given, build, find};
use eyas_scap::{Compression, Writer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyString};

use crate::errors;

/// A capture being made: in a file, or in memory when no path is given.
#[pyclass(name = "CaptureWriter", frozen, module = "eyas._core")]
pub(crate) struct PyCaptureWriter {
    writer: Mutex<Option<Writer>>,
    memory: Arc<Mutex<Vec<u8>>>,
    path: String,
}

/// A stream whose bytes stay in reach.
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl PyCaptureWriter {
    #[new]
    #[pyo3(signature = (path=None))]
    fn new(path: Option<String>) -> PyResult<PyCaptureWriter> {
        let memory = Arc::default();
        let writer = match &path {
            Some(path) => Writer::create(Path::new(path)).map_err(|e| errors::file(path, e))?,
            None => Writer::new(Shared(Arc::clone(&memory)), Compression::Plain),
        };
        Ok(PyCaptureWriter { writer: Mutex::new(Some(writer)), memory, path: path.unwrap_or_default() })
    }

    /// Adds records of the initial state, given as JSON.
    fn snapshot(&self, json: &[u8]) -> PyResult<()> {
        let records = eyas_engine::snapshot(json).map_err(errors::core)?;
        self.with(|writer| {
            records.into_iter().for_each(|r| writer.snapshot(r));
            Ok(())
        })
    }

    /// Adds an event by name or id, with values by parameter name.
    #[pyo3(signature = (name_or_id, ts, tid, params, *, cpu=0, dump_flags=0))]
    fn event(
        &self,
        name_or_id: &Bound<'_, PyAny>,
        ts: u64,
        tid: i64,
        params: &Bound<'_, PyDict>,
        cpu: u16,
        dump_flags: u32,
    ) -> PyResult<()> {
        let name = name_or_id.str()?.to_string();
        let info = find(&name).ok_or_else(|| errors::core(format!("no event is called {name}")))?;
        let named = named(params)?;
        let values: Vec<(&str, Given)> = named.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        let bytes = build(info, ts, tid, &values).map_err(errors::core)?;
        let event = Event::parse(&bytes, cpu, dump_flags).map_err(errors::core)?;
        self.with(|writer| writer.event(&event).map_err(|e| errors::file(&self.path, e)))
    }

    /// Ends the capture; gives its bytes when it was made in memory.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        if let Some(writer) = lock(&self.writer).take() {
            writer.finish().map_err(|e| errors::file(&self.path, e))?;
        }
        Ok(self.path.is_empty().then(|| PyBytes::new(py, &lock(&self.memory))))
    }
}

impl PyCaptureWriter {
    fn with(&self, act: impl FnOnce(&mut Writer) -> PyResult<()>) -> PyResult<()> {
        match lock(&self.writer).as_mut() {
            Some(writer) => act(writer),
            None => Err(errors::core("the capture is closed")),
        }
    }
}

/// Values by parameter name.
pub(crate) fn named(params: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Given)>> {
    params.iter().map(|(key, value)| Ok((key.extract()?, given(&value)?))).collect()
}

fn given(value: &Bound<'_, PyAny>) -> PyResult<Given> {
    if value.is_none() {
        return Ok(Given::Nothing);
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(Given::Int(i128::from(value.extract::<bool>()?)));
    }
    if value.is_instance_of::<PyInt>() {
        let number =
            value.extract::<i64>().map(i128::from).or_else(|_| value.extract::<u64>().map(i128::from));
        return Ok(Given::Int(number?));
    }
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        return Ok(Given::Text(text(value)?));
    }
    let items = value
        .try_iter()
        .map_err(|_| PyTypeError::new_err("a number, a text or a list of texts is expected"))?;
    Ok(Given::List(items.map(|item| text(&item?)).collect::<PyResult<_>>()?))
}

fn text(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    Ok(value.extract::<String>()?.into_bytes())
}
