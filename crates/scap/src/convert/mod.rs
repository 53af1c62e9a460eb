//! Turns events of older versions into current ones, by the table of conversions.
//!
//! Old captures hold an enter and an exit event for each call; the enter event is kept here until its exit event
//! takes the parameters that it needs.

mod generated;
mod json;

use eyas_event::table::{Flags, Kind, Param};
use eyas_event::{EVENTS, Event, encode};
use rustc_hash::FxHashMap;

use crate::error::Fault;
use generated::{MAX_STEPS, ROWS};

/// What happens to an event of one type and parameter count.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Delivered unchanged.
    Pass,
    /// Kept for its exit event, not delivered.
    StoreDrop,
    /// Kept and delivered.
    StorePass,
    /// Parameters are appended.
    AddParams(&'static [Source]),
    /// All parameters of a new type.
    ChangeType { to: u16, params: &'static [Source] },
}

/// Where a parameter of the converted event comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The event itself.
    Old(usize),
    /// The kept enter event; the default of the type without one.
    Enter(usize),
    /// The kept enter event; empty without one.
    EnterOrEmpty(usize),
    /// Zero, "nobody" for users and groups, empty for texts.
    Default,
    /// Not available.
    Empty,
    /// Container metadata of four parameters as one JSON text.
    ContainerJson,
}

/// One row of the table.
pub(crate) struct Row {
    pub kind: u16,
    pub params: u32,
    pub action: Action,
}

/// What became of an event.
pub(crate) enum Verdict {
    Unchanged,
    /// The converted event is in `Converter::event`.
    Converted,
    Dropped,
}

