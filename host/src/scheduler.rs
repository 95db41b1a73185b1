//! Shares the processors among guests. A guest computes for one time slice at most, then yields. A guest that used up its
//! slice needs a ticket for the next one, and there are only as many tickets as processors. The runtime has more
//! threads than that, so some are always free for short requests.
//!
//! A ticket is free again when its slice ends, and goes to the next component that waits: components take turns, and so do
//! the instances of a component. One that computes in 64 instances gets no more than one that computes in a single
//! instance. On a machine whose processors are busy with other work slices take longer, and tickets come as much later, so
//! that no guests queue for a thread with tickets in their hands.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::oneshot;
use wasmtime::Engine;

/// Short enough that a wait of two slices is not noticed, long enough that switching costs nothing measurable.
const TIME_SLICE: Duration = Duration::from_millis(5);

/// Two epochs: a guest that starts between two ticks still gets one full slice.
pub const EPOCHS_PER_SLICE: u64 = 2;

/// Work that yields after computing this long was interrupted at the end of its slice.
const SLICE_USED_AFTER: Duration = Duration::from_millis(2);

/// Ends time slices and has the tickets, until it is dropped.
pub struct Scheduler {
    tickets: Arc<Mutex<Tickets>>,
    is_stopped: Arc<AtomicBool>,
}

#[derive(Default)]
struct Tickets {
    free: usize,
    /// Components that wait for tickets, the next one first. None of them is without waiters.
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    component: Arc<str>,
    instances: VecDeque<oneshot::Sender<Ticket>>,
}

/// The right to one time slice. Dropped, it goes to the next that waits.
struct Ticket {
    /// `None` once it is back.
    of: Option<Arc<Mutex<Tickets>>>,
}

/// A ticket, or a place in the queue for one.
enum Taken {
    Now(Ticket),
    Later(oneshot::Receiver<Ticket>),
}

impl Ticket {
    fn take(tickets: &Arc<Mutex<Tickets>>, component: &Arc<str>) -> Taken {
        let mut state = lock(tickets);
        if state.free > 0 {
            state.free -= 1;
            return Taken::Now(Ticket {
                of: Some(tickets.clone()),
            });
        }
        let (sender, receiver) = oneshot::channel();
        state.enqueue(component, sender);
        Taken::Later(receiver)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(tickets) = self.of.take() else {
            return;
        };
        let mut state = lock(&tickets);
        let mut ticket = Ticket {
            of: Some(tickets.clone()),
        };
        while let Some(next) = state.dequeue() {
            match next.send(ticket) {
                Ok(()) => return,
                // It was dropped meanwhile.
                Err(returned) => ticket = returned,
            }
        }
        state.free += 1;
        // Here, since the lock is held.
        ticket.of = None;
    }
}

impl Tickets {
    fn enqueue(&mut self, component: &Arc<str>, instance: oneshot::Sender<Ticket>) {
        let mut waiting = self.waiting.iter_mut();
        match waiting.find(|waiting| waiting.component == *component) {
            Some(waiting) => waiting.instances.push_back(instance),
            None => self.waiting.push_back(Waiting {
                component: component.clone(),
                instances: [instance].into(),
            }),
        }
    }

    /// The next instance of the next component, which then has to wait for all others. Instances that were dropped meanwhile
    /// cost their component no turn.
    fn dequeue(&mut self) -> Option<oneshot::Sender<Ticket>> {
        while let Some(mut next) = self.waiting.pop_front() {
            let mut instances = std::iter::from_fn(|| next.instances.pop_front());
            let instance = instances.find(|instance| !instance.is_closed());
            if !next.instances.is_empty() {
                self.waiting.push_back(next);
            }
            if instance.is_some() {
                return instance;
            }
        }
        None
    }
}

