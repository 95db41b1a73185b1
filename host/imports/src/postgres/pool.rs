//! The connections of one component to one address, and who may use which of them.
//!
//! Statements that need no session share connections and are pipelined on them; what needs one gets a connection to
//! itself. Opening, mending and closing happen in the background: nobody waits for them who could use something else.
//!
//! Invariants: a connection that is `taken` gets no further statement from the pool. Waiters are served in the order they
//! came. While the server cannot be reached nobody waits: everyone is told why at once, and one task keeps trying.
//!
//! A server may fall silent without a connection being closed: it was stopped, or something between here and there
//! swallows what it says. No statement can know: it may just be slow. So whoever takes long makes the pool ask the server
//! whether it is there, by a connection of its own; without an answer all connections are given up, and what waits fails.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::Settings;
use super::link::{Dialer, Link};
use super::session::Need;

/// Statements on one connection at once. More would only lengthen the queue behind a slow one.
const PIPELINED: usize = 8;
/// When more connections are open than there are processors, the next is worth its while only for statements that would
/// queue behind so many, or behind one that takes so long: quick ones cost less in a pipeline, for us and for the server.
const CROWD: usize = 4;
const BRISK: Duration = Duration::from_millis(5);
/// Behind a statement that already took this long no other is queued: it may take longer still.
const SLOW: Duration = Duration::from_millis(20);
/// A statement that takes this long makes the pool ask whether the server is still there. With what the server then gets
/// to greet us it is still less than two seconds until those who wait know.
const LATE: Duration = Duration::from_millis(500);
/// How often it is looked for such statements while there are any.
const LOOK: Duration = Duration::from_millis(100);
/// Between two such questions. Most slow statements are just slow.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Between two attempts to reach a server that is away.
const RETRY: Duration = Duration::from_millis(100);
/// A server that is away is no longer tried when nobody asked for it this long.
const FORGET: Duration = Duration::from_secs(10);
/// A server that takes no further connection ("too many clients") is asked again after this time.
const FULL: Duration = Duration::from_secs(1);
/// Connections but one are closed when nobody used them this long.
const IDLE: Duration = Duration::from_secs(60);

pub struct Pool {
    dialer: Dialer,
    settings: Settings,
    runtime: Handle,
    processors: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: Vec<Slot>,
    last_id: u64,
    waiting: VecDeque<Waiter>,
    last_asked: Option<Instant>,
    /// Connections being opened.
    dialing: usize,
    /// Why the server cannot be reached, while one task keeps trying.
    away: Option<Arc<str>>,
    full_until: Option<Instant>,
    /// When the server last answered anybody.
    heard: Option<Instant>,
    reaped: bool,
    watched: bool,
}

struct Slot {
    id: u64,
    link: Arc<Link>,
    /// Ending it closes the connection, whatever is under way on it.
    driver: AbortHandle,
    /// Leases on it. More than one are statements in a pipeline.
    leases: usize,
    /// Since when the statement now running has been running, or nothing has.
    since: Instant,
    taken: bool,
}

impl Slot {
    fn takes(&self, alone: bool, now: Instant) -> bool {
        let flows = self.leases < PIPELINED && now.duration_since(self.since) < SLOW;
        !self.taken && !self.link.is_closed() && (self.leases == 0 || (!alone && flows))
    }

    fn is_late(&self) -> bool {
        self.leases > 0 && self.since.elapsed() > LATE
    }
}

struct Waiter {
    alone: bool,
    grant: oneshot::Sender<Result<Lease, Arc<str>>>,
}

impl Pool {
    /// Opens nothing yet. To be called within the runtime that shall drive the connections.
    pub fn new(dialer: Dialer, settings: Settings) -> Arc<Pool> {
        Arc::new(Pool {
            dialer,
            settings,
            runtime: Handle::current(),
            processors: available_parallelism().map_or(1, NonZeroUsize::get),
            state: Mutex::default(),
        })
    }

    /// Can the server be reached? Known at once if there is a connection.
    pub async fn reach(self: &Arc<Self>) -> Result<(), String> {
        if !self.state().slots.is_empty() {
            return Ok(());
        }
        self.lease(false).await.map(drop)
    }

    /// A place for one statement that needs no session.
    pub async fn share(self: &Arc<Self>) -> Result<Lease, String> {
        self.lease(false).await
    }

    /// A connection for nobody else.
    pub async fn take(self: &Arc<Self>) -> Result<Lease, String> {
        self.lease(true).await
    }

    async fn lease(self: &Arc<Self>, alone: bool) -> Result<Lease, String> {
        let granted = {
            let mut state = self.state();
            state.last_asked = Some(Instant::now());
            if state.waiting.is_empty()
                && let Some(lease) = self.grant(&mut state, alone)
            {
                return Ok(lease);
            }
            if let Some(cause) = &state.away {
                return Err(cause.to_string());
            }
            let (grant, granted) = oneshot::channel();
            state.waiting.push_back(Waiter { alone, grant });
            self.grow(&mut state);
            granted
        };
        match timeout(self.settings.wait, granted).await {
            Ok(Ok(granted)) => granted.map_err(|cause| cause.to_string()),
            Ok(Err(_)) | Err(_) => Err(self.nothing_free()),
        }
    }

