//! One component that serves HTTP: limits concurrent requests, body size and time, and refuses what exceeds them.

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
use crate::http::body::Body;
use crate::http::call::{Call, CallError};
use crate::http::exclusive::Exclusive;
use crate::http::problem::Refusal;
use crate::http::shared::Shared;
use crate::http::streamed::Streamed;
use crate::http::whole::{Whole, collect};

/// Maximum wait for a permit: longer than a burst lasts, shorter than the timeout of most clients.
const MAX_PERMIT_WAIT: Duration = Duration::from_secs(1);

/// Memory for request bodies of one component that are still being received.
const MAX_PENDING_BODY_BYTES: u64 = 128 << 20;

pub struct HttpFunction {
    function: Arc<Function>,
    instances: Instances,
}

enum Instances {
    Whole {
        exclusive: Arc<Exclusive<Whole>>,
        /// One permit per body that is still being received.
        pending_bodies: Semaphore,
    },
    Streamed(Arc<Exclusive<Streamed>>),
    Shared(Shared),
}

impl HttpFunction {
    pub fn new(function: Arc<Function>, pre: ProxyPre<Guest>) -> Result<Self> {
        let limits = &function.limits;
        let instances = if limits.concurrent_requests > 1 {
            Instances::Shared(Shared::new(function.clone(), pre)?)
        } else if !function.is_as_spin
            && let Some(whole) = Whole::of(function.pre.component(), limits)
        {
            let pending = (MAX_PENDING_BODY_BYTES / limits.body_bytes.max(1))
                .min(Semaphore::MAX_PERMITS as u64);
            Instances::Whole {
                exclusive: Exclusive::new(function.clone(), whole),
                pending_bodies: Semaphore::new(usize::try_from(pending)?),
            }
        } else {
            Instances::Streamed(Exclusive::new(function.clone(), Streamed(pre)))
        };
        Ok(Self {
            function,
            instances,
        })
    }

    pub fn body_limit(&self) -> u64 {
        self.function.limits.body_bytes
    }

    pub async fn serve(
        &self,
        call: Arc<Call>,
        request: Request<WasiBody>,
    ) -> Result<Response<Body>, Refusal> {
        let response = match &self.instances {
            Instances::Whole {
                exclusive,
                pending_bodies,
            } => {
                let request = self.read_body(&call, pending_bodies, request).await?;
                let permit = self.wait_for(exclusive.acquire_permit()).await?;
                exclusive.call(&call, request, permit).await
            }
            Instances::Streamed(exclusive) => {
                let permit = self.wait_for(exclusive.acquire_permit()).await?;
                exclusive.call(&call, request, permit).await
            }
            Instances::Shared(shared) => {
                let permit = self.wait_for(shared.acquire_permit()).await?;
                let response = shared.call(&call, request).await;
                response.map(|response| {
                    response.map(|body| {
                        Body::of_guest(body, call.clone(), false).with_permit(Arc::new(permit))
                    })
                })
            }
        };
        if call.is_body_too_large.load(Relaxed) {
            return Err(self.body_too_large());
        }
        response.map_err(|error| self.refusal(&call, error))
    }

    fn body_too_large(&self) -> Refusal {
        Refusal::BodyTooLarge {
            limit: self.body_limit(),
        }
    }

    /// Reads the whole body before an instance is called, so that a slow client does not occupy one. The number of
    /// bodies being received is bounded.
    async fn read_body(
        &self,
        call: &Call,
        pending_bodies: &Semaphore,
        request: Request<WasiBody>,
    ) -> Result<Request<Bytes>, Refusal> {
        let (head, body) = request.into_parts();
        let mut collected = pin!(collect(body));
        let body = match poll!(collected.as_mut()) {
            // Usually the body arrived together with the head.
            Poll::Ready(body) => body,
            Poll::Pending => {
                let _permit = self
                    .wait_for(async { pending_bodies.acquire().await.ok() })
                    .await?;
                let limit = self.function.limits.request_timeout;
                let seconds = limit.as_secs();
                let collected = timeout(limit, collected).await;
                collected.map_err(|_| Refusal::BodyLate { seconds })?
            }
        };
        match body {
            Ok(body) => Ok(Request::from_parts(head, body)),
            Err(_) if call.is_body_too_large.load(Relaxed) => Err(self.body_too_large()),
            Err(_) => Err(Refusal::BodyBroken),
        }
    }

    /// Waits for a permit up to `MAX_PERMIT_WAIT`.
    async fn wait_for<T>(&self, permit: impl Future<Output = Option<T>>) -> Result<T, Refusal> {
        match timeout(MAX_PERMIT_WAIT, permit).await {
            Ok(Some(permit)) => Ok(permit),
            Ok(None) | Err(_) => {
                self.function.meter.refused_busy.fetch_add(1, Relaxed);
                Err(Refusal::Busy)
            }
        }
    }

    fn refusal(&self, call: &Call, error: CallError) -> Refusal {
        let (component, request_id) = (&self.function.id, call.request_id());
        match error {
            CallError::Returned(cause) => {
                tracing::error!(%component, request_id, "the component returned an error: {cause:#}");
                Refusal::Failed
            }
            CallError::Trapped => Refusal::Failed,
            CallError::TimedOut => {
                let limit = self.function.limits.request_timeout;
                tracing::warn!(%component, request_id, "no response within {limit:?}");
                Refusal::TimedOut {
                    seconds: limit.as_secs(),
                }
            }
        }
    }
}
