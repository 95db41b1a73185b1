//! Where requests wait while statements of their component wait for a connection to its database. In an instance a request
//! would wait as long, and occupy the instance. The more instances take turns, the less of their memory stays in the caches of
//! the processor.

use std::pin::pin;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// A request goes in after this time at the latest. It may need no database, and the statements may wait for long.
const MAX_WAIT: Duration = Duration::from_millis(500);

#[derive(Default)]
pub struct Door {
    statements: AtomicUsize,
    requests: AtomicUsize,
    /// Wakes the request that has waited longest.
    next: Notify,
}

impl Door {
    /// Whether a request may go in at once: no statement waits, and no other request does that it would overtake.
    pub fn is_open(&self) -> bool {
        self.requests.load(SeqCst) == 0 && !self.is_crowded()
    }

    fn is_crowded(&self) -> bool {
        self.statements.load(SeqCst) > 0
    }

    pub async fn enter(&self) {
        if self.is_open() {
            return;
        }
        let _counted = Counted::new(&self.requests, || {});
        let mut called = pin!(self.next.notified());
        // From here on this request is called when the last statement ends its wait.
        let is_called = called.as_mut().enable();
        if !is_called && (self.is_crowded() || self.requests.load(SeqCst) > 1) {
            let _ = timeout(MAX_WAIT, called).await;
        }
    }

    /// To be called when a request has ended. Two others go in for it, unless statements wait again.
    pub fn leave(&self) {
        let waiting = self.requests.load(SeqCst);
        if waiting > 0 && !self.is_crowded() {
            (0..waiting.min(2)).for_each(|_| self.next.notify_one());
        }
    }

    /// Counts a statement as waiting until the guard is dropped.
    pub(crate) fn hold_up(&self) -> impl Drop {
        Counted::new(&self.statements, || self.leave())
    }
}

/// Adds one to a count until it is dropped, and then calls `then`.
struct Counted<'a, F: Fn()> {
    count: &'a AtomicUsize,
    then: F,
}

impl<F: Fn()> Counted<'_, F> {
    fn new(count: &AtomicUsize, then: F) -> Counted<'_, F> {
        count.fetch_add(1, SeqCst);
        Counted { count, then }
    }
}

impl<F: Fn()> Drop for Counted<'_, F> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, SeqCst);
        (self.then)();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use tokio::task::{JoinHandle, yield_now};

    use super::*;

    /// Requests that have come to the door, in this order.
    async fn arrive<const N: usize>(door: &Arc<Door>) -> [JoinHandle<()>; N] {
        let mut requests = Vec::new();
        for _ in 0..N {
            let door = Arc::clone(door);
            requests.push(tokio::spawn(async move { door.enter().await }));
            yield_now().await;
        }
        requests.try_into().unwrap()
    }

    async fn are_in<const N: usize>(requests: &[JoinHandle<()>; N]) -> [bool; N] {
        for _ in 0..N {
            yield_now().await;
        }
        requests.each_ref().map(JoinHandle::is_finished)
    }

    #[tokio::test]
    async fn requests_wait_while_statements_do_and_go_in_by_ones_and_twos() {
        let door = Arc::new(Door::default());
        assert!(door.is_open());
        let statement = door.hold_up();
        let requests = arrive::<4>(&door).await;
        door.leave();
        assert_eq!(are_in(&requests).await, [false; 4]);
        drop(statement);
        assert_eq!(are_in(&requests).await, [true, true, false, false]);
        assert!(!door.is_open(), "a new request overtakes none");
        door.leave();
        assert_eq!(are_in(&requests).await, [true; 4]);
        assert!(door.is_open());
    }

    #[tokio::test]
    async fn a_request_does_not_wait_for_ever() {
        let door = Arc::new(Door::default());
        let _statement = door.hold_up();
        let begun = Instant::now();
        door.enter().await;
        assert!(begun.elapsed() >= MAX_WAIT);
    }
}
