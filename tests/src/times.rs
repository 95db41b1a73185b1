//! The times of the tests, which `infra/test --times` reports.

use std::thread;
use std::time::Instant;

use crate::record::Record;

static TIMES: Record = Record::new("TEST_TIMES");

/// Carries out `act` and records how long it took, as work of this kind.
pub(crate) fn measure<T>(kind: &str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = act();
    let thread = thread::current();
    let test = thread.name().unwrap_or("-");
    TIMES.write(&format!("{kind}\t{}\t{test}", began.elapsed().as_millis()));
    done
}
