//! The pool of instances of one component, each serving one request or message at a time. The manifest limits how many
//! work at the same time; idle ones are kept warm.

use std::future;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;
use wasmtime::component::Accessor;

use crate::function::Function;
use crate::guest::Guest;
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
pub type Permit = OwnedSemaphorePermit;

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

    /// Waits for a permit, first come, first served.
    pub async fn acquire_permit(&self) -> Option<Permit> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Some(permit);
        }
        let begun = Instant::now();
        let permit = self.permits.clone().acquire_owned().await;
        self.function.meter.record_wait(begun.elapsed());
        permit.ok()
    }

    pub fn take_warm(&self) -> Option<Instance<E>> {
        self.warm
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    /// Keeps an instance for the next request, unless it is used up or has grown too much.
    pub fn keep_warm(&self, mut instance: Instance<E>) {
        instance.served += 1;
        instance.idle_since = Instant::now();
        let grown = instance.memory() - instance.initial_memory;
        if grown <= MAX_GROWTH && instance.served < self.function.limits.requests_per_instance {
            self.warm
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(instance);
        }
    }
}

impl<E> Instance<E> {
    /// Starts a request with a full time slice.
    pub fn begin_request(&mut self, request_id: &str) {
        self.store.set_epoch_deadline(EPOCHS_PER_SLICE);
        self.store.data().begin_request(request_id);
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
        let _idle: Vec<Instance<E>> = {
            let mut warm = instances
                .warm
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            warm.extract_if(.., |instance| instance.idle_since.elapsed() >= idle)
                .collect()
        };
    }
}

/// Waits until no task that the guest spawned is running.
pub async fn finish_tasks(accessor: &Accessor<Guest>) {
    future::poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
}

/// Logs and counts an instance that trapped.
pub fn record_failure(function: &Function, request_id: &str, cause: &wasmtime::Error) {
    function.meter.instances_failed.fetch_add(1, Relaxed);
    tracing::error!(component = %function.id, request_id, "{}", describe(cause));
}

/// The reason of a trap, then the backtrace, innermost frame first.
fn describe(cause: &wasmtime::Error) -> String {
    let reason = cause.root_cause();
    match cause.downcast_ref::<wasmtime::WasmBacktrace>() {
        Some(backtrace) => format!("instance failed: {reason}\n{backtrace}"),
        None => format!("instance failed: {cause:#}"),
    }
}
