//! The door to Python: `eyas._core`. Conversions and one error map, no logic.

mod capture;
mod errors;
mod harden;
mod hook;
mod inspect;
mod listen;
mod live;
mod logs;
mod program;
mod replay;
mod values;

use pyo3::prelude::*;

/// The state makes and drops many small texts; this allocator does so in half the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("CoreError", m.py().get_type::<errors::CoreError>())?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_class::<program::PyProgram>()?;
    m.add_class::<replay::PyReplay>()?;
    m.add_class::<listen::PyListener>()?;
    m.add_class::<logs::PyLogs>()?;
    m.add_class::<logs::PyBodies>()?;
    m.add_class::<values::PyMatch>()?;
    m.add_class::<capture::PyCaptureWriter>()?;
    m.add_class::<inspect::PyLines>()?;
    m.add_class::<live::PyFound>()?;
    m.add_class::<live::PyLoss>()?;
    m.add_class::<live::PyQuestion>()?;
    m.add_class::<live::PyReport>()?;
    m.add_class::<live::PyLive>()?;
    m.add_class::<hook::PyEmptyHook>()?;
    m.add_function(wrap_pyfunction!(inspect::catalog, m)?)?;
    m.add_function(wrap_pyfunction!(live::doctor, m)?)?;
    m.add_function(wrap_pyfunction!(harden::keep_capabilities, m)?)?;
    m.add_function(wrap_pyfunction!(harden::no_new_rights, m)?)?;
    m.add_function(wrap_pyfunction!(harden::deny_calls, m)?)?;
    m.add_function(wrap_pyfunction!(inspect::explain, m)?)?;
    m.add_function(wrap_pyfunction!(logs::explain_record, m)?)?;
    m.add_function(wrap_pyfunction!(inspect::field_values, m)?)?;
    m.add_function(wrap_pyfunction!(inspect::bench_read, m)?)?;
    Ok(())
}