fn lock(tickets: &Mutex<Tickets>) -> MutexGuard<'_, Tickets> {
    tickets.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scheduler {
    pub fn start(engine: &Engine) -> Result<Arc<Self>> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let scheduler = Self::with_tickets(processors);
        let (engine, is_stopped) = (engine.weak(), scheduler.is_stopped.clone());
        thread::Builder::new()
            .name("scheduler".into())
            .spawn(move || {
                while !is_stopped.load(Ordering::Relaxed) {
                    thread::sleep(TIME_SLICE);
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    engine.increment_epoch();
                }
            })?;
        Ok(Arc::new(scheduler))
    }

    fn with_tickets(free: usize) -> Self {
        let waiting = VecDeque::new();
        Self {
            tickets: Arc::new(Mutex::new(Tickets { free, waiting })),
            is_stopped: Arc::default(),
        }
    }

    /// Limits `work` of a component to its time slices.
    pub fn schedule<W: Future + Unpin>(
        self: &Arc<Self>,
        component: &Arc<str>,
        work: W,
    ) -> Scheduled<W> {
        Scheduled {
            work,
            scheduler: self.clone(),
            component: component.clone(),
            turn: Turn::First,
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
    component: Arc<str>,
    turn: Turn,
}

enum Turn {
    /// Needs no ticket: the work did not use up a slice since it last waited for something else.
    First,
    /// Needs a ticket, and takes it only when it goes on: it may wait for something else now.
    Over,
    Waiting(oneshot::Receiver<Ticket>),
    Ticket(Ticket),
}

impl<W> Scheduled<W> {
    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Option<Ticket>> {
        if let Turn::Over = self.turn {
            self.turn = match Ticket::take(&self.scheduler.tickets, &self.component) {
                Taken::Now(ticket) => Turn::Ticket(ticket),
                Taken::Later(receiver) => Turn::Waiting(receiver),
            };
        }
        if let Turn::Waiting(receiver) = &mut self.turn {
            // No ticket is lost, so that this does not fail.
            let ticket = ready!(Pin::new(receiver).poll(context));
            self.turn = ticket.map_or(Turn::First, Turn::Ticket);
        }
        Poll::Ready(match std::mem::replace(&mut self.turn, Turn::First) {
            Turn::Ticket(ticket) => Some(ticket),
            _ => None,
        })
    }
}

impl<W: Future + Unpin> Future for Scheduled<W> {
    type Output = W::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Output> {
        let ticket = ready!(self.poll_turn(context));
        let begun = Instant::now();
        let Some(ticket) = ticket else {
            let result = Pin::new(&mut self.work).poll(context);
            if result.is_pending() && begun.elapsed() > SLICE_USED_AFTER {
                self.turn = Turn::Over;
            }
            return result;
        };
        let yielded = Arc::new(Yielded::new(context.waker()));
        let waker = yielded.clone().into();
        let result = Pin::new(&mut self.work).poll(&mut Context::from_waker(&waker));
        if result.is_pending() {
            if begun.elapsed() > SLICE_USED_AFTER {
                self.turn = Turn::Over;
            } else if yielded.is_woken.load(Ordering::Relaxed) {
                // The slice of a guest that resumes in a later epoch than it yielded in ends at once. It keeps its ticket.
                self.turn = Turn::Ticket(ticket);
            }
        }
        result
    }
}

/// Tells work that yielded, and so woke itself, from work that waits for something else.
struct Yielded {
    task: Waker,
    is_woken: AtomicBool,
}

impl Yielded {
    fn new(task: &Waker) -> Self {
        Self {
            task: task.clone(),
            is_woken: AtomicBool::new(false),
        }
    }
}

impl Wake for Yielded {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Relaxed);
        self.task.wake_by_ref();
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
        let scheduler = Arc::new(Scheduler::with_tickets(1));
        let Taken::Now(taken) = Ticket::take(&scheduler.tickets, &"b".into()) else {
            panic!("there is a free ticket");
        };
        let waiting = tokio::time::timeout(
            Duration::from_millis(50),
            scheduler.schedule(&"a".into(), greedy()),
        );
        assert!(waiting.await.is_err());
        scheduler.schedule(&"a".into(), future::ready(())).await;
        drop(taken);
        scheduler.schedule(&"a".into(), greedy()).await;
        assert_eq!(lock(&scheduler.tickets).free, 1);
    }

    #[test]
    fn components_take_turns_however_many_instances_wait() {
        let tickets = Scheduler::with_tickets(1).tickets.clone();
        let take = |component: &str| Ticket::take(&tickets, &component.into());
        let Taken::Now(mut held) = take("many") else {
            panic!("there is a free ticket");
        };
        let mut waiting: Vec<(&str, oneshot::Receiver<Ticket>)> = Vec::new();
        for component in std::iter::repeat_n("many", 64).chain(["one"]) {
            let Taken::Later(receiver) = take(component) else {
                panic!("there is one ticket");
            };
            waiting.push((component, receiver));
        }
        // Instances that are gone are passed over.
        waiting.drain(..10);
        let mut served = Vec::new();
        for _ in 0..3 {
            drop(held);
            let mut next = waiting
                .iter_mut()
                .map(|(of, ticket)| (*of, ticket.try_recv()));
            let (of, ticket) = next.find(|(_, ticket)| ticket.is_ok()).unwrap();
            held = ticket.unwrap();
            served.push(of);
        }
        assert_eq!(served, ["many", "one", "many"]);
        drop((held, waiting));
        let state = lock(&tickets);
        assert_eq!((state.free, state.waiting.len()), (1, 0));
    }

    #[tokio::test]
    async fn a_ticket_lasts_until_its_slice_is_used() {
        let scheduler = Arc::new(Scheduler::with_tickets(1));
        let (tickets, mut polled) = (scheduler.tickets.clone(), 0);
        let work = future::poll_fn(|context| {
            polled += 1;
            if polled == 1 || polled == 3 {
                thread::sleep(SLICE_USED_AFTER * 2);
            }
            // The first slice needs no ticket; the second poll yields at once and keeps the one it has.
            assert_eq!(
                lock(&tickets).free,
                usize::from(polled == 1),
                "poll {polled}"
            );
            context.waker().wake_by_ref();
            if polled == 4 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        scheduler.schedule(&"a".into(), Box::pin(work)).await;
        assert_eq!(lock(&scheduler.tickets).free, 1);
    }
}
