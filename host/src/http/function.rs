//! One component as HTTP sees it: a bounded number of requests at once, each answered in time or
//! refused with the reason.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::Result;
use http::{Request, Response};
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

/// How long a request may wait for its place: longer than a burst lasts, shorter than a client's
/// patience.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct HttpFunction {
    function: Arc<Function>,
    instances: Instances,
}

enum Instances {
    Alone(Arc<Alone>),
    Shared(Shared),
}

/// Why there is no answer.
pub enum Failure {
    /// The component returned an error instead.
    Answered(wasmtime::Error),
    /// The instance is gone, and its end was logged.
    Trapped,
    TimedOut,
    /// There was no whole request to ask it.
    BodyBroken,
}

impl HttpFunction {
    pub fn new(function: Arc<Function>, pre: ProxyPre<Guest>) -> Result<Self> {
        let instances = match function.limits.concurrent_requests {
            1 => Instances::Alone(Alone::new(function.clone(), pre)),
            _ => Instances::Shared(Shared::new(function.clone(), pre)?),
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
            Instances::Alone(alone) => {
                let place = self.patiently(alone.place()).await?;
                alone.answer(&call, request, place).await
            }
            Instances::Shared(shared) => {
                let permit = self.patiently(shared.permit()).await?;
                let answer = shared.answer(&call, request).await;
                answer.map(|answer| answer.map(|body| Body::of_shared(body, call.clone(), permit)))
            }
        };
        if call.is_body_too_large.load(Relaxed) {
            return Err(Refusal::BodyTooLarge {
                limit: self.body_limit(),
            });
        }
        answer.map_err(|failure| self.refusal(&call, failure))
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
            Failure::BodyBroken => Refusal::BodyBroken,
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
