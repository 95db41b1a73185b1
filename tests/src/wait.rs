//! Waiting with a deadline instead of a fixed sleep.

use std::panic::Location;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::times::measure;

const INTERVAL: Duration = Duration::from_millis(20);

/// Seconds since 1970.
pub fn now_s() -> u64 {
    since_1970().as_secs()
}

pub(crate) fn since_1970() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970")
}

/// Waits until `condition` holds; panics, naming it, when it does not in time.
#[track_caller]
pub fn eventually(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    eventually_some(what, within, || condition().then_some(()));
}

/// Waits until `look` finds something.
#[track_caller]
pub fn eventually_some<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let caller = Location::caller();
    let began = Instant::now();
    measure("wait", || {
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                began.elapsed() < within,
                "{caller}: not within {within:?}: {what}"
            );
            sleep(INTERVAL);
        }
    })
}
