//! Instances that serve one request at a time. An instance runs within the task of its request, so that the usual
//! short response needs no hand-over between tasks. If the response is streamed for longer, or the client has gone,
//! the instance moves to a task of its own.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use http::{Request, Response};
use tokio::time::{sleep_until, timeout};

use crate::function::Function;
use crate::http::body::Body;
use crate::http::call::{Call, CallError};
use crate::http::headers;
use crate::instances::{self, Instance, Instances, Permit};
use crate::metrics::ComponentMeter;
use crate::scheduler::Scheduled;

/// How an instance is called: `Streamed` or `Whole`.
pub trait CallMode: Send + Sync + Sized + 'static {
    /// The exports to call, looked up once per instance.
    type Exports: Send + 'static;
    type RequestBody: Send + 'static;
    type ResponseBody: Send + 'static;

    fn instantiate(
        &self,
        function: &Function,
    ) -> impl Future<Output = wasmtime::Result<Instance<Self::Exports>>> + Send;

    /// Sends the response to `response`; resolves once the instance has finished all work of this request.
    fn serve(
        instance: &mut Instance<Self::Exports>,
        request: Request<Self::RequestBody>,
        response: ResponseSender<Self>,
    ) -> impl Future<Output = wasmtime::Result<()>> + Send;

    /// Whether the instance may serve another request.
    fn is_reusable(exports: &Self::Exports) -> bool;

    /// The response body for the client. `is_finished`: the instance has finished all work of this request.
    fn body(
        body: Self::ResponseBody,
        function: &Function,
        call: &Arc<Call>,
        permit: Arc<Permit>,
        is_finished: bool,
    ) -> Body;
}

pub type ResponseSender<M> =
    oneshot::Sender<wasmtime::Result<Response<<M as CallMode>::ResponseBody>>>;

pub struct Exclusive<M: CallMode> {
    mode: M,
    instances: Arc<Instances<M::Exports>>,
}

impl<M: CallMode> Exclusive<M> {
    pub fn new(function: Arc<Function>, mode: M) -> Arc<Self> {
        Arc::new(Self {
            mode,
            instances: Instances::new(function),
        })
    }

    /// Resolves with the head of the response; the rest follows as its body.
    pub async fn call(
        self: &Arc<Self>,
        call: &Arc<Call>,
        request: Request<M::RequestBody>,
        permit: Permit,
    ) -> Result<Response<Body>, CallError> {
        let function = &*self.instances.function;
        let limit = function.limits.request_timeout;
        let is_safe = request.method().is_safe();
        let (sender, mut receiver) = oneshot::channel();
        let permit = Arc::new(permit);
        let work = self
            .clone()
            .run(call.clone(), request, sender, permit.clone());
        let mut running = Running {
            work: Some(function.scheduler.schedule(&function.id, Box::pin(work))),
            call: call.clone(),
            limit,
            function,
            is_safe,
            has_answered: false,
        };
        let head = future::poll_fn(|context| {
            let is_finished = running.poll(context).is_ready();
            match Pin::new(&mut receiver).poll(context) {
                Poll::Pending if is_finished => Poll::Ready(Err(oneshot::Canceled)),
                Poll::Pending => Poll::Pending,
                // An instance responds before it finishes. Usually one more poll finishes it.
                Poll::Ready(response) => Poll::Ready(
                    response.map(|response| (response, running.poll(context).is_ready())),
                ),
            }
        });
        match timeout(limit, head).await {
            Ok(Ok((response, is_finished))) => {
                running.has_answered = true;
                let response = response.map_err(CallError::Returned)?;
                Ok(response.map(|body| M::body(body, function, call, permit, is_finished)))
            }
            Ok(Err(oneshot::Canceled)) => Err(CallError::Trapped),
            Err(_) => {
                running.abort();
                let meter = &self.instances.function.meter;
                meter.instances_failed.fetch_add(1, Relaxed);
                Err(CallError::TimedOut)
            }
        }
    }

    pub fn try_acquire_permit(&self) -> Option<Permit> {
        self.instances.try_acquire_permit()
    }

    pub async fn acquire_permit(&self) -> Option<Permit> {
        self.instances.acquire_permit().await
    }

    async fn run(
        self: Arc<Self>,
        call: Arc<Call>,
        request: Request<M::RequestBody>,
        response: ResponseSender<M>,
        _permit: Arc<Permit>,
    ) {
        let mut instance = match self.instances.take_warm() {
            Some(warm) => warm,
            None => match self.mode.instantiate(&self.instances.function).await {
                Ok(new) => new,
                Err(cause) => {
                    let _ = response.send(Err(cause));
                    return;
                }
            },
        };
        let traceparent = headers::traceparent(request.headers());
        instance.begin_request(call.request_id(), traceparent, call.depth);
        match M::serve(&mut instance, request, response).await {
            Ok(()) if M::is_reusable(&instance.exports) => self.instances.keep_warm(instance),
            Ok(()) => {}
            Err(cause) => {
                call.mark_failed();
                instances::record_failure(&self.instances.function, call.request_id(), &cause);
            }
        }
    }
}

/// An instance at work. Dropped after its answer began, the work continues in a task of its own. Dropped earlier, because the
/// client is gone, a safe request ends at once, and another after [`GRACE`].
struct Running<'a> {
    work: Option<Work>,
    call: Arc<Call>,
    limit: Duration,
    function: &'a Function,
    /// Of the request (RFC 9110, section 9.2.1): it only reads.
    is_safe: bool,
    has_answered: bool,
}

/// How long a request that changes something goes on without its client, who then finds it done when they repeat it. Work
/// that is cut off is undone as after a crash.
const GRACE: Duration = Duration::from_secs(5);

type Work = Scheduled<Pin<Box<dyn Future<Output = ()> + Send>>>;

impl Running<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(work) = &mut self.work {
            ready!(Pin::new(work).poll(context));
            self.work = None;
        }
        Poll::Ready(())
    }

    /// Drops the instance in mid-work.
    fn abort(&mut self) {
        self.work = None;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.has_answered && self.is_safe {
            return self.abort();
        }
        if let Some(work) = self.work.take() {
            if !self.has_answered {
                let limit = GRACE.min(self.limit);
                self.function.work.spawn(timeout(limit, work));
                return;
            }
            let (call, meter) = (self.call.clone(), self.function.meter.clone());
            // Counted as work of the application, so that a stop waits for it.
            self.function
                .work
                .spawn(finish(work, call, self.limit, meter));
        }
    }
}

/// Runs the work to its end, or drops it when the call made no progress for `limit`.
async fn finish(mut work: Work, call: Arc<Call>, limit: Duration, meter: Arc<ComponentMeter>) {
    loop {
        let due = call.last_progress() + limit;
        tokio::select! {
            () = &mut work => return,
            () = sleep_until(due.into()) => {}
        }
        if call.last_progress() + limit <= Instant::now() {
            let request_id = call.request_id();
            call.mark_failed();
            meter.instances_failed.fetch_add(1, Relaxed);
            tracing::warn!(request_id, "a response body made no progress for {limit:?}");
            return;
        }
    }
}
