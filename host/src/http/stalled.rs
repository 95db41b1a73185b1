//! Responses over HTTP/2 that their client does not take. hyper asks a body for its next frame only when the client has made
//! room for the last one. A client that makes none would hold the response, with the memory or the permit that its body has,
//! for as long as it keeps its connection. So its stream is reset, and the other streams of the connection go on. Over
//! HTTP/1.1 a connection has one response at a time, and `paced` suffices. So that HTTP/2 gives a client no more memory of the
//! host, its responses that wait are limited as its connections are; one more is reset at once.

use std::cell::Cell;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::http::connections::{Admitted, Connections};

/// The streams of a connection share its room, so each gets several times what a connection gets: with the default a minute,
/// as in most servers.
const PATIENCE: u32 = 4;

tokio::task_local! {
    /// When the response of this stream handed over the frame that waits for room.
    static HANDED_OVER: Cell<Option<Instant>>;
}

/// To be called when a response is asked for its next frame: there was room for the last one.
pub fn mark_taken() {
    // Over HTTP/1.1 there is no stream.
    let _ = HANDED_OVER.try_with(|since| since.set(None));
}

/// To be called when a response hands over a frame.
pub fn mark_handed_over() {
    let _ = HANDED_OVER.try_with(|since| since.set(Some(Instant::now())));
}

/// Runs each stream of a connection over HTTP/2 as a task, until its client takes nothing for too long.
#[derive(Clone)]
pub struct Streams {
    limit: Duration,
    client: IpAddr,
    is_proxy: bool,
    /// The responses of all clients that wait.
    waiting: Arc<Connections>,
}

impl Streams {
    pub fn new(
        stall_timeout: Duration,
        client: IpAddr,
        is_proxy: bool,
        waiting: Arc<Connections>,
    ) -> Self {
        Self {
            limit: stall_timeout * PATIENCE,
            client,
            is_proxy,
            waiting,
        }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        let watched = Watched {
            stream: Box::pin(stream),
            of: self.clone(),
            stalled: None,
        };
        tokio::spawn(HANDED_OVER.scope(Cell::new(None), watched));
    }
}

struct Watched<F> {
    stream: Pin<Box<F>>,
    of: Streams,
    /// Set while a frame waits.
    stalled: Option<Stalled>,
}

struct Stalled {
    deadline: Pin<Box<Sleep>>,
    _counted: Admitted,
}

impl<F: Future> Future for Watched<F> {
    type Output = ();

    /// Ends early to drop the stream, which resets it.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.stream.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let Some(since) = HANDED_OVER.with(Cell::get) else {
            this.stalled = None;
            return Poll::Pending;
        };
        let due = since + this.of.limit;
        let stalled = match &mut this.stalled {
            Some(stalled) => stalled,
            none => {
                let counted = this.of.waiting.admit(this.of.client, this.of.is_proxy);
                let Some(counted) = counted else {
                    return Poll::Ready(());
                };
                none.insert(Stalled {
                    deadline: Box::pin(sleep_until(due)),
                    _counted: counted,
                })
            }
        };
        if stalled.deadline.deadline() != due {
            stalled.deadline.as_mut().reset(due);
        }
        stalled.deadline.as_mut().poll(context)
    }
}
