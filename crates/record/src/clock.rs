//! When a record happened.

use jiff::Timestamp;

/// How a service writes times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Clock {
    /// `2018-10-26T13:38:34.867116Z`.
    Rfc3339,
    /// Seconds since the epoch, with a fraction or without.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

impl Clock {
    /// Nanoseconds since the epoch.
    pub(crate) fn read(self, text: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(text).ok()?;
        let unit = match self {
            Clock::Rfc3339 => return nanoseconds(text),
            Clock::S => 1_000_000_000,
            Clock::Ms => 1_000_000,
            Clock::Us => 1_000,
            Clock::Ns => 1,
        };
        match text.parse::<u64>() {
            Ok(whole) => whole.checked_mul(unit),
            Err(_) => scaled(text.parse().ok()?, unit),
        }
    }
}

/// Nanoseconds of a time as RFC 3339 writes it.
pub(crate) fn nanoseconds(text: &str) -> Option<u64> {
    u64::try_from(text.parse::<Timestamp>().ok()?.as_nanosecond()).ok()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn scaled(number: f64, unit: u64) -> Option<u64> {
    let whole = number * unit as f64;
    (whole.is_finite() && whole >= 0.0 && whole < u64::MAX as f64).then_some(whole as u64)
}