    fn nothing_free(&self) -> String {
        let address = self.dialer.address();
        let waited = self.settings.wait.as_millis();
        match self.state().slots.len() {
            0 => format!("cannot connect to {address}: no answer within {waited} ms"),
            open => format!("all {open} connections to {address} were busy for {waited} ms"),
        }
    }

    /// The best place there is now: an idle connection, else the shortest pipeline.
    fn grant(self: &Arc<Self>, state: &mut State, alone: bool) -> Option<Lease> {
        let now = Instant::now();
        let few = state.slots.len() < self.processors;
        let places = state.slots.iter_mut().filter(|slot| slot.takes(alone, now));
        let slot = places.min_by_key(|slot| slot.leases)?;
        let crowded = slot.leases >= CROWD
            || (slot.leases > 0 && (few || now.duration_since(slot.since) > BRISK));
        if slot.leases == 0 {
            slot.since = now;
        }
        slot.leases += 1;
        slot.taken = alone;
        let lease = Lease {
            pool: Arc::clone(self),
            id: slot.id,
            link: Arc::clone(&slot.link),
            alone,
            unfinished: AtomicUsize::new(0),
            left: AtomicU8::new(0),
        };
        if crowded {
            self.grow(state);
        }
        if !std::mem::replace(&mut state.watched, true) {
            self.runtime.spawn(watch(Arc::downgrade(self)));
        }
        Some(lease)
    }

    /// Gives waiters what became free. What could not be delivered comes back, to be dropped when the lock is.
    #[must_use]
    fn serve(self: &Arc<Self>, state: &mut State) -> Vec<Lease> {
        let mut undelivered = Vec::new();
        while let Some(waiter) = state.waiting.front() {
            if waiter.grant.is_closed() {
                state.waiting.pop_front();
                continue;
            }
            let Some(lease) = self.grant(state, waiter.alone) else {
                break;
            };
            if let Some(waiter) = state.waiting.pop_front()
                && let Err(Ok(lease)) = waiter.grant.send(Ok(lease))
            {
                undelivered.push(lease);
            }
        }
        if !state.waiting.is_empty() {
            self.grow(state);
        }
        undelivered
    }

    /// A lease ended and left its connection clean.
    fn release(self: &Arc<Self>, id: u64) {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(slot) = state.slots.iter_mut().find(|slot| slot.id == id) {
            slot.leases = slot.leases.saturating_sub(1);
            slot.since = now;
            if slot.leases == 0 {
                slot.taken = false;
            }
            state.heard = Some(now);
        }
        let undelivered = self.serve(&mut state);
        drop(state);
        drop(undelivered);
    }

    fn discard(self: &Arc<Self>, id: u64) {
        let mut state = self.state();
        let at = state.slots.iter().position(|slot| slot.id == id);
        let closed = at.map(|at| state.slots.swap_remove(at));
        let undelivered = self.serve(&mut state);
        drop(state);
        drop((closed, undelivered));
    }

    /// Opens connections for those who wait, or one for those who crowd.
    fn grow(self: &Arc<Self>, state: &mut State) {
        let full = state.full_until.is_some_and(|until| until > Instant::now());
        if full || state.away.is_some() {
            return;
        }
        let wanted = state.waiting.len().max(1);
        while state.dialing < wanted
            && state.slots.len() + state.dialing < self.settings.connections
        {
            state.dialing += 1;
            self.runtime.spawn(Arc::clone(self).open());
        }
    }

    async fn open(self: Arc<Self>) {
        loop {
            match self.dialer.dial().await {
                Ok((link, drive)) => return self.add(link, drive),
                Err(cause) if self.give_up(&cause) => return,
                Err(_) => sleep(RETRY).await,
            }
        }
    }

    fn add(self: &Arc<Self>, link: Link, drive: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state();
        state.dialing -= 1;
        state.away = None;
        state.last_id += 1;
        let id = state.last_id;
        let pool = Arc::downgrade(self);
        let driver = self.runtime.spawn(async move {
            drive.await;
            if let Some(pool) = pool.upgrade() {
                pool.discard(id);
            }
        });
        let now = Instant::now();
        state.heard = Some(now);
        state.slots.push(Slot {
            id,
            link: Arc::new(link),
            driver: driver.abort_handle(),
            leases: 0,
            since: now,
            taken: false,
        });
        if !std::mem::replace(&mut state.reaped, true) {
            self.runtime.spawn(reap(Arc::downgrade(self)));
        }
        let undelivered = self.serve(&mut state);
        drop(state);
        drop(undelivered);
    }

