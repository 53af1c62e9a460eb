//! The one place where Python exceptions are made.

use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

pyo3::create_exception!(eyas._core, CoreError, PyValueError, "The core refused its input.");

/// Any error of the core, with its message.
pub(crate) fn core(error: impl std::fmt::Display) -> PyErr {
    CoreError::new_err(error.to_string())
}

/// A file that could not be used. Errors of the system keep their number, so that they become `FileNotFoundError`
/// and its relatives.
pub(crate) fn file(path: &str, error: impl std::error::Error + 'static) -> PyErr {
    match io(&error).and_then(std::io::Error::raw_os_error) {
        Some(number) => {
            let text = std::io::Error::from_raw_os_error(number).to_string();
            let text = text.split(" (os error").next().unwrap_or(&text).to_owned();
            pyo3::exceptions::PyOSError::new_err((number, text, path.to_owned()))
        }
        None => CoreError::new_err(format!("{path}: {error}")),
    }
}

/// The system's error at the root of another.
fn io<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref() {
            return Some(io);
        }
        next = error.source();
    }
    None
}

/// Why this machine is not watched, and what to do about it.
pub(crate) fn live(error: eyas_live::LiveError) -> PyErr {
    CoreError::new_err((error.to_string(), error.hint()))
}
