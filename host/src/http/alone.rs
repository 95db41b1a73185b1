//! Answers from instances that serve one request at a time. The instance runs within the request's own
//! task: where the answer is complete at once, which is the rule, nothing is handed from task to task.
//! Only an answer that takes longer, or whose client has gone, moves to a task of its own.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::channel::oneshot;
use http::{Request, Response};
use tokio::time::{sleep_until, timeout_at};
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut, bail};
use wasmtime_wasi_http::handler::{Prepared, Proxy, ProxyPre};
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use crate::function::Function;
use crate::guest::Guest;
use crate::http::body::Body;
use crate::http::call::Call;
use crate::http::function::Failure;
use crate::http::whole;
use crate::instances::{self, Instance, Instances, Place};
use crate::metrics::ComponentMeter;
use crate::turns::Share;

pub struct Alone {
    pre: Pre,
    instances: Arc<Instances<Exports>>,
}

enum Pre {
    Whole(whole::Export),
    Streamed(ProxyPre<Guest>),
}

/// What is called in an instance.
enum Exports {
    Whole(whole::Handler),
    Streamed(Proxy),
}

enum Asked {
    Whole(Request<Bytes>),
    Streamed(Request<WasiBody>),
}

type Answer = oneshot::Sender<wasmtime::Result<Response<WasiBody>>>;

impl Alone {
    pub fn new(function: Arc<Function>, pre: ProxyPre<Guest>) -> Arc<Self> {
        let whole = whole::Export::of(function.pre.component());
        Arc::new(Self {
            pre: whole.map_or(Pre::Streamed(pre), Pre::Whole),
            instances: Instances::new(function),
        })
    }

    /// The beginning of the answer; the rest comes as its body.
    pub async fn answer(
        self: &Arc<Self>,
        call: &Arc<Call>,
        request: Request<WasiBody>,
        place: Place,
    ) -> Result<Response<Body>, Failure> {
        let limit = self.instances.function.limits.request_timeout;
        let deadline = Instant::now() + limit;
        let asked = match &self.pre {
            Pre::Whole(_) => Asked::Whole(whole::read(request, deadline).await?),
            Pre::Streamed(_) => Asked::Streamed(request),
        };
        let (answer, mut answered) = oneshot::channel();
        let work = self.clone().run(call.clone(), asked, answer, place);
        let mut running = Running {
            work: Some(self.instances.function.turns.share(Box::pin(work))),
            call: call.clone(),
            limit,
            meter: &self.instances.function.meter,
        };
        let begun = future::poll_fn(|context| {
            let is_over = running.poll(context).is_ready();
            match Pin::new(&mut answered).poll(context) {
                Poll::Pending if is_over => Poll::Ready(Err(oneshot::Canceled)),
                Poll::Pending => Poll::Pending,
                // An instance answers before it is done. Mostly all it lacks is to be asked once more.
                Poll::Ready(answer) => {
                    Poll::Ready(answer.map(|answer| (answer, running.poll(context).is_ready())))
                }
            }
        });
        match timeout_at(deadline.into(), begun).await {
            Ok(Ok((answer, is_over))) => {
                let answer = answer.map_err(Failure::Answered)?;
                Ok(answer.map(|body| Body::of_guest(body, call.clone(), is_over)))
            }
            Ok(Err(oneshot::Canceled)) => Err(Failure::Trapped),
            Err(_) => {
                running.end();
                let meter = &self.instances.function.meter;
                meter.instances_failed.fetch_add(1, Relaxed);
                Err(Failure::TimedOut)
            }
        }
    }

    pub async fn place(&self) -> Option<Place> {
        self.instances.place().await
    }

    async fn run(self: Arc<Self>, call: Arc<Call>, asked: Asked, answer: Answer, _place: Place) {
        let mut instance = match self.instances.take_warm() {
            Some(warm) => warm,
            None => match self.instantiate().await {
                Ok(new) => new,
                Err(cause) => {
                    let _ = answer.send(Err(cause));
                    return;
                }
            },
        };
        match serve(&mut instance, &call, asked, answer).await {
            // WASI 0.2 components expect a fresh instance each time.
            Ok(()) if matches!(instance.exports, Exports::Streamed(Proxy::P2(_))) => {}
            Ok(()) => self.instances.keep_warm(instance),
            Err(cause) => {
                call.fails();
                instances::lost(&self.instances.function, call.request_id(), &cause);
            }
        }
    }

    async fn instantiate(&self) -> wasmtime::Result<Instance<Exports>> {
        let function = &self.instances.function;
        let mut store = function.store()?;
        let exports = match &self.pre {
            Pre::Whole(export) => {
                let instance = function.pre.instantiate_async(&mut store).await?;
                Exports::Whole(whole::Handler::of(&instance, &mut store, *export)?)
            }
            Pre::Streamed(pre) => Exports::Streamed(pre.instantiate_async(&mut store).await?),
        };
        Ok(Instance::new(store, exports))
    }
}

/// Resolves when the instance has nothing left to do for this request.
async fn serve(
    instance: &mut Instance<Exports>,
    call: &Call,
    asked: Asked,
    answer: Answer,
) -> wasmtime::Result<()> {
    instance.serves(call.request_id());
    let store = &mut instance.store;
    match (&instance.exports, asked) {
        (Exports::Whole(handler), Asked::Whole(request)) => {
            let answered = handler.ask(store, &request).await?;
            let _ = answer.send(answered.into_response(request.method()));
            store
                .run_concurrent(async |accessor| is_done(accessor).await)
                .await
        }
        (Exports::Streamed(proxy), Asked::Streamed(request)) => {
            store
                .run_concurrent(async |accessor| {
                    let prepared = accessor.with(|mut store| {
                        Prepared::new(store.as_context_mut(), proxy, request, Guest::http, answer)
                    })?;
                    prepared.run(accessor, future::pending()).await?;
                    is_done(accessor).await;
                    Ok(())
                })
                .await?
        }
        _ => bail!("asked the other way than it was made for"),
    }
}

async fn is_done(accessor: &Accessor<Guest>) {
    future::poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
}

/// An instance at work. Dropped before it is done, it goes on in a task of its own.
struct Running<'a> {
    work: Option<Work>,
    call: Arc<Call>,
    limit: Duration,
    meter: &'a Arc<ComponentMeter>,
}

type Work = Share<Pin<Box<dyn Future<Output = ()> + Send>>>;

impl Running<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(work) = &mut self.work {
            ready!(Pin::new(work).poll(context));
            self.work = None;
        }
        Poll::Ready(())
    }

    /// Ends the instance, wherever it is.
    fn end(&mut self) {
        self.work = None;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            let (call, meter) = (self.call.clone(), self.meter.clone());
            tokio::spawn(go_on(work, call, self.limit, meter));
        }
    }
}

/// Ends the instance, too, when nothing has come of it for `limit`.
async fn go_on(mut work: Work, call: Arc<Call>, limit: Duration, meter: Arc<ComponentMeter>) {
    loop {
        let due = call.last_progress() + limit;
        tokio::select! {
            () = &mut work => return,
            () = sleep_until(due.into()) => {}
        }
        if call.last_progress() + limit <= Instant::now() {
            let request_id = call.request_id();
            call.fails();
            meter.instances_failed.fetch_add(1, Relaxed);
            tracing::warn!(
                request_id,
                "the rest of an answer did not come within {limit:?}"
            );
            return;
        }
    }
}
