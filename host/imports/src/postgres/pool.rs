//! The connections of one component to one address, and who gets which of them.
//!
//! Statements that only read share connections and are pipelined on them. Other statements get a dedicated connection: for
//! themselves if they may wait for a lock, for their session if they need one. Connections are opened, cleaned and closed in the background, so that no statement waits for that while
//! another connection is free.
//!
//! Invariants: a dedicated connection gets no further lease. Waiters are served in order of arrival. While the server is
//! unreachable no statement waits: all fail at once with the cause, and one task keeps trying to connect.
//!
//! A server can stop answering without closing its connections: it was suspended, or the network drops its packets. A
//! statement cannot tell that from a slow server. So when a statement takes long, the pool probes the server with a new
//! connection. If the probe gets no answer either, all connections are closed and their statements fail.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use lru::LruCache;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::is_kept;
use super::link::{Dialer, Link};
use super::session::{self, Need};
use super::settings::Settings;
use crate::budget::{Budget, Held};
use crate::door::Door;

/// Statements in the pipeline of one connection. More would only lengthen the queue behind a slow one.
const MAX_PIPELINED: usize = 8;
/// No statement is queued behind one that has run this long: it may run much longer.
const SLOW_AFTER: Duration = Duration::from_millis(20);
/// Beyond one connection per CPU, another is opened only if a statement would queue behind this many others, or behind one
/// older than [`GROW_AFTER`]. For quick statements a pipeline is cheaper than a connection, for the host and the server.
const GROW_QUEUE: usize = 4;
const GROW_AFTER: Duration = Duration::from_millis(5);
/// A statement that runs this long makes the pool probe the server. Together with the probe's own limit, waiting statements
/// fail within two seconds after a server stops answering.
const PROBE_AFTER: Duration = Duration::from_millis(500);
/// How often running statements are checked against [`PROBE_AFTER`].
const CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// Pause after an answered probe: most slow statements are only slow.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Pause between two attempts to reach an unreachable server.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// Attempts to reach a server end when no statement was asked for during this time.
const STOP_RETRYING_AFTER: Duration = Duration::from_secs(10);
/// Pause before another connection is tried after the server refused one ("too many clients").
const FULL_BACKOFF: Duration = Duration::from_secs(1);
/// Statements whose need is kept. A component has tens; generated ones replace each other.
const MAX_KNOWN_STATEMENTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);
/// All connections but one are closed after being unused this long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A server has no connection left. Every pool of the host then closes those that it does not use, so that a pool without
/// any does not wait for [`IDLE_TIMEOUT`] of the others.
pub static SHORTAGE: Notify = Notify::const_new();

pub struct Pool {
    dialer: Dialer,
    settings: Settings,
    runtime: Handle,
    cpus: usize,
    state: Mutex<State>,
    door: Arc<Door>,
    /// By the text of a statement.
    known: Mutex<LruCache<String, Known>>,
}

#[derive(Default)]
struct State {
    slots: Vec<Slot>,
    last_id: u64,
    waiting: VecDeque<Waiter>,
    last_request: Option<Instant>,
    /// Connections being opened.
    dialing: usize,
    /// Why the server cannot be reached. While it is set, one task keeps trying.
    unreachable: Option<Arc<str>>,
    full_until: Option<Instant>,
    /// When the server last answered on any connection.
    last_answer: Option<Instant>,
    is_closing_idle: bool,
    is_checking: bool,
}

struct Slot {
    id: u64,
    link: Arc<Link>,
    /// Aborting it closes the connection, even in the middle of a statement.
    driver: AbortHandle,
    /// More than one are statements in a pipeline.
    leases: usize,
    /// When the running statement started, or when the connection became idle.
    since: Instant,
    is_dedicated: bool,
}

impl Slot {
    fn has_room(&self, dedicated: bool, now: Instant) -> bool {
        if self.is_dedicated || self.link.is_closed() {
            return false;
        }
        let is_slow = now.duration_since(self.since) >= SLOW_AFTER;
        self.leases == 0 || (!dedicated && self.leases < MAX_PIPELINED && !is_slow)
    }

    fn is_overdue(&self) -> bool {
        self.leases > 0 && self.since.elapsed() > PROBE_AFTER
    }
}

/// What is known of a statement.
#[derive(Clone, Copy)]
pub struct Known {
    pub need: Need,
    /// Whether it has asked for its request.
    pub asks: bool,
}

impl Known {
    fn by_text(statement: &str) -> Known {
        Known {
            need: session::classify(statement),
            asks: false,
        }
    }
}