    /// A connection could not be opened. Is somebody else trying, or nobody interested?
    fn give_up(&self, cause: &str) -> bool {
        let mut state = self.state();
        if !state.slots.is_empty() {
            tracing::debug!(cause, "no further database connection");
            state.full_until = Some(Instant::now() + FULL);
            state.dialing -= 1;
            return true;
        }
        state.is_away(cause);
        let forgotten = state
            .last_asked
            .is_none_or(|asked| asked.elapsed() > FORGET);
        if forgotten {
            state.away = None;
        }
        let enough = forgotten || state.dialing > 1;
        if enough {
            state.dialing -= 1;
        }
        enough
    }

    /// Nobody was answered since `asked`: gives up what there is, and keeps trying to reach the server anew.
    fn lose(self: &Arc<Self>, asked: Instant) {
        let mut state = self.state();
        if state.heard.is_some_and(|heard| heard > asked) {
            return;
        }
        let address = self.dialer.address();
        state.is_away(&format!("{address} does not answer any more"));
        if state.dialing == 0 {
            state.dialing = 1;
            self.runtime.spawn(Arc::clone(self).open());
        }
        let lost = std::mem::take(&mut state.slots);
        drop(state);
        for slot in lost {
            slot.driver.abort();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whoever waits is told, and whoever comes.
    fn is_away(&mut self, cause: &str) {
        let cause: Arc<str> = cause.into();
        if self.away.replace(Arc::clone(&cause)).is_none() {
            tracing::warn!(%cause, "the database is away");
        }
        for waiter in self.waiting.drain(..) {
            // Who stopped waiting need not be told.
            drop(waiter.grant.send(Err(Arc::clone(&cause))));
        }
    }
}

/// Looks after those who use a connection, until nobody does.
async fn watch(pool: Weak<Pool>) {
    loop {
        sleep(LOOK).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        {
            let mut state = pool.state();
            if state.slots.iter().all(|slot| slot.leases == 0) {
                state.watched = false;
                return;
            }
            if !state.slots.iter().any(Slot::is_late) {
                continue;
            }
        }
        let asked = Instant::now();
        if pool.dialer.is_silent().await {
            pool.lose(asked);
        } else {
            sleep(ASK_AGAIN).await;
        }
    }
}

/// Closes connections nobody uses, as long as there are any.
async fn reap(pool: Weak<Pool>) {
    loop {
        sleep(IDLE / 4).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        let mut state = pool.state();
        if state.slots.is_empty() {
            state.reaped = false;
            return;
        }
        let mut spare = state.slots.len() - 1;
        let unused = state.slots.extract_if(.., |slot| {
            let unused = spare > 0 && slot.leases == 0 && slot.since.elapsed() > IDLE;
            spare -= usize::from(unused);
            unused
        });
        let unused: Vec<Slot> = unused.collect();
        drop(state);
        drop(unused);
    }
}

/// The right to use a connection: for one statement, or alone until it is dropped.
pub struct Lease {
    pool: Arc<Pool>,
    id: u64,
    link: Arc<Link>,
    alone: bool,
    /// Statements begun whose end nobody has seen.
    unfinished: AtomicUsize,
    /// The greatest [`Need`] of a statement that ran.
    left: AtomicU8,
}

impl Lease {
    pub fn link(&self) -> &Link {
        &self.link
    }

    pub fn begin(&self, need: Need) {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.left.fetch_max(need as u8, Ordering::Relaxed);
    }

    /// The server said all it had to say about a statement.
    pub fn finish(&self) {
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets no further statement queue behind this one, whose rows are read as slowly as a guest likes. `false` if there
    /// already are some: they must not wait for that guest.
    pub fn keep_to_itself(&self) -> bool {
        let mut state = self.pool.state();
        let slot = state.slots.iter_mut().find(|slot| slot.id == self.id);
        slot.is_none_or(|slot| {
            slot.taken = true;
            slot.leases == 1
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let interrupted = *self.unfinished.get_mut() > 0;
        let left = *self.left.get_mut();
        let dirty = self.alone && left > Need::Nothing as u8;
        if !interrupted && !dirty {
            return self.pool.release(self.id);
        }
        let spoilt = left >= Need::Connection as u8;
        let only = self.keep_to_itself();
        let (pool, link, id) = (Arc::clone(&self.pool), Arc::clone(&self.link), self.id);
        self.pool.runtime.spawn(async move {
            let settled = match (interrupted, only) {
                (false, _) => true,
                (true, true) => link.settle_or_cancel().await,
                // Others wait behind it: a cancellation might hit one of them.
                (true, false) => link.settled().await,
            };
            let session = left >= Need::Session as u8;
            if settled && !spoilt && (!dirty || link.clean(session).await) {
                pool.release(id);
            } else {
                drop(link);
                pool.discard(id);
            }
        });
    }
}
