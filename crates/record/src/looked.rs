//! One record as fields read it: each value is made when it is first looked at.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use eyas_field::{Record, Type, Value};

use crate::clock;
use crate::expr::{Here, whole_number};
use crate::schema::{Asked, Slot};
use crate::tree::Spans;

/// Values of the slots of a record, as far as they were looked at. Kept between records for its memory alone.
#[derive(Default)]
pub struct Cells<'b> {
    values: Vec<OnceCell<Option<Value<'b>>>>,
}

impl<'b> Cells<'b> {
    fn fresh(mut self, count: usize) -> Cells<'b> {
        self.values.clear();
        self.values.resize_with(count, OnceCell::new);
        self
    }

    /// The same memory, empty, for another record.
    #[must_use]
    pub fn recycled<'c>(mut self) -> Cells<'c> {
        self.values.clear();
        Cells { values: self.values.into_iter().map(|_| OnceCell::new()).collect() }
    }
}

/// A record with what the rules ask of it.
pub struct Looked<'b, 's> {
    asked: &'s Asked,
    spans: &'s Spans,
    bytes: &'b [u8],
    cells: Cells<'b>,
    time: u64,
}

impl<'b, 's> Looked<'b, 's> {
    pub(crate) fn new(
        asked: &'s Asked,
        spans: &'s Spans,
        bytes: &'b [u8],
        cells: Cells<'static>,
    ) -> Looked<'b, 's> {
        let cells = cells.recycled().fresh(asked.slots.len());
        Looked { asked, spans, bytes, cells, time: 0 }
    }

    /// Time of the record in nanoseconds, as it says itself.
    pub fn own_time(&self) -> Option<u64> {
        let at = |(path, clock): &(_, _)| self.spans.first(*path).map(|span| (span, *clock));
        let ((start, end), clock) = self.asked.time.iter().find_map(at)?;
        let text = crate::text::of_json(self.bytes.get(start as usize..end as usize)?)?;
        clock.read(&text)
    }

    /// Sets the time of the event.
    pub fn happened(&mut self, time: u64) {
        self.time = time;
    }

    /// Whether the record is an event.
    pub fn is_event(&self) -> bool {
        self.asked.keep.as_ref().is_none_or(|keep| self.here().holds(keep))
    }

    /// The service's own id of the event.
    pub fn identity(&self) -> Option<Cow<'b, [u8]>> {
        self.here().one(self.asked.identity.as_ref()?)
    }

    /// Memory to use again.
    pub fn into_cells(self) -> Cells<'b> {
        self.cells
    }

    fn here(&self) -> Here<'b, '_> {
        Here {
            bytes: self.bytes,
            spans: self.spans,
            whole: self.bytes,
            whole_spans: self.spans,
            time: self.time,
        }
    }

    fn look(&self, slot: &Slot) -> Option<Value<'b>> {
        if !slot.list {
            return convert(self.here().one(&slot.expr)?, slot.kind);
        }
        let mut all = Vec::new();
        self.here().all(&slot.expr, &mut all);
        let values: Vec<_> = all.into_iter().filter_map(|words| convert(words, slot.kind)).collect();
        (!values.is_empty()).then_some(Value::List(values))
    }
}

impl Record for Looked<'_, '_> {
    fn source(&self) -> &str {
        &self.asked.source
    }

    fn plugin(&self) -> &str {
        &self.asked.plugin
    }

    fn info(&self) -> Option<Vec<u8>> {
        self.here().one(self.asked.info.as_ref()?).map(Cow::into_owned)
    }

    fn asynctype(&self) -> Option<Vec<u8>> {
        self.here().one(self.asked.asynctype.as_ref()?).map(Cow::into_owned)
    }

    fn value(&self, slot: usize) -> Option<&Value<'_>> {
        let cell = self.cells.values.get(slot)?;
        cell.get_or_init(|| self.look(&self.asked.slots[slot])).as_ref()
    }
}

/// A text as a value of a type; none when it is not one.
fn convert(words: Cow<'_, [u8]>, kind: Type) -> Option<Value<'_>> {
    let text = |words: &Cow<'_, [u8]>| std::str::from_utf8(words).ok().map(str::to_owned);
    match kind {
        Type::Int => text(&words)?.parse().ok().map(Value::Int),
        Type::Uint | Type::RelTime => whole_number(&words).map(Value::Uint),
        Type::AbsTime => whole_number(&words).or_else(|| clock::nanoseconds(&text(&words)?)).map(Value::Uint),
        Type::Bool => match words.as_ref() {
            b"true" => Some(Value::Bool(true)),
            b"false" => Some(Value::Bool(false)),
            _ => None,
        },
        Type::Ip | Type::Net => {
            let text = text(&words)?;
            let address = text.split('/').next()?.parse::<IpAddr>();
            address.ok().map(Value::Ip)
        }
        _ => Some(Value::Text(words)),
    }
}