struct Waiter {
    dedicated: bool,
    grant: oneshot::Sender<Result<Lease, Arc<str>>>,
}

impl Pool {
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Opens no connection yet. Call it within the runtime that is to drive the connections.
    pub fn new(dialer: Dialer, settings: Settings, door: Arc<Door>) -> Arc<Pool> {
        Arc::new(Pool {
            dialer,
            settings,
            runtime: Handle::current(),
            cpus: available_parallelism().map_or(1, NonZeroUsize::get),
            state: Mutex::default(),
            door,
            known: Mutex::new(LruCache::new(MAX_KNOWN_STATEMENTS)),
        })
    }

    /// Fails if the server cannot be reached. Answers at once if a connection is open.
    pub async fn ensure_reachable(self: &Arc<Self>) -> Result<(), String> {
        if !self.lock().slots.is_empty() {
            return Ok(());
        }
        self.lease(false).await.map(drop)
    }

    /// Leases a connection for one statement that only reads.
    pub async fn lease_shared(self: &Arc<Self>) -> Result<Lease, String> {
        self.lease(false).await
    }

    /// Leases a connection that no other statement uses meanwhile.
    pub async fn lease_dedicated(self: &Arc<Self>) -> Result<Lease, String> {
        self.lease(true).await
    }

    pub fn budget(&self) -> &Budget {
        self.dialer.budget()
    }

    /// What is known of a statement. Statements are classified once.
    pub fn know(&self, statement: &str) -> Known {
        if !is_kept(statement) {
            return Known::by_text(statement);
        }
        *self
            .lock_known()
            .get_or_insert_ref(statement, || Known::by_text(statement))
    }

    /// Replaces what the statement's text told by what the server knows.
    pub fn set_need(&self, statement: &str, need: Need) {
        self.learn(statement, |known| known.need = need);
    }

    /// From now on the statement finds its request.
    pub fn set_asking(&self, statement: &str) -> Known {
        self.learn(statement, |known| known.asks = true)
    }

    fn learn(&self, statement: &str, change: impl FnOnce(&mut Known)) -> Known {
        if !is_kept(statement) {
            let mut known = Known::by_text(statement);
            change(&mut known);
            return known;
        }
        let mut all = self.lock_known();
        let known = all.get_or_insert_mut_ref(statement, || Known::by_text(statement));
        change(known);
        *known
    }

    #[cfg(test)]
    pub fn known_bytes(&self) -> usize {
        self.lock_known().iter().map(|(text, _)| text.len()).sum()
    }

