//! Where the time of the tests goes: the record that `infra/test --times` reports.

use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;
use std::{env, thread};

/// Names the file to append to; without it nothing is recorded.
const VARIABLE: &str = "TEST_TIMES";

/// Carries out `act` and records how long it took, as work of this kind.
pub(crate) fn measure<T>(kind: &str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = act();
    static RECORD: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    let record = RECORD.get_or_init(|| {
        let path = env::var_os(VARIABLE)?;
        let file = File::options().create(true).append(true).open(path);
        Some(Mutex::new(file.expect("the record of times")))
    });
    if let Some(record) = record {
        let thread = thread::current();
        let test = thread.name().unwrap_or("-");
        let line = format!("{kind}\t{}\t{test}\n", began.elapsed().as_millis());
        // What is not recorded is missing in the report, no more.
        let _ = record
            .lock()
            .map(|mut file| file.write_all(line.as_bytes()));
    }
    done
}
