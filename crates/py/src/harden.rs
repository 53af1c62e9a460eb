//! Rights that this process gives up.

use eyas_harden::Denied;
use pyo3::prelude::*;

use crate::errors;

/// Gives up all capabilities but some; gives the names of those that are left.
#[pyfunction]
pub(crate) fn keep_capabilities(names: Vec<String>, children: bool) -> PyResult<Vec<String>> {
    eyas_harden::keep(&names, children).map_err(errors::core)
}

/// Programs that are started gain no rights.
#[pyfunction]
pub(crate) fn no_new_rights() -> PyResult<()> {
    eyas_harden::no_new_rights().map_err(errors::core)
}

/// Denies system calls to this thread and those that it starts; `probing`: those that load programs too.
#[pyfunction]
pub(crate) fn deny_calls(probing: bool) -> PyResult<()> {
    eyas_harden::deny(if probing { Denied::Probing } else { Denied::Foreign }).map_err(errors::core)
}