    fn lock_known(&self) -> MutexGuard<'_, LruCache<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lease(self: &Arc<Self>, dedicated: bool) -> Result<Lease, String> {
        let granted = {
            let mut state = self.lock();
            state.last_request = Some(Instant::now());
            if state.waiting.is_empty()
                && let Some(lease) = self.try_grant(&mut state, dedicated)
            {
                return Ok(lease);
            }
            if let Some(cause) = &state.unreachable {
                return Err(cause.to_string());
            }
            let (grant, granted) = oneshot::channel();
            state.waiting.push_back(Waiter { dedicated, grant });
            self.grow(&mut state);
            granted
        };
        let _held_up = self.door.hold_up();
        match timeout(self.settings.wait, granted).await {
            Ok(Ok(granted)) => granted.map_err(|cause| cause.to_string()),
            Ok(Err(_)) | Err(_) => Err(self.describe_wait_timeout()),
        }
    }

    fn describe_wait_timeout(&self) -> String {
        let address = self.dialer.address();
        let waited = self.settings.wait.as_millis();
        match self.lock().slots.len() {
            0 => format!("cannot connect to {address}: no answer within {waited} ms"),
            open => format!("all {open} connections to {address} were busy for {waited} ms"),
        }
    }

    /// Leases an idle connection, or else the one with the shortest pipeline.
    fn try_grant(self: &Arc<Self>, state: &mut State, dedicated: bool) -> Option<Lease> {
        let now = Instant::now();
        let below_cpus = state.slots.len() < self.cpus;
        let with_room = state.slots.iter_mut();
        let with_room = with_room.filter(|slot| slot.has_room(dedicated, now));
        let slot = with_room.min_by_key(|slot| slot.leases)?;
        let should_grow = slot.leases >= GROW_QUEUE
            || (slot.leases > 0 && (below_cpus || now.duration_since(slot.since) > GROW_AFTER));
        if slot.leases == 0 {
            slot.since = now;
        }
        slot.leases += 1;
        slot.is_dedicated = dedicated;
        let lease = Lease {
            pool: Arc::clone(self),
            id: slot.id,
            link: Arc::clone(&slot.link),
            is_dedicated: dedicated,
            unfinished: AtomicUsize::new(0),
            greatest_need: AtomicU8::new(0),
        };
        if should_grow {
            self.grow(state);
        }
        if !std::mem::replace(&mut state.is_checking, true) {
            self.runtime.spawn(check_liveness(Arc::downgrade(self)));
        }
        Some(lease)
    }

    /// Grants what became free to waiters. Returns leases whose waiter left meanwhile: dropping one takes the lock, so the
    /// caller must release it first.
    #[must_use]
    fn serve_waiters(self: &Arc<Self>, state: &mut State) -> Vec<Lease> {
        let mut undelivered = Vec::new();
        while let Some(waiter) = state.waiting.front() {
            if waiter.grant.is_closed() {
                state.waiting.pop_front();
                continue;
            }
            let Some(lease) = self.try_grant(state, waiter.dedicated) else {
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

    /// Ends a lease whose connection is clean.
    fn release(self: &Arc<Self>, id: u64) {
        let now = Instant::now();
        let mut state = self.lock();
        if let Some(slot) = state.slots.iter_mut().find(|slot| slot.id == id) {
            slot.leases = slot.leases.saturating_sub(1);
            slot.since = now;
            if slot.leases == 0 {
                slot.is_dedicated = false;
            }
            state.last_answer = Some(now);
        }
        let undelivered = self.serve_waiters(&mut state);
        drop(state);
        drop(undelivered);
    }

    fn remove(self: &Arc<Self>, id: u64) {
        let mut state = self.lock();
        let at = state.slots.iter().position(|slot| slot.id == id);
        let removed = at.map(|at| state.slots.swap_remove(at));
        let undelivered = self.serve_waiters(&mut state);
        drop(state);
        drop((removed, undelivered));
    }

    /// Opens a connection for each waiter, at least one.
    fn grow(self: &Arc<Self>, state: &mut State) {
        let is_full = state.full_until.is_some_and(|until| until > Instant::now());
        if is_full || state.unreachable.is_some() {
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
                Err(cause) if self.record_failure(&cause) => return,
                Err(_) => sleep(RETRY_INTERVAL).await,
            }
        }
    }

    fn add(self: &Arc<Self>, link: Link, drive: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.lock();
        state.dialing -= 1;
        state.unreachable = None;
        state.last_id += 1;
        let id = state.last_id;
        let pool = Arc::downgrade(self);
        let driver = self.runtime.spawn(async move {
            drive.await;
            if let Some(pool) = pool.upgrade() {
                pool.remove(id);
            }
        });
        let now = Instant::now();
        state.last_answer = Some(now);
        state.slots.push(Slot {
            id,
            link: Arc::new(link),
            driver: driver.abort_handle(),
            leases: 0,
            since: now,
            is_dedicated: false,
        });
        if !std::mem::replace(&mut state.is_closing_idle, true) {
            let shortage = Arc::clone(&self.dialer.shortage);
            self.runtime
                .spawn(close_idle(Arc::downgrade(self), shortage));
        }
        let undelivered = self.serve_waiters(&mut state);
        drop(state);
        drop(undelivered);
    }

    /// Records that a connection could not be opened. Returns whether the task that tried it should stop: the server works
    /// and is only full, another task keeps trying, or the component no longer uses the pool.
    fn record_failure(&self, cause: &str) -> bool {
        let mut state = self.lock();
        if !state.slots.is_empty() {
            tracing::debug!(cause, "cannot open another database connection");
            state.full_until = Some(Instant::now() + FULL_BACKOFF);
            state.dialing -= 1;
            return true;
        }
        state.mark_unreachable(cause);
        let is_unused = state
            .last_request
            .is_none_or(|at| at.elapsed() > STOP_RETRYING_AFTER);
        if is_unused {
            state.unreachable = None;
        }
        let should_stop = is_unused || state.dialing > 1;
        if should_stop {
            state.dialing -= 1;
        }
        should_stop
    }

    /// After a probe that started at `probed` got no answer: closes all connections and starts to reconnect, unless the
    /// server answered on another connection meanwhile.
    fn drop_unresponsive(self: &Arc<Self>, probed: Instant) {
        let mut state = self.lock();
        if state.last_answer.is_some_and(|at| at > probed) {
            return;
        }
        let address = self.dialer.address();
        state.mark_unreachable(&format!("{address} no longer answers"));
        if state.dialing == 0 {
            state.dialing = 1;
            self.runtime.spawn(Arc::clone(self).open());
        }
        let dropped = std::mem::take(&mut state.slots);
        drop(state);
        for slot in dropped {
            slot.driver.abort();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Fails current waiters, and later requests at once.
    fn mark_unreachable(&mut self, cause: &str) {
        let cause: Arc<str> = cause.into();
        if self.unreachable.replace(Arc::clone(&cause)).is_none() {
            tracing::warn!(%cause, "the database is unreachable");
        }
        for waiter in self.waiting.drain(..) {
            // Sending fails if the waiter left meanwhile.
            drop(waiter.grant.send(Err(Arc::clone(&cause))));
        }
    }
}

/// Probes the server when a statement runs long. Ends when no statement runs.
async fn check_liveness(pool: Weak<Pool>) {
    loop {
        sleep(CHECK_INTERVAL).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        {
            let mut state = pool.lock();
            if state.slots.iter().all(|slot| slot.leases == 0) {
                state.is_checking = false;
                return;
            }
            if !state.slots.iter().any(Slot::is_overdue) {
                continue;
            }
        }
        let probed = Instant::now();
        if pool.dialer.is_unresponsive().await {
            pool.drop_unresponsive(probed);
        } else {
            sleep(PROBE_INTERVAL).await;
        }
    }
}

/// Closes unused connections. Ends when none is left.
async fn close_idle(pool: Weak<Pool>, of_component: Arc<Notify>) {
    loop {
        let shortage = async {
            tokio::select! {
                () = SHORTAGE.notified() => {}
                () = of_component.notified() => {}
            }
        };
        let shortage = timeout(IDLE_TIMEOUT / 4, shortage).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        let mut state = pool.lock();
        if state.slots.is_empty() {
            state.is_closing_idle = false;
            return;
        }
        let mut spare = state.slots.len() - 1;
        let idle = state.slots.extract_if(.., |slot| {
            let is_due = shortage.is_ok() || slot.since.elapsed() > IDLE_TIMEOUT;
            let is_idle = spare > 0 && slot.leases == 0 && is_due;
            spare -= usize::from(is_idle);
            is_idle
        });
        let idle: Vec<Slot> = idle.collect();
        drop(state);
        drop(idle);
    }
}

/// The right to use a connection: a shared one for one statement, a dedicated one until the lease is dropped.
pub struct Lease {
    pool: Arc<Pool>,
    id: u64,
    link: Arc<Link>,
    is_dedicated: bool,
    /// Statements that began and whose result was not read to its end.
    unfinished: AtomicUsize,
    /// The greatest [`Need`] among the statements that ran.
    greatest_need: AtomicU8,
}

impl Lease {
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// For the rows of a statement.
    pub fn hold(&self) -> Held {
        self.pool.budget().hold()
    }

    pub fn begin_statement(&self, need: Need) {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.greatest_need.fetch_max(need as u8, Ordering::Relaxed);
    }

    /// To be called when the server's answer to a statement is complete.
    pub fn finish_statement(&self) {
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets no further statement queue behind this one, because the guest reads its rows slowly. Returns `false` if others
    /// are queued already: they must not wait for the guest.
    pub fn stop_sharing(&self) -> bool {
        let mut state = self.pool.lock();
        let slot = state.slots.iter_mut().find(|slot| slot.id == self.id);
        slot.is_none_or(|slot| {
            slot.is_dedicated = true;
            slot.leases == 1
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let is_interrupted = *self.unfinished.get_mut() > 0;
        let need = *self.greatest_need.get_mut();
        let is_dirty = self.is_dedicated && need > Need::Alone as u8;
        if !is_interrupted && !is_dirty {
            return self.pool.release(self.id);
        }
        let is_alone = self.stop_sharing();
        let (pool, link, id) = (Arc::clone(&self.pool), Arc::clone(&self.link), self.id);
        self.pool.runtime.spawn(async move {
            let is_settled = match (is_interrupted, is_alone) {
                (false, _) => true,
                (true, true) => link.settle_or_cancel().await,
                // A cancellation could hit one of the statements that are queued behind it.
                (true, false) => link.settle().await,
            };
            let is_reusable = need < Need::Connection as u8;
            let reset_session = need >= Need::Session as u8;
            if is_settled && is_reusable && (!is_dirty || link.clean(reset_session).await) {
                pool.release(id);
            } else {
                drop(link);
                pool.remove(id);
            }
        });
    }
}
