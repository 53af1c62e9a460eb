//! Compiled rules.

use std::sync::Arc;

use eyas_eval::Program;
use pyo3::prelude::*;

use crate::errors;

/// Rules in the form that the core runs.
#[pyclass(name = "Program", frozen, module = "eyas._core")]
pub(crate) struct PyProgram {
    pub(crate) program: Arc<Program>,
}

#[pymethods]
impl PyProgram {
    #[new]
    #[pyo3(signature = (ir, source="syscall"))]
    fn new(py: Python<'_>, ir: &[u8], source: &str) -> PyResult<PyProgram> {
        let program = py.detach(|| Program::for_source(ir, source)).map_err(errors::core)?;
        give_back();
        Ok(PyProgram { program: Arc::new(program) })
    }
}

/// Gives back what compiling needed, several times what a program takes.
#[allow(unsafe_code, reason = "the allocator is C")]
fn give_back() {
    // SAFETY: frees nothing that is in use.
    unsafe { libmimalloc_sys::mi_collect(true) };
}
