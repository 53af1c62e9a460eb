//! Left sides read once an event, whatever number of tests asks for them.

use eyas_field::Value;

/// Room for the values of one event, kept from event to event.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Where the value of each left side stands in `found`; 0 when it was not read yet.
    places: Vec<u32>,
    found: Vec<Read<'static>>,
}

/// A left side that was read.
#[derive(Debug)]
pub(crate) struct Read<'a> {
    number: u32,
    pub(crate) value: Option<Value<'a>>,
    /// What `Whole::row` said of it, once it was asked.
    pub(crate) row: Option<Option<u32>>,
}

/// The values of one event.
pub(crate) struct Values<'a> {
    places: Vec<u32>,
    found: Vec<Read<'a>>,
}

impl Room {
    pub(crate) fn new(count: usize) -> Room {
        Room { places: vec![0; count], found: Vec::new() }
    }

    /// Turns to an event: nothing is read yet.
    #[inline]
    pub(crate) fn open<'a>(&mut self) -> Values<'a> {
        Values { places: std::mem::take(&mut self.places), found: std::mem::take(&mut self.found) }
    }

    /// Ends an event: what was read is dropped, the memory stays.
    #[inline]
    pub(crate) fn close(&mut self, values: Values<'_>) {
        let Values { mut places, mut found } = values;
        for read in &found {
            places[read.number as usize] = 0;
        }
        found.clear();
        self.places = places;
        // An empty vector keeps its memory while its values change their lifetime.
        self.found = found.into_iter().map(|read| Read { value: None, ..read }).collect();
    }
}

impl<'a> Values<'a> {
    /// The value of a left side; `read` is called for the first that asks.
    #[inline]
    pub(crate) fn get(&mut self, number: u32, read: impl FnOnce() -> Option<Value<'a>>) -> &mut Read<'a> {
        let place = self.places[number as usize];
        if place != 0 {
            return &mut self.found[place as usize - 1];
        }
        self.found.push(Read { number, value: read(), row: None });
        let place = self.found.len();
        self.places[number as usize] = place as u32;
        &mut self.found[place - 1]
    }
}
