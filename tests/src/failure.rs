//! A failing test prints the log of the hosts that it used.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

use wharf_launch::Log;

thread_local! {
    /// The log of each host, from the moment at which this thread first used it.
    static USED: RefCell<Vec<Log>> = const { RefCell::new(Vec::new()) };
}

/// Remembers that this thread uses the host with this log.
pub(crate) fn note_use(log: &Log) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            before(info);
            USED.with_borrow(|logs| logs.iter().for_each(show));
        }));
    });
    USED.with_borrow_mut(|logs| {
        if !logs.iter().any(|it| it.path() == log.path()) {
            logs.push(log.clone());
        }
    });
}

/// Prints to standard error, so that it belongs to the output of the test.
fn show(log: &Log) {
    eprintln!(
        "--- what the host said meanwhile\n{}\n---",
        log.last_lines()
    );
}
