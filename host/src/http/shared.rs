//! Answers from instances that serve several requests at once, for components that mostly wait: fewer
//! instances, but one that traps takes its neighbours' answers with it. The loop that drives them is
//! wasmtime's `ProxyHandler`; here is when one takes another request, and when it has had its time.
//! It makes tasks of its own, which know nothing of `turns`: they get threads of their own instead.
//! For components that come from Spin and count on it; one of ours answers faster `alone`.

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
use crate::http::call::Call;
use crate::http::function::Failure;
use crate::instances;

/// Where the tasks of shared instances run, so that those who compute delay only each other.
static APART: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("shared")
        // Where guests compute a task takes a whole turn, and timers are looked at only after so many.
        .event_interval(8)
        .enable_all()
        .build()
});

/// Between two attempts to find an instance that takes a request: about as long as a small one computes, then longer.
const PAUSE_LEAST: Duration = Duration::from_millis(1);
const PAUSE_MOST: Duration = Duration::from_millis(16);

pub struct Shared {
    apart: Handle,
    function: Arc<Function>,
    requests: Arc<Semaphore>,
    handler: ProxyHandler<Maker>,
}

impl Shared {
    pub fn new(function: Arc<Function>, pre: ProxyPre<Guest>) -> Result<Self> {
        let limits = function.limits;
        let apart = APART
            .as_ref()
            .map_err(|cause| anyhow!("start threads: {cause}"))?;
        Ok(Self {
            apart: apart.handle().clone(),
            requests: Arc::new(Semaphore::new(
                limits.max_instances * limits.concurrent_requests,
            )),
            handler: ProxyHandler::new(Maker {
                places: Arc::new(Semaphore::new(limits.max_instances)),
                function: function.clone(),
                pre,
            }),
            function,
        })
    }

    /// Held by a request until its answer is complete.
    pub async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.requests.clone().try_acquire_owned() {
            return Some(permit);
        }
        let begun = Instant::now();
        let permit = self.requests.clone().acquire_owned().await;
        self.function.meter.waited(begun.elapsed());
        permit.ok()
    }

    pub async fn answer(
        &self,
        call: &Arc<Call>,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Failure> {
        let begun = Instant::now();
        let limit = self.function.limits.request_timeout;
        let Ok(answer) = timeout(limit, self.handle(call, request)).await else {
            return Err(Failure::TimedOut);
        };
        answer.map_err(|cause| {
            if cause.is::<ExpirationError>() || begun.elapsed() >= limit {
                Failure::TimedOut
            } else if cause.is::<TrapOrPanicError>() {
                Failure::Trapped
            } else {
                Failure::Answered(cause)
            }
        })
    }

    /// The handler starts an instance whenever none that runs takes the request at once. Where there may be no further one
    /// it is asked again: to wait for a place would be to wait for an instance to end, while others come free much sooner.
    async fn handle(
        &self,
        call: &Arc<Call>,
        mut request: Request<WasiBody>,
    ) -> wasmtime::Result<Response<WasiBody>> {
        let mut pause = PAUSE_LEAST;
        loop {
            let mut handled = pin!(self.handler.handle(call.clone(), request));
            let handled = future::poll_fn(|context| {
                let _apart = self.apart.enter();
                handled.as_mut().poll(context)
            });
            let cause = match handled.await {
                Ok(answer) => return Ok(answer),
                Err(cause) => cause,
            };
            let failed = cause.downcast::<InstantiationError<Arc<Call>>>()?;
            if !failed.error.is::<NoPlace>() {
                return Err(format_err!("cannot start an instance: {:#}", failed.error));
            }
            request = failed
                .request
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MOST);
        }
    }
}

/// There are as many instances as there may be.
#[derive(Debug)]
struct NoPlace;

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no further instance may be started")
    }
}

impl Error for NoPlace {}

struct Maker {
    function: Arc<Function>,
    pre: ProxyPre<Guest>,
    places: Arc<Semaphore>,
}

impl HandlerState for Maker {
    type StoreData = Guest;
    type WorkerExpiration = Expiry;
    type WorkerState = Life;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiry, Life>> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| NoPlace)?;
        let mut store = self.function.store()?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let limits = self.function.limits;
        Ok(Instance {
            store,
            proxy,
            view: Guest::http,
            expiration: Expiry {
                limits,
                sleep: Box::pin(sleep(limits.request_timeout)),
            },
            state: Life {
                function: self.function.clone(),
                calls: Mutex::default(),
                _place: place,
            },
        })
    }
}

struct Life {
    function: Arc<Function>,
    /// Whose answers may still be on their way.
    calls: Mutex<Vec<Weak<Call>>>,
    _place: OwnedSemaphorePermit,
}

impl WorkerState for Life {
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
                .for_each(|call| call.fails());
            instances::lost(&self.function, &store.data().request_id(), &cause);
        }
    }
}

/// Ends an instance that gets nowhere for as long as a request may take, or rests too long.
struct Expiry {
    limits: Limits,
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiry {
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
        // The moment moves with every request. Setting a timer costs more than letting it ring too
        // early, so it is set forward only when it rang.
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
