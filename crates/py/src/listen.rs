//! The listener for services that push.

use std::time::Duration;

use eyas_listen::{Arrived, ListenError, Listener, Refusal, Settings, Tls};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors;

/// Number, sender, wanted headers and body of a request.
type PyRequest = (u64, String, Py<PyDict>, Py<PyBytes>);
/// Sender, reason, detail and count of what was refused.
type PyRefusal = (String, &'static str, String, u64);

/// An HTTP(S) listener.
#[pyclass(name = "Listener", frozen, module = "eyas._core")]
pub(crate) struct PyListener {
    listener: Listener,
    address: (String, u16),
}

#[pymethods]
impl PyListener {
    #[new]
    #[pyo3(signature = (host, port, path, *, token, types, kept, max_body, rate, timeout, head, waiting, tls))]
    #[allow(clippy::too_many_arguments, reason = "the settings, each by its name")]
    fn new(
        host: String,
        port: u16,
        path: String,
        token: Option<String>,
        types: Vec<String>,
        kept: Vec<String>,
        max_body: usize,
        rate: f64,
        timeout: f64,
        head: f64,
        waiting: usize,
        tls: Option<(String, Option<String>, Option<String>)>,
    ) -> PyResult<PyListener> {
        let seconds = |n: f64| Duration::try_from_secs_f64(n).map_err(errors::core);
        let tls = tls.map(|(certificate, key, client_ca)| Tls {
            certificate: certificate.into(),
            key: key.map(Into::into),
            client_ca: client_ca.map(Into::into),
        });
        let (timeout, head) = (seconds(timeout)?, seconds(head)?);
        let settings =
            Settings { host, port, path, token, types, kept, max_body, rate, timeout, head, waiting, tls };
        let listener = Listener::start(settings).map_err(|error| match error {
            ListenError::Address { place, source } => errors::file(&place, source),
            other => errors::core(other),
        })?;
        let address = (listener.address().ip().to_string(), listener.address().port());
        Ok(PyListener { listener, address })
    }

    /// Address and port.
    #[getter]
    fn address(&self) -> (String, u16) {
        self.address.clone()
    }

    /// Takes up to `most` requests, and what was refused; waits for something at most `wait` seconds.
    fn next(&self, py: Python<'_>, most: usize, wait: f64) -> PyResult<(Vec<PyRequest>, Vec<PyRefusal>)> {
        let wait = Duration::try_from_secs_f64(wait).map_err(errors::core)?;
        let batch = py.detach(|| self.listener.next(most, wait));
        if let Some(failure) = batch.failure {
            return Err(errors::core(failure));
        }
        let requests: PyResult<_> = batch.requests.into_iter().map(|one| request(py, one)).collect();
        Ok((requests?, batch.refusals.into_iter().map(refusal).collect()))
    }

    /// Answers a request.
    fn answer(&self, number: u64, status: u16, body: &[u8]) {
        self.listener.answer(number, status, body);
    }

    /// Takes no more.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.listener.stop());
    }
}

fn request(py: Python<'_>, one: Arrived) -> PyResult<PyRequest> {
    let headers = PyDict::new(py);
    for (name, value) in one.headers {
        headers.set_item(name, value)?;
    }
    Ok((one.number, one.peer.to_string(), headers.unbind(), PyBytes::new(py, &one.body).unbind()))
}

fn refusal(one: Refusal) -> PyRefusal {
    (one.peer.to_string(), one.reason, one.detail, one.count)
}
