//! One component as HTTP sees it: a bounded number of requests at once, each answered in time or
//! refused with the reason.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use futures::poll;
use http::{Request, Response};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyPre;

use crate::function::Function;
use crate::guest::Guest;
use crate::http::alone::Alone;
use crate::http::body::Body;
use crate::http::call::Call;
use crate::http::problem::Refusal;
use crate::http::shared::Shared;
use crate::http::streamed::Streamed;
use crate::http::whole::{Whole, gather};

/// How long a request may wait for its place: longer than a burst lasts, shorter than a client's
/// patience.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a component's clients may have sent of bodies that are not here yet.
const BEGUN_BYTES: u64 = 128 << 20;

pub struct HttpFunction {
    function: Arc<Function>,
    instances: Instances,
}

enum Instances {
    Whole {
        alone: Arc<Alone<Whole>>,
        /// Bodies that are waited for.
        begun: Semaphore,
    },
    Streamed(Arc<Alone<Streamed>>),
    Shared(Shared),
}

/// Why there is no answer.
pub enum Failure {
    /// The component returned an error instead.
    Answered(wasmtime::Error),
    /// The instance is gone, and its end was logged.
    Trapped,
    TimedOut,
}

impl HttpFunction {
    pub fn new(function: Arc<Function>, pre: ProxyPre<Guest>) -> Result<Self> {
        let limits = &function.limits;
        let instances = if limits.concurrent_requests > 1 {
            Instances::Shared(Shared::new(function.clone(), pre)?)
        } else if let Some(whole) = Whole::of(function.pre.component(), limits) {
            let begun = (BEGUN_BYTES / limits.body_bytes.max(1)).min(Semaphore::MAX_PERMITS as u64);
            Instances::Whole {
                alone: Alone::new(function.clone(), whole),
                begun: Semaphore::new(usize::try_from(begun)?),
            }
        } else {
            Instances::Streamed(Alone::new(function.clone(), Streamed(pre)))
        };
        Ok(Self {
            function,
            instances,
        })
    }

    pub fn body_limit(&self) -> u64 {
        self.function.limits.body_bytes
    }

    pub async fn answer(
        &self,
        call: Arc<Call>,
        request: Request<WasiBody>,
    ) -> Result<Response<Body>, Refusal> {
        let answer = match &self.instances {
            Instances::Whole { alone, begun } => {
                let request = self.read(&call, begun, request).await?;
                let place = self.patiently(alone.place()).await?;
                alone.answer(&call, request, place).await
            }
            Instances::Streamed(alone) => {
                let place = self.patiently(alone.place()).await?;
                alone.answer(&call, request, place).await
            }
            Instances::Shared(shared) => {
                let permit = self.patiently(shared.permit()).await?;
                let answer = shared.answer(&call, request).await;
                answer.map(|answer| {
                    answer.map(|body| {
                        Body::of_guest(body, call.clone(), false).holding(Arc::new(permit))
                    })
                })
            }
        };
        if call.is_body_too_large.load(Relaxed) {
            return Err(self.body_too_large());
        }
        answer.map_err(|failure| self.refusal(&call, failure))
    }

    fn body_too_large(&self) -> Refusal {
        Refusal::BodyTooLarge {
            limit: self.body_limit(),
        }
    }

    /// The request with all of its body: no instance waits for slow clients, and only so many of them are
    /// waited for.
    async fn read(
        &self,
        call: &Call,
        begun: &Semaphore,
        request: Request<WasiBody>,
    ) -> Result<Request<Bytes>, Refusal> {
        let (head, body) = request.into_parts();
        let mut gathered = pin!(gather(body));
        let body = match poll!(gathered.as_mut()) {
            // Mostly all of it came with the head.
            Poll::Ready(body) => body,
            Poll::Pending => {
                let _turn = self.patiently(async { begun.acquire().await.ok() }).await?;
                let limit = self.function.limits.request_timeout;
                let seconds = limit.as_secs();
                let gathered = timeout(limit, gathered).await;
                gathered.map_err(|_| Refusal::BodyLate { seconds })?
            }
        };
        match body {
            Ok(body) => Ok(Request::from_parts(head, body)),
            Err(_) if call.is_body_too_large.load(Relaxed) => Err(self.body_too_large()),
            Err(_) => Err(Refusal::BodyBroken),
        }
    }

    async fn patiently<T>(&self, place: impl Future<Output = Option<T>>) -> Result<T, Refusal> {
        match timeout(PATIENCE, place).await {
            Ok(Some(place)) => Ok(place),
            Ok(None) | Err(_) => {
                self.function.meter.refused_busy.fetch_add(1, Relaxed);
                Err(Refusal::Busy)
            }
        }
    }

    fn refusal(&self, call: &Call, failure: Failure) -> Refusal {
        let (component, request_id) = (&self.function.id, call.request_id());
        match failure {
            Failure::Answered(cause) => {
                tracing::error!(%component, request_id, "no answer but an error: {cause:#}");
                Refusal::Failed
            }
            Failure::Trapped => Refusal::Failed,
            Failure::TimedOut => {
                let limit = self.function.limits.request_timeout;
                tracing::warn!(%component, request_id, "no answer within {limit:?}");
                Refusal::TimedOut {
                    seconds: limit.as_secs(),
                }
            }
        }
    }
}
