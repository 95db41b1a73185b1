//! Shares the processors among guests. A guest computes for one time slice at most, then yields. A guest that used up its
//! slice needs a ticket for the next one, and there are only as many tickets as processors. The runtime has more
//! threads than that, so some are always free for short requests.

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

/// Short enough that a wait of two slices is not noticed, long enough that switching costs nothing measurable.
const TIME_SLICE: Duration = Duration::from_millis(5);

/// Two epochs: a guest that starts between two ticks still gets one full slice.
pub const EPOCHS_PER_SLICE: u64 = 2;

/// Work that yields after computing this long was interrupted at the end of its slice.
const SLICE_USED_AFTER: Duration = Duration::from_millis(2);

/// Ends time slices and issues tickets, until it is dropped.
pub struct Scheduler {
    tickets: Arc<Semaphore>,
    is_stopped: Arc<AtomicBool>,
}

impl Scheduler {
    pub fn start(engine: &Engine) -> Result<Arc<Self>> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let scheduler = Self {
            tickets: Arc::new(Semaphore::new(processors)),
            is_stopped: Arc::default(),
        };
        let (engine, tickets, is_stopped) = (
            engine.weak(),
            scheduler.tickets.clone(),
            scheduler.is_stopped.clone(),
        );
        thread::Builder::new()
            .name("scheduler".into())
            .spawn(move || {
                while !is_stopped.load(Ordering::Relaxed) {
                    thread::sleep(TIME_SLICE);
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    engine.increment_epoch();
                    tickets.add_permits(processors.saturating_sub(tickets.available_permits()));
                }
            })?;
        Ok(Arc::new(scheduler))
    }

    /// Limits `work` to its time slices.
    pub fn schedule<W: Future + Unpin>(self: &Arc<Self>, work: W) -> Scheduled<W> {
        Scheduled {
            work,
            scheduler: self.clone(),
            ticket: None,
        }
    }

    async fn take_ticket(self: Arc<Self>) {
        if let Ok(ticket) = self.tickets.acquire().await {
            ticket.forget();
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

pub struct Scheduled<W> {
    work: W,
    scheduler: Arc<Scheduler>,
    /// The ticket to wait for before the work continues.
    ticket: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<W: Future + Unpin> Future for Scheduled<W> {
    type Output = W::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Output> {
        if let Some(ticket) = &mut self.ticket {
            ready!(ticket.as_mut().poll(context));
            self.ticket = None;
        }
        let begun = Instant::now();
        let result = Pin::new(&mut self.work).poll(context);
        if result.is_pending() && begun.elapsed() > SLICE_USED_AFTER {
            self.ticket = Some(Box::pin(self.scheduler.clone().take_ticket()));
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future;

    /// Uses up one time slice, then needs another.
    fn greedy() -> impl Future<Output = ()> + Unpin {
        let mut is_first = true;
        future::poll_fn(move |context| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            thread::sleep(SLICE_USED_AFTER * 2);
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    #[tokio::test]
    async fn work_that_used_up_its_slice_waits_for_a_ticket_and_other_work_does_not() {
        let scheduler = Arc::new(Scheduler {
            tickets: Arc::new(Semaphore::new(0)),
            is_stopped: Arc::default(),
        });
        let waiting = tokio::time::timeout(Duration::from_millis(50), scheduler.schedule(greedy()));
        assert!(waiting.await.is_err());
        scheduler.schedule(future::ready(())).await;
        scheduler.tickets.add_permits(1);
        scheduler.schedule(greedy()).await;
    }
}
