//! Left sides read once an event, whatever number of tests asks for them.

use eyas_field::Value;

/// Room for the values of one event, kept from event to event.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Where the value of each left side stands in `found`; 0 when it was not read yet.
    places: Vec<u32>,
    found: Vec<(u32, Option<Value<'static>>)>,
}

/// The values of one event.
pub(crate) struct Values<'a> {
    places: Vec<u32>,
    found: Vec<(u32, Option<Value<'a>>)>,
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
        for (number, _) in &found {
            places[*number as usize] = 0;
        }
        found.clear();
        self.places = places;
        // An empty vector keeps its memory while its values change their lifetime.
        self.found = found.into_iter().map(|(number, _)| (number, None)).collect();
    }
}

impl<'a> Values<'a> {
    /// The value of a left side; `read` is called for the first that asks.
    #[inline]
    pub(crate) fn get(
        &mut self,
        number: u32,
        read: impl FnOnce() -> Option<Value<'a>>,
    ) -> &Option<Value<'a>> {
        let place = self.places[number as usize];
        if place != 0 {
            return &self.found[place as usize - 1].1;
        }
        self.found.push((number, read()));
        let place = self.found.len();
        self.places[number as usize] = place as u32;
        &self.found[place - 1].1
    }
}
