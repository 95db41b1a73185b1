//! Answers from instances that serve several requests at once, for components that mostly wait: fewer
//! instances, but one that traps takes its neighbours' answers with it. The loop that drives them is
//! wasmtime's `ProxyHandler`; here is when one takes another request, and when it has had its time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use http::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
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

pub struct Shared {
    function: Arc<Function>,
    requests: Arc<Semaphore>,
    handler: ProxyHandler<Maker>,
}

impl Shared {
    pub fn new(function: Arc<Function>, pre: ProxyPre<Guest>) -> Self {
        let limits = function.limits;
        Self {
            requests: Arc::new(Semaphore::new(
                limits.max_instances * limits.concurrent_requests,
            )),
            handler: ProxyHandler::new(Maker {
                places: Arc::new(Semaphore::new(limits.max_instances)),
                function: function.clone(),
                pre,
            }),
            function,
        }
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
        let limit = self.function.limits.request_timeout;
        let Ok(answer) = timeout(limit, self.handler.handle(call.clone(), request)).await else {
            return Err(Failure::TimedOut);
        };
        answer.map_err(|cause| {
            if cause.is::<ExpirationError>() {
                Failure::TimedOut
            } else if cause.is::<TrapOrPanicError>() {
                Failure::Trapped
            } else if let Some(failed) = cause.downcast_ref::<InstantiationError<Arc<Call>>>() {
                Failure::Answered(wasmtime::format_err!(
                    "cannot start an instance: {:#}",
                    failed.error
                ))
            } else {
                Failure::Answered(cause)
            }
        })
    }
}

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
        let place = self.places.clone().acquire_owned().await?;
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
                _place: place,
            },
        })
    }
}

struct Life {
    function: Arc<Function>,
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
        _: Arc<Call>,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(sleep(self.function.limits.request_timeout))
    }

    fn drop(&self, store: Store<Guest>, result: wasmtime::Result<()>) {
        if let Err(cause) = result {
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
