//! The pool of instances of one component, each serving one request or message at a time. The manifest limits how many
//! work at the same time; idle ones are kept warm.

use std::future;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;
use wasmtime::component::Accessor;
use wharf_imports::Door;
use wharf_imports::http::Depth;

use crate::function::Function;
use crate::guest::Guest;
use crate::memory;
use crate::scheduler::EPOCHS_PER_SLICE;

/// `E` holds the exports to call, looked up once per instance.
pub struct Instances<E> {
    pub function: Arc<Function>,
    permits: Arc<Semaphore>,
    /// A stack: the instance used last is used next, so that surplus ones become idle.
    warm: Mutex<Vec<Instance<E>>>,
}

pub struct Instance<E> {
    pub store: Store<Guest>,
    pub exports: E,
    served: usize,
    idle_since: Instant,
    initial_memory: usize,
}

/// Linear memory never shrinks, so an instance that grew by more than this is dropped after its request.
const MAX_GROWTH: usize = 32 << 20;

/// The right to run one instance.
pub struct Permit {
    _permit: OwnedSemaphorePermit,
    door: Arc<Door>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.door.leave();
    }
}

impl<E: Send + 'static> Instances<E> {
    /// Starts empty. Drops instances that were idle for `idle_timeout`.
    pub fn new(function: Arc<Function>) -> Arc<Self> {
        let instances = Arc::new(Self {
            permits: Arc::new(Semaphore::new(function.limits.max_instances)),
            warm: Mutex::default(),
            function,
        });
        tokio::spawn(drop_idle(
            Arc::downgrade(&instances),
            instances.function.limits.idle_timeout,
        ));
        instances
    }

    pub fn try_acquire_permit(&self) -> Option<Permit> {
        if !self.function.imports.door().is_open() {
            return None;
        }
        self.permits
            .clone()
            .try_acquire_owned()
            .ok()
            .map(|it| self.permit(it))
    }

    /// Waits for a permit, first come, first served.
    pub async fn acquire_permit(&self) -> Option<Permit> {
        if let Some(permit) = self.try_acquire_permit() {
            return Some(permit);
        }
        let begun = Instant::now();
        self.function.imports.door().enter().await;
        let permit = self.permits.clone().acquire_owned().await;
        self.function.meter.record_wait(begun.elapsed());
        permit.ok().map(|it| self.permit(it))
    }

    fn permit(&self, permit: OwnedSemaphorePermit) -> Permit {
        Permit {
            _permit: permit,
            door: self.function.imports.door().clone(),
        }
    }

    pub fn take_warm(&self) -> Option<Instance<E>> {
        self.warm
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    /// Keeps an instance for the next request, unless it is used up, has grown too much or holds connections.
    pub fn keep_warm(&self, mut instance: Instance<E>) {
        instance.served += 1;
        instance.idle_since = Instant::now();
        let grown = instance.memory() - instance.initial_memory;
        let is_reusable = grown <= MAX_GROWTH && !instance.store.data().imports.keeps_connections();
        if is_reusable && instance.served < self.function.limits.requests_per_instance {
            self.warm
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(instance);
        }
    }
}

impl<E> Instance<E> {
    /// Starts a request with a full time slice.
    pub fn begin_request(&mut self, request_id: &str, traceparent: Option<&str>, depth: Depth) {
        self.store.set_epoch_deadline(EPOCHS_PER_SLICE);
        let guest = self.store.data_mut();
        guest.begin_request(request_id, traceparent, depth);
    }

    fn memory(&self) -> usize {
        self.store.data().memory.used()
    }

    pub fn new(store: Store<Guest>, exports: E) -> Self {
        Self {
            initial_memory: store.data().memory.used(),
            store,
            exports,
            served: 0,
            idle_since: Instant::now(),
        }
    }
}

async fn drop_idle<E>(instances: Weak<Instances<E>>, idle: Duration) {
    let mut ticks = tokio::time::interval((idle / 4).max(Duration::from_millis(100)));
    loop {
        ticks.tick().await;
        let Some(instances) = instances.upgrade() else {
            return;
        };
        // Dropped after the lock is released: dropping an instance takes time.
        let idle: Vec<Instance<E>> = {
            let mut warm = instances
                .warm
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            warm.extract_if(.., |instance| instance.idle_since.elapsed() >= idle)
                .collect()
        };
        if !idle.is_empty() {
            drop(idle);
            memory::give_back();
        }
    }
}

/// Waits until no task that the guest spawned is running.
pub async fn finish_tasks(accessor: &Accessor<Guest>) {
    future::poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
}

/// Logs and counts an instance that trapped.
pub fn record_failure(function: &Function, request_id: &str, cause: &wasmtime::Error) {
    function.meter.instances_failed.fetch_add(1, Relaxed);
    let Some(omitted) = function.failure_log.admit() else {
        return;
    };
    if omitted > 0 {
        tracing::error!(component = %function.id, "{omitted} more failures were not logged");
    }
    tracing::error!(component = %function.id, request_id, "{}", describe(cause));
}

/// Longest description of a failure: the frames of a deep recursion repeat each other.
const MAX_DESCRIPTION_BYTES: usize = 4 << 10;

/// The reason of a trap, then the backtrace, innermost frame first.
fn describe(cause: &wasmtime::Error) -> String {
    let reason = cause.root_cause();
    let mut text = match cause.downcast_ref::<wasmtime::WasmBacktrace>() {
        Some(backtrace) => format!("instance failed: {reason}\n{backtrace}"),
        None => format!("instance failed: {cause:#}"),
    };
    if text.len() > MAX_DESCRIPTION_BYTES {
        text.truncate(text.floor_char_boundary(MAX_DESCRIPTION_BYTES));
        text.push('…');
    }
    text
}

/// Limits how many failures of a component are logged: one that fails on every request must not fill the disk.
#[derive(Default)]
pub struct FailureLog(Mutex<FailuresOfSecond>);

#[derive(Default)]
struct FailuresOfSecond {
    began: Option<Instant>,
    logged: u32,
    omitted: u64,
}

const MAX_FAILURES_PER_SECOND: u32 = 10;

impl FailureLog {
    /// Whether to log a failure now, and how many were not logged before it.
    fn admit(&self) -> Option<u64> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new_second = failures
            .began
            .is_none_or(|began| began.elapsed() >= Duration::from_secs(1));
        if is_new_second {
            failures.began = Some(Instant::now());
            failures.logged = 0;
        }
        if failures.logged >= MAX_FAILURES_PER_SECOND {
            failures.omitted += 1;
            return None;
        }
        failures.logged += 1;
        Some(std::mem::take(&mut failures.omitted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_beyond_the_limit_are_counted_instead_of_logged() {
        let log = FailureLog::default();
        let logged = (0..100).filter(|_| log.admit().is_some()).count();
        assert_eq!(logged, 10);
        let long_ago = Instant::now() - Duration::from_secs(2);
        log.0.lock().unwrap().began = Some(long_ago);
        assert_eq!(log.admit(), Some(90));
        assert_eq!(log.admit(), Some(0));
    }
}
