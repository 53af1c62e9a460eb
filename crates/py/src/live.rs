//! This machine being watched.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eyas_event::Given;
use eyas_live::{Figures, Found, Loss, Question, Report, Retention, Rules, Setup, Wanted, Watch};
use eyas_probe::{Account, Plan, Rung};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList};

use crate::capture::named;
use crate::errors;
use crate::program::PyProgram;
use crate::values::matches;

/// Matches of one set of rules.
#[pyclass(name = "Found", frozen, get_all, module = "eyas._core")]
pub(crate) struct PyFound {
    generation: u32,
    read: u64,
    judged: u64,
    amends: bool,
    matches: Py<PyList>,
}

/// A container that nobody has described yet.
#[pyclass(name = "Question", frozen, get_all, module = "eyas._core")]
pub(crate) struct PyQuestion {
    container: String,
    cgroup: String,
    pid: i64,
    new: bool,
    inside: bool,
    command: Vec<String>,
}

/// What there is to tell since the last time.
#[pyclass(name = "Report", frozen, get_all, module = "eyas._core")]
pub(crate) struct PyReport {
    found: Py<PyList>,
    questions: Py<PyList>,
    losses: Py<PyList>,
    held: Vec<(u32, u32, u64)>,
    troubles: Vec<String>,
}

/// Events that were lost between two looks.
#[pyclass(name = "Loss", frozen, get_all, module = "eyas._core")]
pub(crate) struct PyLoss {
    since: u64,
    until: u64,
    lost: BTreeMap<&'static str, u64>,
    calls: Vec<&'static str>,
}

/// This machine being watched.
#[pyclass(name = "Live", frozen, module = "eyas._core")]
pub(crate) struct PyLive {
    watch: Mutex<Watch>,
}

#[pymethods]
impl PyLive {
    /// Loads the probe and takes the initial state; returns once the hooks are on.
    #[new]
    #[allow(clippy::too_many_arguments, reason = "the settings, each by its name")]
    #[pyo3(signature = (program, events, *, write=None, keep=None, plan=None, notes=Vec::new(), described=Vec::new(), retention=(0, 0), hooks=None))]
    fn new(
        py: Python<'_>,
        program: Option<&PyProgram>,
        events: Vec<u16>,
        write: Option<PathBuf>,
        keep: Option<&PyProgram>,
        plan: Option<&str>,
        notes: Vec<u32>,
        described: Vec<u16>,
        retention: (u64, usize),
        hooks: Option<&str>,
    ) -> PyResult<PyLive> {
        let keep = keep.map(|k| Arc::clone(&k.program));
        let (before, memory) = retention;
        let retention = Retention { before, memory };
        let hooks = hooks.map(|name| {
            Rung::named(name).ok_or_else(|| errors::core(format!("no hooks are called '{name}'")))
        });
        let setup = Setup {
            rules: rules(program, events, plan, (notes, described))?,
            write,
            retention,
            keep,
            hooks: hooks.transpose()?,
        };
        let watch = py.detach(|| Watch::start(setup)).map_err(errors::live)?;
        Ok(PyLive { watch: Mutex::new(watch) })
    }

    /// A descriptor that is readable when `take` has something to give.
    fn fileno(&self) -> i32 {
        self.lock().as_fd().as_raw_fd()
    }

    /// What was found since the last call.
    fn take(&self, py: Python<'_>) -> PyResult<PyReport> {
        let told = py.detach(|| self.lock().take()).map_err(errors::live)?;
        report(py, told)
    }

    /// Puts other rules in force without a gap; gives their number.
    #[pyo3(signature = (program, events, *, plan=None, notes=Vec::new(), described=Vec::new()))]
    fn reload(
        &self,
        py: Python<'_>,
        program: &PyProgram,
        events: Vec<u16>,
        plan: Option<&str>,
        notes: Vec<u32>,
        described: Vec<u16>,
    ) -> PyResult<u32> {
        let rules = rules(Some(program), events, plan, (notes, described))?;
        Ok(py.detach(|| self.lock().reload(rules)))
    }

