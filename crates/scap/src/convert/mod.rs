//! Old events become current ones: parameters are added, moved or taken from the enter event of the same thread.

mod generated;
mod shape;

use std::collections::HashMap;

use eyas_event::EVENTS;
use eyas_event::table::{Flags, Info};

use generated::{MAX_STEPS, ROWS};
pub(crate) use shape::{counted, header_only};
use shape::{Raw, build, container_json, default_value};

/// What a row does with an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Deliver unchanged.
    Pass,
    /// Remember as the last enter event of the thread; do not deliver.
    StoreDrop,
    /// Remember and deliver.
    StorePass,
    /// Append parameters.
    AddParams(&'static [Source]),
    /// Build an event of another type from exactly these parameters.
    ChangeType { to: u16, params: &'static [Source] },
}

/// Where a parameter of a converted event comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Old(usize),
    Enter(usize),
    EnterOrEmpty(usize),
    Default,
    Empty,
    ContainerJson,
}

/// One conversion, found by type and parameter count.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) kind: u16,
    pub(crate) params: u32,
    pub(crate) action: Action,
}

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is current already.
    Unchanged,
    /// The converted event stands in `Converter::event`.
    Converted,
    /// It only served conversion.
    Dropped,
}

/// Converts one stream; remembers enter events by thread.
#[derive(Default)]
pub(crate) struct Converter {
    enters: HashMap<i64, Vec<u8>>,
    /// The event that `Converted` speaks of.
    pub(crate) event: Vec<u8>,
    spare: Vec<u8>,
}

enum Step {
    Deliver,
    Drop,
    Again,
}

/// Whether an event of this type and parameter count is current: the quick test before `Converter::convert`.
pub(crate) fn is_current(info: &Info, params: usize) -> bool {
    if !info.flags.has(Flags::CONVERTER_MANAGED) {
        return !info.flags.has(Flags(Flags::OLD_VERSION.0 | Flags::UNUSED.0));
    }
    info.is_exit() && !info.flags.has(Flags::OLD_VERSION) && params == info.params.len()
}

impl Converter {
    /// Forgets enter events: a new section begins.
    pub(crate) fn clear(&mut self) {
        self.enters.clear();
    }

    /// Converts `bytes`, an event with a parameter count in its header.
    ///
    /// # Errors
    /// Says in words why there is no conversion.
    pub(crate) fn convert(&mut self, bytes: &[u8]) -> Result<Outcome, String> {
        let mut changed = false;
        for _ in 0..MAX_STEPS {
            let current = if changed { std::mem::take(&mut self.event) } else { Vec::new() };
            let step = self.step(if changed { &current } else { bytes });
            match step? {
                Step::Drop => return Ok(Outcome::Dropped),
                Step::Deliver if changed => {
                    self.event = current;
                    self.used(changed);
                    return Ok(Outcome::Converted);
                }
                Step::Deliver => return Ok(Outcome::Unchanged),
                Step::Again => {
                    std::mem::swap(&mut self.event, &mut self.spare);
                    self.spare = current;
                    changed = true;
                }
            }
        }
        Err(format!("conversion did not end after {MAX_STEPS} rounds"))
    }

    /// The stored enter event of the thread has served.
    fn used(&mut self, changed: bool) {
        if let Some(raw) = Raw::read(&self.event).filter(|raw| changed && raw.kind & 1 == 1) {
            self.enters.remove(&raw.tid);
        }
    }

    fn step(&mut self, bytes: &[u8]) -> Result<Step, String> {
        let raw = Raw::read(bytes).ok_or("event is shorter than its header says")?;
        let info = &EVENTS[usize::from(raw.kind)];
        let (count, exit) = (raw.params.len(), info.is_exit());
        if info.flags.has(Flags::UNUSED) {
            return Ok(Step::Drop);
        }
        let old = info.flags.has(Flags::OLD_VERSION);
        if !info.flags.has(Flags::CONVERTER_MANAGED) {
            return match (old, exit) {
                (false, _) => Ok(Step::Deliver),
                (true, false) => Ok(Step::Drop),
                (true, true) => Err(format!("old event {} ({}) has no conversion", raw.kind, info.name)),
            };
        }
        if exit && count > info.params.len() {
            return Err(format!("event {} ({}) has {count} parameters", raw.kind, info.name));
        }
        if exit && !old && count == info.params.len() {
            return Ok(Step::Deliver);
        }
        let row = row(raw.kind, count)
            .ok_or_else(|| format!("event {} ({}) with {count} parameters is unknown", raw.kind, info.name))?;
        self.apply(row, &raw, bytes)
    }

    fn apply(&mut self, row: &Row, raw: &Raw<'_>, bytes: &[u8]) -> Result<Step, String> {
        match row.action {
            Action::Pass => Ok(Step::Deliver),
            Action::StoreDrop => {
                self.enters.insert(raw.tid, bytes.to_vec());
                Ok(Step::Drop)
            }
            Action::StorePass => {
                self.enters.insert(raw.tid, bytes.to_vec());
                Ok(Step::Deliver)
            }
            Action::AddParams(sources) => self.rebuild(raw, raw.kind, raw.params.len(), sources),
            Action::ChangeType { to, params } => self.rebuild(raw, to, 0, params),
        }
    }

    /// Builds the event of type `to` in `spare`: the first `keep` parameters, then `sources`.
    fn rebuild(&mut self, raw: &Raw<'_>, to: u16, keep: usize, sources: &[Source]) -> Result<Step, String> {
        let enter = self.enters.get(&raw.tid).and_then(|bytes| Raw::read(bytes));
        let info = &EVENTS[usize::from(to)];
        let mut values: Vec<Vec<u8>> = raw.params[..keep].iter().map(|p| p.to_vec()).collect();
        for source in sources {
            let kind = info.params.get(values.len()).map(|p| p.kind).ok_or("conversion has too many parameters")?;
            let mut value = match *source {
                Source::Old(i) => raw.params.get(i).copied().unwrap_or_default().to_vec(),
                Source::Enter(i) | Source::EnterOrEmpty(i) => match &enter {
                    Some(enter) => entered(enter, raw.kind, i)?,
                    None if matches!(source, Source::Enter(_)) => default_value(kind),
                    None => Vec::new(),
                },
                Source::Default => default_value(kind),
                Source::Empty => Vec::new(),
                Source::ContainerJson => container_json(&raw.params),
            };
            if let Some(size) = kind.size() {
                value.truncate(size);
            }
            values.push(value);
        }
        build(raw, to, &values, &mut self.spare);
        Ok(Step::Again)
    }
}

fn entered(enter: &Raw<'_>, exit: u16, i: usize) -> Result<Vec<u8>, String> {
    if enter.kind + 1 != exit {
        return Err(format!("exit event {exit} follows enter event {}", enter.kind));
    }
    let value = enter.params.get(i).ok_or_else(|| format!("enter event {} has no parameter {i}", enter.kind))?;
    Ok(value.to_vec())
}

fn row(kind: u16, params: usize) -> Option<&'static Row> {
    let params = u32::try_from(params).ok()?;
    let at = ROWS.binary_search_by_key(&(kind, params), |row| (row.kind, row.params)).ok()?;
    ROWS.get(at)
}
