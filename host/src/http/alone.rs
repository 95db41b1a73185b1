//! Answers from instances that serve one request at a time. The instance runs within the request's own
//! task: where the answer is complete at once, which is the rule, nothing is handed from task to task.
//! Only an answer that takes longer, or whose client has gone, moves to a task of its own.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use http::{Request, Response};
use tokio::time::{sleep_until, timeout};
use wasmtime::component::Accessor;

use crate::function::Function;
use crate::guest::Guest;
use crate::http::body::Body;
use crate::http::call::Call;
use crate::http::function::Failure;
use crate::instances::{self, Instance, Instances, Place};
use crate::metrics::ComponentMeter;
use crate::turns::Share;

/// How an instance is asked: `streamed` or `whole`.
pub trait Way: Send + Sync + Sized + 'static {
    /// What is called in an instance, looked up once.
    type Exports: Send + 'static;
    type Asked: Send + 'static;
    type Answered: Send + 'static;

    fn instantiate(
        &self,
        function: &Function,
    ) -> impl Future<Output = wasmtime::Result<Instance<Self::Exports>>> + Send;

    /// Resolves when the instance has nothing left to do for this request.
    fn serve(
        instance: &mut Instance<Self::Exports>,
        request: Request<Self::Asked>,
        answer: Answer<Self>,
    ) -> impl Future<Output = wasmtime::Result<()>> + Send;

    /// Whether the instance may serve another request.
    fn is_reusable(exports: &Self::Exports) -> bool;

    /// `is_over`: the instance has nothing left to do.
    fn body(body: Self::Answered, call: &Arc<Call>, place: Arc<Place>, is_over: bool) -> Body;
}

pub type Answer<W> = oneshot::Sender<wasmtime::Result<Response<<W as Way>::Answered>>>;

pub struct Alone<W: Way> {
    way: W,
    instances: Arc<Instances<W::Exports>>,
}

impl<W: Way> Alone<W> {
    pub fn new(function: Arc<Function>, way: W) -> Arc<Self> {
        Arc::new(Self {
            way,
            instances: Instances::new(function),
        })
    }

    /// The beginning of the answer; the rest comes as its body.
    pub async fn answer(
        self: &Arc<Self>,
        call: &Arc<Call>,
        request: Request<W::Asked>,
        place: Place,
    ) -> Result<Response<Body>, Failure> {
        let limit = self.instances.function.limits.request_timeout;
        let (answer, mut answered) = oneshot::channel();
        let place = Arc::new(place);
        let work = self
            .clone()
            .run(call.clone(), request, answer, place.clone());
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
        match timeout(limit, begun).await {
            Ok(Ok((answer, is_over))) => {
                let answer = answer.map_err(Failure::Answered)?;
                Ok(answer.map(|body| W::body(body, call, place, is_over)))
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

    async fn run(
        self: Arc<Self>,
        call: Arc<Call>,
        request: Request<W::Asked>,
        answer: Answer<W>,
        _place: Arc<Place>,
    ) {
        let mut instance = match self.instances.take_warm() {
            Some(warm) => warm,
            None => match self.way.instantiate(&self.instances.function).await {
                Ok(new) => new,
                Err(cause) => {
                    let _ = answer.send(Err(cause));
                    return;
                }
            },
        };
        instance.serves(call.request_id());
        match W::serve(&mut instance, request, answer).await {
            Ok(()) if W::is_reusable(&instance.exports) => self.instances.keep_warm(instance),
            Ok(()) => {}
            Err(cause) => {
                call.fails();
                instances::lost(&self.instances.function, call.request_id(), &cause);
            }
        }
    }
}

/// Resolves when nothing that was begun in the instance goes on.
pub async fn is_done(accessor: &Accessor<Guest>) {
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
