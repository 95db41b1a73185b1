//! Instances that serve several requests at the same time, for components written for Spin that rely on it. They need
//! fewer instances, but a trap fails all requests of its instance, and an `exclusive` instance is faster for
//! components built with our kit. wasmtime's `ProxyHandler` runs the instances; this module decides when an instance
//! accepts another request and when it expires. `ProxyHandler` spawns tasks outside of the `scheduler`, so they run on
//! a runtime of their own.

use std::error::Error;
use std::fmt;
use std::future::{self, Future};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use http::{Request, Response};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut, format_err};
use wasmtime_wasi_http::handler::{
    ExpirationError, HandlerState, Instance, InstantiationError, ProxyHandler, ProxyPre,
    ShouldAccept, TrapOrPanicError, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use crate::function::{Function, Limits};
use crate::guest::Guest;
use crate::http::call::{Call, CallError};
use crate::instances;

/// The runtime for shared instances, so that those that compute delay only each other.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("shared")
        // A task of a computing guest takes a whole time slice; timers are polled after this many tasks.
        .event_interval(8)
        .enable_all()
        .build()
});

/// Pause between attempts to find an instance with room for a request: starts at about the time of a small request,
/// then doubles.
const MIN_PAUSE: Duration = Duration::from_millis(1);
const MAX_PAUSE: Duration = Duration::from_millis(16);

pub struct Shared {
    runtime: Handle,
    function: Arc<Function>,
    /// One permit per concurrent request.
    permits: Arc<Semaphore>,
    handler: ProxyHandler<InstanceFactory>,
}

impl Shared {
    pub fn new(function: Arc<Function>, pre: ProxyPre<Guest>) -> Result<Self> {
        let limits = function.limits;
        let runtime = RUNTIME
            .as_ref()
            .map_err(|cause| anyhow!("start threads: {cause}"))?;
        Ok(Self {
            runtime: runtime.handle().clone(),
            permits: Arc::new(Semaphore::new(
                limits.max_instances * limits.concurrent_requests,
            )),
            handler: ProxyHandler::new(InstanceFactory {
                instance_permits: Arc::new(Semaphore::new(limits.max_instances)),
                function: function.clone(),
                pre,
            }),
            function,
        })
    }

    /// Held by a request until its response is complete.
    pub async fn acquire_permit(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Some(permit);
        }
        let begun = Instant::now();
        let permit = self.permits.clone().acquire_owned().await;
        self.function.meter.record_wait(begun.elapsed());
        permit.ok()
    }

    pub async fn call(
        &self,
        call: &Arc<Call>,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, CallError> {
        let begun = Instant::now();
        let limit = self.function.limits.request_timeout;
        let Ok(response) = timeout(limit, self.handle(call, request)).await else {
            return Err(CallError::TimedOut);
        };
        response.map_err(|cause| {
            if cause.is::<ExpirationError>() || begun.elapsed() >= limit {
                CallError::TimedOut
            } else if cause.is::<TrapOrPanicError>() {
                CallError::Trapped
            } else {
                CallError::Returned(cause)
            }
        })
    }

    /// The handler starts an instance when no running one accepts the request at once. When the limit of instances is
    /// reached the request is retried, because a running instance has room again long before one ends and releases
    /// its permit.
    async fn handle(
        &self,
        call: &Arc<Call>,
        mut request: Request<WasiBody>,
    ) -> wasmtime::Result<Response<WasiBody>> {
        let mut pause = MIN_PAUSE;
        loop {
            let mut handled = pin!(self.handler.handle(call.clone(), request));
            let handled = future::poll_fn(|context| {
                let _entered = self.runtime.enter();
                handled.as_mut().poll(context)
            });
            let cause = match handled.await {
                Ok(response) => return Ok(response),
                Err(cause) => cause,
            };
            let failed = cause.downcast::<InstantiationError<Arc<Call>>>()?;
            if !failed.error.is::<NoPermit>() {
                return Err(format_err!("cannot start an instance: {:#}", failed.error));
            }
            request = failed
                .request
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

/// The limit of instances is reached.
#[derive(Debug)]
struct NoPermit;

impl fmt::Display for NoPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no further instance may be started")
    }
}

impl Error for NoPermit {}

struct InstanceFactory {
    function: Arc<Function>,
    pre: ProxyPre<Guest>,
    instance_permits: Arc<Semaphore>,
}

impl HandlerState for InstanceFactory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = InstanceState;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, InstanceState>> {
        let permit = self
            .instance_permits
            .clone()
            .try_acquire_owned()
            .map_err(|_| NoPermit)?;
        let mut store = self.function.new_store()?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let limits = self.function.limits;
        Ok(Instance {
            store,
            proxy,
            view: Guest::http,
            expiration: Expiration {
                limits,
                sleep: Box::pin(sleep(limits.request_timeout)),
            },
            state: InstanceState {
                function: self.function.clone(),
                calls: Mutex::default(),
                _permit: permit,
            },
        })
    }
}

struct InstanceState {
    function: Arc<Function>,
    /// Calls whose responses may still be incomplete.
    calls: Mutex<Vec<Weak<Call>>>,
    _permit: OwnedSemaphorePermit,
}

impl WorkerState for InstanceState {
    type StoreData = Guest;
    type RequestData = Arc<Call>;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.function.limits.requests_per_instance {
            ShouldAccept::Never
        } else if concurrent >= self.function.limits.concurrent_requests {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Guest>,
        call: Arc<Call>,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|call| call.strong_count() > 0);
        calls.push(Arc::downgrade(&call));
        Box::pin(sleep(self.function.limits.request_timeout))
    }

    fn drop(&self, store: Store<Guest>, result: wasmtime::Result<()>) {
        if let Err(cause) = result {
            let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls
                .iter()
                .filter_map(Weak::upgrade)
                .for_each(|call| call.mark_failed());
            instances::record_failure(&self.function, &store.data().request_id(), &cause);
        }
    }
}

/// Ends an instance that makes no progress for the request timeout, or is idle for the idle timeout.
struct Expiration {
    limits: Limits,
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let due = since
            + match status {
                WorkerStatus::Idle => self.limits.idle_timeout,
                WorkerStatus::Requests | WorkerStatus::PostReturn => self.limits.request_timeout,
            };
        // The deadline moves with every request. Resetting a timer costs more than an early wake-up, so it is
        // moved forward only after it has fired.
        if due < self.sleep.deadline().into_std() {
            self.sleep.as_mut().reset(due.into());
        }
        loop {
            ready!(self.sleep.as_mut().poll(context));
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due.into());
        }
    }
}