    /// Writes footage to a file: the past in memory and what comes until a time, of at most `limit` bytes.
    fn footage(&self, py: Python<'_>, path: PathBuf, until: u64, limit: u64) {
        py.detach(|| self.lock().footage(Wanted { path, until, limit }));
    }

    /// Tells what the kernel does not, as an event with values by parameter name: a container, its users.
    fn tell(&self, py: Python<'_>, name: &str, params: &Bound<'_, PyDict>) -> PyResult<()> {
        let named = named(params)?;
        let values: Vec<(&str, Given)> = named.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        py.detach(|| self.lock().tell(name, &values)).map_err(errors::core)
    }

    /// Figures so far.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let figures = py.detach(|| self.lock().figures());
        figures_dict(py, figures)
    }

    /// Stops watching; gives what was still under way.
    fn close(&self, py: Python<'_>) -> PyResult<PyReport> {
        let told = py.detach(|| self.lock().stop()).map_err(errors::live)?;
        report(py, told)
    }
}

impl PyLive {
    fn lock(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rules(
    program: Option<&PyProgram>,
    events: Vec<u16>,
    plan: Option<&str>,
    (notes, described): (Vec<u32>, Vec<u16>),
) -> PyResult<Rules> {
    let plan = plan.map(Plan::parse).transpose().map_err(|e| errors::live(e.into()))?;
    Ok(Rules { program: program.map(|p| Arc::clone(&p.program)), notes, described, events, plan })
}

fn report(py: Python<'_>, report: Report) -> PyResult<PyReport> {
    let found = report.found.into_iter().map(|f| batch(py, f)).collect::<PyResult<Vec<_>>>()?;
    let questions: Vec<PyQuestion> = report.questions.into_iter().map(question).collect();
    let losses: Vec<PyLoss> = report.losses.into_iter().map(loss).collect();
    Ok(PyReport {
        found: PyList::new(py, found)?.unbind(),
        questions: PyList::new(py, questions)?.unbind(),
        losses: PyList::new(py, losses)?.unbind(),
        held: report.held,
        troubles: report.troubles,
    })
}

fn batch(py: Python<'_>, found: Found) -> PyResult<PyFound> {
    let Found { generation, read, judged, amends, matches: list } = found;
    let matches = PyList::new(py, matches(py, list)?)?.unbind();
    Ok(PyFound { generation, read, judged, amends, matches })
}

fn loss(loss: Loss) -> PyLoss {
    let Loss { since, until, lost, calls } = loss;
    PyLoss { since, until, lost, calls }
}

fn question(question: Question) -> PyQuestion {
    let Question { container, cgroup, pid, new, inside, command } = question;
    PyQuestion { container, cgroup, pid, new, inside, command }
}

fn figures_dict(py: Python<'_>, figures: Figures) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("events", figures.events)?;
    dict.set_item("recorded", figures.recorded)?;
    dict.set_item("alerts", figures.alerts)?;
    dict.set_item("lost", figures.ledger.values().map(|account| account.lost).sum::<u64>())?;
    let ledger = PyDict::new(py);
    for (class, Account { sent, lost, read }) in figures.ledger {
        ledger.set_item(class, [("sent", sent), ("lost", lost), ("read", read)].into_py_dict(py)?)?;
    }
    dict.set_item("ledger", ledger)?;
    dict.set_item("unknown_events", figures.unknown)?;
    dict.set_item("known", figures.known)?;
    dict.set_item("seconds", figures.elapsed.as_secs_f64())?;
    Ok(dict)
}

/// What this machine allows, as JSON.
#[pyfunction]
pub(crate) fn doctor(py: Python<'_>) -> Bound<'_, PyBytes> {
    let facts = py.detach(eyas_probe::doctor);
    let json = serde_json::json!({
        "release": facts.release,
        "root": facts.root,
        "btf": facts.btf,
        "refused": facts.refused,
        "rung": facts.rung.map(Rung::name),
        "refusals": facts.refusals.iter().map(|(rung, why)| (rung.name(), why)).collect::<BTreeMap<_, _>>(),
        "state": facts.scans,
        "lacks": facts.rung.map_or(&[][..], Rung::lacks),
        "calls": facts.calls,
        "events": facts.events,
    });
    PyBytes::new(py, json.to_string().as_bytes())
}
