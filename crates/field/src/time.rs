//! Times as text.

use jiff::Timestamp;
use jiff::tz::TimeZone;

fn stamp(ns: u64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Local wall clock, with nine fractional digits when `fraction` says so.
pub(crate) fn clock(ns: u64, fraction: bool) -> String {
    let local = stamp(ns).to_zoned(TimeZone::system());
    local.strftime(if fraction { "%H:%M:%S.%9f" } else { "%H:%M:%S" }).to_string()
}

/// Local date and wall clock.
pub(crate) fn date(ns: u64, fraction: bool) -> String {
    let local = stamp(ns).to_zoned(TimeZone::system());
    local.strftime(if fraction { "%Y-%m-%d %H:%M:%S.%9f" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

/// Local date and wall clock with nine fractional digits and the zone.
pub(crate) fn zoned(ns: u64) -> String {
    stamp(ns).to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S.%9f %z").to_string()
}

/// UTC as `2018-08-10T23:30:53.000947521+0000`.
pub(crate) fn iso8601(ns: u64) -> String {
    stamp(ns).strftime("%Y-%m-%dT%H:%M:%S.%9f+0000").to_string()
}
