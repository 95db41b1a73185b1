//! The instances of one component that serve one thing at a time: so many at once as the manifest
//! allows, kept warm between two requests or messages. What they are asked is the triggers' business.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;

use crate::function::Function;
use crate::guest::Guest;
use crate::turns::WHOLE_TURN;

/// `E` is what is called in an instance, looked up once.
pub struct Instances<E> {
    pub function: Arc<Function>,
    places: Arc<Semaphore>,
    /// The last to come is the first to go out again: the others get to cool down.
    warm: Mutex<Vec<Instance<E>>>,
}

pub struct Instance<E> {
    pub store: Store<Guest>,
    pub exports: E,
    served: usize,
    since: Instant,
    memory_at_first: usize,
}

/// Linear memory never shrinks: an instance that once needed this much more than it began with would keep it.
const MOST_GROWN: usize = 32 << 20;

/// The right to have one instance at work.
pub type Place = OwnedSemaphorePermit;

impl<E: Send + 'static> Instances<E> {
    /// None yet; those that come are let go when nobody used them for as long as the manifest says.
    pub fn new(function: Arc<Function>) -> Arc<Self> {
        let instances = Arc::new(Self {
            places: Arc::new(Semaphore::new(function.limits.max_instances)),
            warm: Mutex::default(),
            function,
        });
        tokio::spawn(cool(
            Arc::downgrade(&instances),
            instances.function.limits.idle_timeout,
        ));
        instances
    }

    /// A place as soon as there is one, in the order of asking.
    pub async fn place(&self) -> Option<Place> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        let begun = Instant::now();
        let place = self.places.clone().acquire_owned().await;
        self.function.meter.waited(begun.elapsed());
        place.ok()
    }

    pub fn take_warm(&self) -> Option<Instance<E>> {
        self.warm
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    /// An instance that did what it was asked, for the next to ask.
    pub fn keep_warm(&self, mut instance: Instance<E>) {
        instance.served += 1;
        instance.since = Instant::now();
        let grown = instance.memory() - instance.memory_at_first;
        if grown <= MOST_GROWN && instance.served < self.function.limits.requests_per_instance {
            self.warm
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(instance);
        }
    }
}

impl<E> Instance<E> {
    /// From here on it serves this request, with a whole turn ahead.
    pub fn serves(&mut self, request_id: &str) {
        self.store.set_epoch_deadline(WHOLE_TURN);
        self.store.data().serves(request_id);
    }

    fn memory(&self) -> usize {
        self.store.data().memory.used()
    }

    pub fn new(store: Store<Guest>, exports: E) -> Self {
        Self {
            memory_at_first: store.data().memory.used(),
            store,
            exports,
            served: 0,
            since: Instant::now(),
        }
    }
}

async fn cool<E>(instances: Weak<Instances<E>>, idle: Duration) {
    let mut ticks = tokio::time::interval((idle / 4).max(Duration::from_millis(100)));
    loop {
        ticks.tick().await;
        let Some(instances) = instances.upgrade() else {
            return;
        };
        // Dropped after the lock: an instance takes its time to go.
        let _cold: Vec<Instance<E>> = {
            let mut warm = instances
                .warm
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            warm.extract_if(.., |instance| instance.since.elapsed() >= idle)
                .collect()
        };
    }
}

/// Tells of an instance that trapped, and counts it.
pub fn lost(function: &Function, request_id: &str, cause: &wasmtime::Error) {
    function.meter.instances_failed.fetch_add(1, Relaxed);
    tracing::error!(component = %function.id, request_id, "{}", trap(cause));
}

/// Why it trapped, then where, innermost first.
fn trap(cause: &wasmtime::Error) -> String {
    let reason = cause.root_cause();
    match cause.downcast_ref::<wasmtime::WasmBacktrace>() {
        Some(backtrace) => format!("instance failed: {reason}\n{backtrace}"),
        None => format!("instance failed: {cause:#}"),
    }
}
