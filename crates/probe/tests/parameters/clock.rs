//! Steps of the wall clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::files::sys;
use crate::stage::Stage;

pub(crate) const CASES: &[crate::Case] = &[("events follow the wall clock when it is set", followed)];

/// Set where this program has a machine of its own, whose clock it may set.
const OWN_MACHINE: &str = "EYAS_OWN_MACHINE";
const HOUR: Duration = Duration::from_secs(3600);

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970")
}

fn set(time: Duration) {
    let time = libc::timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() };
    // SAFETY: the pointer is to a valid timespec.
    assert_eq!(unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &raw const time) }, 0);
}

fn followed(stage: &mut Stage) {
    if std::env::var_os(OWN_MACHINE).is_none() {
        eprintln!("skipped: the clock of this machine is not ours to set");
        return;
    }
    for step in [|now| now + HOUR, |now: Duration| now - HOUR] {
        set(step(wall()));
        assert!(stage.follow_clock(&mut |_| ()));
        assert!(!stage.follow_clock(&mut |_| ()), "it stands where it was set to");
        let begun = wall();
        let seen = stage.run(&["kill"], |_| {
            sys!(SYS_kill(0x7fff_fff0, 0));
        });
        let at = Duration::from_nanos(seen.one("kill").ts);
        assert!(begun <= at && at <= wall(), "{at:?} is between {begun:?} and now");
    }
}
