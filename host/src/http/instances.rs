//! How instances that serve HTTP live: when one takes another request, and when it has had its time.
//! The loop that drives them is wasmtime's `ProxyHandler`; what an instance carries is `guest`.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::function::{Function, Limits};
use crate::guest::Guest;
use crate::http::call::{Activity, Call};

/// Makes the instances of one component.
pub struct Instances {
    pub function: Arc<Function>,
    pub pre: ProxyPre<Guest>,
}

impl HandlerState for Instances {
    type StoreData = Guest;
    type WorkerExpiration = Expiry;
    type WorkerState = Life;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiry, Life>> {
        let mut store = self.function.start().await?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let limits = self.function.limits;
        let activity = Activity::new();
        Ok(Instance {
            store,
            proxy,
            view: Guest::http,
            expiration: Expiry::new(limits, activity.clone()),
            state: Life {
                function: self.function.clone(),
                requests: match self.pre {
                    // WASI 0.2 components expect a fresh instance.
                    ProxyPre::P2(_) => 1,
                    ProxyPre::P3(_) => limits.requests_per_instance,
                },
                activity,
            },
        })
    }
}

pub struct Life {
    function: Arc<Function>,
    requests: usize,
    activity: Arc<Activity>,
}

impl WorkerState for Life {
    type StoreData = Guest;
    type RequestData = Arc<Call>;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.requests {
            return ShouldAccept::Never;
        }
        // `concurrent` no longer counts a request once its answer has begun. One at a time means
        // that the answer is complete as well: only then does the instance rest.
        let has_room = match self.function.limits.concurrent_requests {
            1 => self.activity.is_resting(),
            most => concurrent < most,
        };
        if has_room {
            ShouldAccept::Yes
        } else {
            ShouldAccept::No
        }
    }

    fn on_request_start(
        &self,
        store: StoreContextMut<'_, Guest>,
        call: Arc<Call>,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        self.activity.works();
        self.activity.progressed();
        call.is_taken_by(&self.activity);
        let limits = self.function.limits;
        if limits.concurrent_requests == 1 {
            store.data().serves(call.request_id());
            // `Expiry` ends the instance, and with it the request.
            Box::pin(future::pending())
        } else {
            Box::pin(tokio::time::sleep(limits.request_timeout))
        }
    }

    fn drop(&self, store: Store<Guest>, result: wasmtime::Result<()>) {
        if let Err(cause) = result {
            self.function.meter.instances_failed.fetch_add(1, Relaxed);
            let request_id = store.data().request_id();
            tracing::error!(component = %self.function.id, %request_id, "instance failed: {cause:?}");
        }
    }
}

/// Ends an instance that gets nowhere for as long as a request may take, or rests too long.
pub struct Expiry {
    limits: Limits,
    activity: Arc<Activity>,
    sleep: Pin<Box<Sleep>>,
}

impl Expiry {
    fn new(limits: Limits, activity: Arc<Activity>) -> Self {
        Self {
            limits,
            activity,
            sleep: Box::pin(tokio::time::sleep(limits.request_timeout)),
        }
    }
}

impl WorkerExpiration for Expiry {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let due = match status {
            WorkerStatus::Idle => {
                if self.activity.rests() {
                    // So that `should_accept_request` is asked again.
                    context.waker().wake_by_ref();
                }
                since + self.limits.idle_timeout
            }
            WorkerStatus::Requests | WorkerStatus::PostReturn => {
                since.max(self.activity.last()) + self.limits.request_timeout
            }
        };
        // The moment moves with every request. Setting a timer costs more than letting it ring too
        // early, so it is set back only then.
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
