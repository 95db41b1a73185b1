//! One component as HTTP sees it: a bounded number of requests at once, each answered in time or
//! refused with the reason.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use http::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError, ProxyHandler, ProxyPre};

use crate::function::Function;
use crate::guest::Guest;
use crate::http::body::Body;
use crate::http::call::Call;
use crate::http::instances::Instances;
use crate::http::problem::Refusal;

/// How long a request may wait for an instance to become free: longer than a burst lasts, shorter
/// than a client's patience.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct HttpFunction {
    function: Arc<Function>,
    requests: Arc<Semaphore>,
    handler: ProxyHandler<Instances>,
}

impl HttpFunction {
    pub fn new(function: Arc<Function>, pre: ProxyPre<Guest>) -> Self {
        let limits = function.limits;
        Self {
            requests: Arc::new(Semaphore::new(
                limits.max_instances * limits.concurrent_requests,
            )),
            handler: ProxyHandler::new(Instances {
                function: function.clone(),
                pre,
            }),
            function,
        }
    }

    pub fn body_limit(&self) -> u64 {
        self.function.limits.body_bytes
    }

    pub async fn answer(
        &self,
        call: Arc<Call>,
        request: Request<WasiBody>,
    ) -> Result<Response<Body>, Refusal> {
        let permit = self.permit().await?;
        let limit = self.function.limits.request_timeout;
        let started = Instant::now();
        let answered = timeout(limit, self.handler.handle(call.clone(), request)).await;
        if call.is_body_too_large.load(Relaxed) {
            return Err(Refusal::BodyTooLarge {
                limit: self.body_limit(),
            });
        }
        let cause = match answered {
            Ok(Ok(response)) => return Ok(response.map(|body| Body::of_guest(body, call, permit))),
            Ok(Err(cause)) => cause,
            Err(_) => ExpirationError.into(),
        };
        if cause.is::<ExpirationError>() || started.elapsed() >= limit {
            tracing::warn!(component = %self.function.id, request_id = call.request_id(), "no answer within {limit:?}");
            return Err(Refusal::TimedOut {
                seconds: limit.as_secs(),
            });
        }
        let (component, request_id) = (&self.function.id, call.request_id());
        if let Some(failed) = cause.downcast_ref::<InstantiationError<Arc<Call>>>() {
            tracing::error!(%component, request_id, "cannot start an instance: {:?}", failed.error);
        } else {
            tracing::error!(%component, request_id, "request failed: {cause:#}");
        }
        Err(Refusal::Failed)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        if let Ok(permit) = self.requests.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let meter = &self.function.meter;
        let begun = Instant::now();
        let waited = timeout(PATIENCE, self.requests.clone().acquire_owned()).await;
        meter.waited(begun.elapsed());
        match waited {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => {
                meter.refused_busy.fetch_add(1, Relaxed);
                Err(Refusal::Busy)
            }
        }
    }
}
