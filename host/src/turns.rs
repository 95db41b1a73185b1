//! How guests share the processors. Each computes for a turn at most, then everything else goes first.
//! A guest that used up its turn needs a ticket for the next, and there are no more tickets at a time
//! than processors: with more threads than that, some are always free for those who ask for little.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::Semaphore;
use wasmtime::Engine;

/// Short enough that two of them are not felt, long enough that changing over costs nothing measurable.
const TURN: Duration = Duration::from_millis(5);

/// From where the clock stands somewhere between two ticks to the second of them.
pub const WHOLE_TURN: u64 = 2;

/// Whoever computed this long would have gone on.
const MOST_OF_A_TURN: Duration = Duration::from_millis(2);

/// The clock that ends turns and hands out tickets, for as long as it is kept.
pub struct Turns {
    tickets: Arc<Semaphore>,
    is_over: Arc<AtomicBool>,
}

impl Turns {
    pub fn start(engine: &Engine) -> Result<Arc<Self>> {
        let most = thread::available_parallelism().map_or(1, usize::from);
        let turns = Self {
            tickets: Arc::new(Semaphore::new(most)),
            is_over: Arc::default(),
        };
        let (engine, tickets, is_over) =
            (engine.weak(), turns.tickets.clone(), turns.is_over.clone());
        thread::Builder::new().name("turns".into()).spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                thread::sleep(TURN);
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                engine.increment_epoch();
                tickets.add_permits(most.saturating_sub(tickets.available_permits()));
            }
        })?;
        Ok(Arc::new(turns))
    }

    /// `work`, computing no more than its share.
    pub fn share<W: Future + Unpin>(self: &Arc<Self>, work: W) -> Share<W> {
        Share {
            work,
            turns: self.clone(),
            ticket: None,
        }
    }

    async fn ticket(self: Arc<Self>) {
        if let Ok(ticket) = self.tickets.acquire().await {
            ticket.forget();
        }
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

pub struct Share<W> {
    work: W,
    turns: Arc<Turns>,
    /// Waited for before the work goes on.
    ticket: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<W: Future + Unpin> Future for Share<W> {
    type Output = W::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Output> {
        if let Some(ticket) = &mut self.ticket {
            ready!(ticket.as_mut().poll(context));
            self.ticket = None;
        }
        let begun = Instant::now();
        let result = Pin::new(&mut self.work).poll(context);
        if result.is_pending() && begun.elapsed() > MOST_OF_A_TURN {
            self.ticket = Some(Box::pin(self.turns.clone().ticket()));
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future;

    /// Used up its turn, and would go on.
    fn greedy() -> impl Future<Output = ()> + Unpin {
        let mut is_first = true;
        future::poll_fn(move |context| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            thread::sleep(MOST_OF_A_TURN * 2);
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    #[tokio::test]
    async fn who_used_up_a_turn_waits_for_a_ticket_and_others_do_not() {
        let turns = Arc::new(Turns {
            tickets: Arc::new(Semaphore::new(0)),
            is_over: Arc::default(),
        });
        let waiting = tokio::time::timeout(Duration::from_millis(50), turns.share(greedy()));
        assert!(waiting.await.is_err());
        turns.share(future::ready(())).await;
        turns.tickets.add_permits(1);
        turns.share(greedy()).await;
    }
}
