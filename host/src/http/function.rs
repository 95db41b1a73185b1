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
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyPre;

use crate::function::Function;
use crate::guest::Guest;
use crate::http::body::Body;
use crate::http::call::{Call, CallError};
use crate::http::exclusive::Exclusive;
use crate::http::headers::Way;
use crate::http::pending::{Charge, PendingBodies};
use crate::http::problem::Refusal;
use crate::http::shared::Shared;
use crate::http::streamed::Streamed;
use crate::http::whole::{Collected, Whole, WholeRequest};

/// Maximum wait for a permit: longer than a burst lasts, shorter than the timeout of most clients.
const MAX_PERMIT_WAIT: Duration = Duration::from_secs(1);

/// A body is charged in steps of this size: a step costs a lock.
const CHARGE_BYTES: usize = 4 << 10;

pub struct HttpFunction {
    function: Arc<Function>,
    instances: Instances,
}

enum Instances {
    Whole {
        exclusive: Arc<Exclusive<Whole>>,
        pending_bodies: PendingBodies,
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
            Instances::Whole {
                exclusive: Exclusive::new(function.clone(), whole),
                pending_bodies: PendingBodies::new(limits.pending_bodies_bytes),
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
        mut request: Request<WasiBody>,
        way: &Way<'_>,
    ) -> Result<Response<Body>, Refusal> {
        let response = match &self.instances {
            Instances::Whole {
                exclusive,
                pending_bodies,
            } => {
                let mut charge = pending_bodies.charge(call.client);
                let request = self.read_body(&call, &mut charge, request).await?;
                let permit = match exclusive.try_acquire_permit() {
                    Some(permit) => permit,
                    None => {
                        let length = request.body().len();
                        self.check_room(charge.complete(length, MAX_PERMIT_WAIT).await)?;
                        self.wait_for(exclusive.acquire_permit()).await?
                    }
                };
                drop(charge);
                let head = way.head(&request);
                let request = request.map(|body| WholeRequest { head, body });
                exclusive.call(&call, request, permit).await
            }
            Instances::Streamed(exclusive) => {
                way.mark(&mut request);
                let permit = self.wait_for(exclusive.acquire_permit()).await?;
                exclusive.call(&call, request, permit).await
            }
            Instances::Shared(shared) => {
                way.mark(&mut request);
                let permit = self.wait_for(shared.acquire_permit()).await?;
                let response = shared.call(&call, request).await;
                response.map(|response| {
                    response.map(|body| {
                        Body::of_guest(body, call.clone(), false).with_permit(Arc::new(permit))
                    })
                })
            }
        };
        if call.is_body_too_large.load(Relaxed) || call.is_body_late.load(Relaxed) {
            return Err(self.body_refusal(&call));
        }
        response.map_err(|error| self.refusal(&call, error))
    }

    fn body_too_large(&self) -> Refusal {
        Refusal::BodyTooLarge {
            limit: self.body_limit(),
        }
    }

    /// Reads the whole body before an instance is called, so that a slow client does not occupy one.
    async fn read_body(
        &self,
        call: &Call,
        charge: &mut Charge<'_>,
        request: Request<WasiBody>,
    ) -> Result<Request<Bytes>, Refusal> {
        let (head, body) = request.into_parts();
        let mut body = Collected::new(body);
        // Usually the body arrived together with the head.
        let mut arrived = 0;
        let is_complete = loop {
            match poll!(pin!(body.next())) {
                Poll::Ready(Ok(Some(bytes))) => arrived += bytes,
                Poll::Ready(Ok(None)) => break true,
                Poll::Ready(Err(_)) => return Err(self.body_refusal(call)),
                Poll::Pending => break false,
            }
        };
        if !is_complete {
            let limit = self.function.limits.request_timeout;
            let rest = async {
                self.charge(charge, std::mem::take(&mut arrived)).await?;
                loop {
                    if arrived >= CHARGE_BYTES {
                        self.charge(charge, std::mem::take(&mut arrived)).await?;
                    }
                    match body.next().await {
                        Ok(Some(bytes)) => arrived += bytes,
                        Ok(None) => return Ok(()),
                        Err(_) => return Err(self.body_refusal(call)),
                    }
                }
            };
            let seconds = limit.as_secs();
            let received = timeout(limit, rest).await;
            received.map_err(|_| Refusal::BodyLate { seconds })??;
        }
        Ok(Request::from_parts(head, body.into_bytes()))
    }

    /// Why a body could not be received.
    fn body_refusal(&self, call: &Call) -> Refusal {
        if call.is_body_too_large.load(Relaxed) {
            self.body_too_large()
        } else if call.is_body_late.load(Relaxed) {
            let seconds = call.stall_timeout.unwrap_or_default().as_secs();
            Refusal::BodyLate { seconds }
        } else {
            Refusal::BodyBroken
        }
    }

    async fn charge(&self, charge: &mut Charge<'_>, bytes: usize) -> Result<(), Refusal> {
        self.check_room(charge.add(bytes, MAX_PERMIT_WAIT).await)
    }

    fn check_room(&self, has_room: bool) -> Result<(), Refusal> {
        if has_room {
            return Ok(());
        }
        self.function.meter.refused_busy.fetch_add(1, Relaxed);
        Err(Refusal::Busy)
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
