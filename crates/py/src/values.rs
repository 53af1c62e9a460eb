//! Matches and values as Python objects.

use eyas_engine::Match;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use serde_json::Value;

/// One rule that held on one event.
#[pyclass(name = "Match", frozen, get_all, module = "eyas._core")]
pub(crate) struct PyMatch {
    rule: u32,
    num: u64,
    ts: u64,
    timed: bool,
    event: &'static str,
    values: Py<PyList>,
}

/// Converts a batch of matches.
pub(crate) fn matches(py: Python<'_>, batch: Vec<Match>) -> PyResult<Vec<PyMatch>> {
    batch.into_iter().map(|m| one(py, m)).collect()
}

fn one(py: Python<'_>, m: Match) -> PyResult<PyMatch> {
    let values = PyList::empty(py);
    for (text, value) in m.values {
        values.append(PyTuple::new(py, [text.into_pyobject(py)?.into_any(), json(py, &value)?])?)?;
    }
    Ok(PyMatch {
        rule: m.rule,
        num: m.num,
        ts: m.ts,
        timed: m.timed,
        event: m.event,
        values: values.unbind(),
    })
}

/// A JSON value as Python would load it.
pub(crate) fn json<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(b) => b.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(n) => number(py, n)?,
        Value::String(s) => s.into_pyobject(py)?.into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(json(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(map) => {
            let dict = PyDict::new(py);
            for (key, item) in map {
                dict.set_item(key, json(py, item)?)?;
            }
            dict.into_any()
        }
    })
}

fn number<'py>(py: Python<'py>, n: &serde_json::Number) -> PyResult<Bound<'py, PyAny>> {
    if let Some(u) = n.as_u64() {
        return Ok(u.into_pyobject(py)?.into_any());
    }
    if let Some(i) = n.as_i64() {
        return Ok(i.into_pyobject(py)?.into_any());
    }
    Ok(n.as_f64().unwrap_or_default().into_pyobject(py)?.into_any())
}
