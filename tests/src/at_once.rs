//! Doing the same thing many times at the same moment.

use std::sync::Barrier;
use std::thread;

/// Runs `act` on `n` threads that begin together; the results are in the order of the numbers given.
pub fn at_once<T: Send>(n: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(n);
    thread::scope(|scope| {
        let running: Vec<_> = (0..n)
            .map(|number| {
                let (barrier, act) = (&barrier, &act);
                scope.spawn(move || {
                    barrier.wait();
                    act(number)
                })
            })
            .collect();
        let joined = running.into_iter().map(|it| it.join());
        joined
            .map(|it| it.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
