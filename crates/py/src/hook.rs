//! The price of a hook alone, to compare with.

use eyas_probe::Hook;
use pyo3::prelude::*;

use crate::errors;

/// An empty program at the exit of every system call, attached until it is closed.
#[pyclass(name = "EmptyHook", unsendable, module = "eyas._core")]
pub(crate) struct PyEmptyHook(Option<Hook>);

#[pymethods]
impl PyEmptyHook {
    #[new]
    fn new() -> PyResult<PyEmptyHook> {
        Hook::empty().map(|hook| PyEmptyHook(Some(hook))).map_err(errors::core)
    }

    fn close(&mut self) {
        self.0 = None;
    }
}