enum Route {
    Deliver,
    Drop,
    Apply(&'static Action),
    Refuse(&'static str),
}

/// Enter events kept at most: a thread each, as many as the thread table takes.
const KEPT_MAX: usize = 262_144;
/// Marks a type that is delivered with any number of parameters, and one that never is without a look.
const ANY: u32 = u32::MAX;
const NEVER: u32 = u32::MAX - 1;

/// Conversion with its memory of enter events.
pub(crate) struct Converter {
    plain: Vec<u32>,
    kept: FxHashMap<i64, Vec<u8>>,
    spare: Vec<Vec<u8>>,
    current: Vec<u8>,
    next: Vec<u8>,
}

impl Converter {
    pub(crate) fn new() -> Converter {
        let plain = (0..).zip(&EVENTS).map(|(kind, _): (u16, _)| plain_count(kind)).collect();
        Converter {
            plain,
            kept: FxHashMap::default(),
            spare: Vec::new(),
            current: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Forgets every enter event.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    /// Whether an event of a known type needs no conversion: the way of nearly all events of today's captures.
    #[inline]
    pub(crate) fn is_plain(&self, kind: u16, params: u32) -> bool {
        let count = self.plain[usize::from(kind)];
        count == params || count == ANY
    }

    /// Result of a conversion.
    pub(crate) fn event(&self) -> &[u8] {
        &self.current
    }

    /// Follows the table until the event is current or gone.
    pub(crate) fn convert(&mut self, bytes: &[u8]) -> Result<Verdict, Fault> {
        let first = Event::parse(bytes, 0, 0)?;
        let mut changed = false;
        let mut used = false;
        for _ in 0..MAX_STEPS {
            let source = std::mem::take(&mut self.current);
            let event = if changed { Event::parse(&source, 0, 0)? } else { first };
            let verdict = self.step(&event, &mut used);
            if let Ok(Step::Done(Verdict::Unchanged)) = verdict {
                self.current = source;
                self.forget(used, first.tid);
                return Ok(if changed { Verdict::Converted } else { Verdict::Unchanged });
            }
            self.current = source;
            match verdict? {
                Step::Done(verdict) => return Ok(verdict),
                Step::Again => std::mem::swap(&mut self.current, &mut self.next),
            }
            changed = true;
        }
        Err(refusal(&first, "conversions do not end"))
    }

    fn step(&mut self, event: &Event<'_>, used: &mut bool) -> Result<Step, Fault> {
        match route(event.kind, event.params.count()) {
            Route::Deliver | Route::Apply(Action::Pass) => Ok(Step::Done(Verdict::Unchanged)),
            Route::Drop => Ok(Step::Done(Verdict::Dropped)),
            Route::Refuse(why) => Err(refusal(event, why)),
            Route::Apply(Action::StoreDrop) => {
                self.keep(event);
                Ok(Step::Done(Verdict::Dropped))
            }
            Route::Apply(Action::StorePass) => {
                self.keep(event);
                Ok(Step::Done(Verdict::Unchanged))
            }
            Route::Apply(Action::AddParams(added)) => {
                let old = (0..event.params.count()).map(Source::Old);
                let sources: Vec<Source> = old.chain(added.iter().copied()).collect();
                self.build(event, event.kind, &sources, used).map(|()| Step::Again)
            }
            Route::Apply(Action::ChangeType { to, params }) => {
                self.build(event, *to, params, used).map(|()| Step::Again)
            }
        }
    }

    fn keep(&mut self, event: &Event<'_>) {
        if self.kept.len() >= KEPT_MAX && !self.kept.contains_key(&event.tid) {
            return;
        }
        let spare = &mut self.spare;
        let kept = self.kept.entry(event.tid).or_insert_with(|| spare.pop().unwrap_or_default());
        kept.clear();
        kept.extend_from_slice(event.bytes);
    }

    fn forget(&mut self, used: bool, tid: i64) {
        if used && let Some(kept) = self.kept.remove(&tid) {
            self.spare.push(kept);
        }
    }

    fn build(
        &mut self,
        event: &Event<'_>,
        to: u16,
        sources: &[Source],
        used: &mut bool,
    ) -> Result<(), Fault> {
        let enter = self.kept.get(&event.tid).map(|bytes| Event::parse(bytes, 0, 0)).transpose()?;
        let json = json::container(event);
        let info =
            EVENTS.get(usize::from(to)).ok_or_else(|| refusal(event, "conversion to an unknown type"))?;
        let mut params: Vec<&[u8]> = Vec::with_capacity(sources.len());
        for (source, param) in sources.iter().zip(info.params) {
            *used |= matches!(source, Source::Enter(_) | Source::EnterOrEmpty(_));
            params.push(value(*source, param, event, enter.as_ref(), &json)?);
        }
        self.next.clear();
        encode(&mut self.next, event.ts, event.tid, to, &params)
            .map_err(|_| refusal(event, "result is too long"))
    }
}

enum Step {
    Done(Verdict),
    Again,
}

fn refusal(event: &Event<'_>, why: &'static str) -> Fault {
    Fault::Convert { kind: event.kind, params: u32::try_from(event.params.count()).unwrap_or(u32::MAX), why }
}

/// Bytes of one parameter.
fn value<'a>(
    source: Source,
    param: &Param,
    event: &Event<'a>,
    enter: Option<&Event<'a>>,
    json: &'a [u8],
) -> Result<&'a [u8], Fault> {
    match (source, enter) {
        (Source::Old(i), _) => {
            let bytes = event.param(i).ok_or_else(|| refusal(event, "a parameter is missing"))?;
            Ok(&bytes[..bytes.len().min(param.kind.size().unwrap_or(usize::MAX))])
        }
        // Where events were lost, the enter event before it is that of another call.
        (Source::Enter(i) | Source::EnterOrEmpty(i), Some(enter)) if enter.kind + 1 == event.kind => {
            enter.param(i).ok_or_else(|| refusal(event, "its enter event lacks a parameter"))
        }
        (Source::Enter(_) | Source::Default, _) => Ok(default(param.kind)),
        (Source::EnterOrEmpty(_) | Source::Empty, _) => Ok(&[]),
        (Source::ContainerJson, _) => Ok(json),
    }
}

fn default(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Uid | Kind::Gid => &[0xff; 4],
        _ => &[0; 16][..kind.size().unwrap_or(0)],
    }
}

/// Parameter count with which a type is delivered as it is.
fn plain_count(kind: u16) -> u32 {
    let info = &EVENTS[usize::from(kind)];
    let managed = info.flags.has(Flags::CONVERTER_MANAGED);
    if info.flags.has(Flags::UNUSED) || info.flags.has(Flags::OLD_VERSION) || (managed && !info.is_exit()) {
        NEVER
    } else if managed {
        u32::try_from(info.params.len()).unwrap_or(NEVER)
    } else {
        ANY
    }
}

/// Whether readers take an event of this type with so many parameters.
pub(crate) fn is_known(kind: u16, params: usize) -> bool {
    !matches!(route(kind, params), Route::Refuse(_))
}

fn route(kind: u16, params: usize) -> Route {
    let info = &EVENTS[usize::from(kind)];
    let old = info.flags.has(Flags::OLD_VERSION);
    if info.flags.has(Flags::UNUSED) {
        return Route::Drop;
    }
    if !info.flags.has(Flags::CONVERTER_MANAGED) {
        return match (old, info.is_exit()) {
            (false, _) => Route::Deliver,
            (true, false) => Route::Drop,
            (true, true) => Route::Refuse("an old type without a conversion"),
        };
    }
    if info.is_exit() && params > info.params.len() {
        return Route::Refuse("more parameters than the type has");
    }
    if info.is_exit() && !old && params == info.params.len() {
        return Route::Deliver;
    }
    let found = ROWS.binary_search_by_key(&(kind, params), |row| (row.kind, row.params as usize));
    found.map_or(Route::Refuse("no conversion for it"), |at| Route::Apply(&ROWS[at].action))
}
