//! Drains request bodies that are dropped before their end. Without it a client that is still sending would get a
//! connection reset before it has read the response; so the rest is read and discarded, within limits
//! (RFC 9112, section 9.6).

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// Most clients stop sending once they have the response; the connection of others is closed at these limits.
const MAX_DRAIN_BYTES: usize = 16 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// A body that is drained when it is dropped before its end.
pub struct Draining<B>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    /// `None` once it has ended.
    body: Option<B>,
    /// The client sent `Expect: 100-continue` and waits for the host to read the body.
    awaits_continue: bool,
}

/// Makes the body of `request` one that is drained.
pub fn draining<B>(request: Request<B>) -> Request<Draining<B>>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    let awaits_continue = request.headers().contains_key(header::EXPECT);
    request.map(|body| Draining {
        body: Some(body),
        awaits_continue,
    })
}

impl<B> HttpBody for Draining<B>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.awaits_continue = false;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(B::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), B::size_hint)
    }
}

impl<B> Drop for Draining<B>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        if body.is_end_stream() || self.awaits_continue {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(DRAIN_TIMEOUT, drain(body)));
        }
    }
}

async fn drain<B>(mut body: B)
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MAX_DRAIN_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::StreamExt;
    use futures::channel::mpsc;
    use http_body_util::StreamBody;

    use super::*;

    type Sender = mpsc::Sender<Result<Frame<Bytes>, Infallible>>;

    fn body() -> (
        Sender,
        impl HttpBody<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
    ) {
        let (sender, frames) = mpsc::channel(0);
        (sender, StreamBody::new(frames.fuse()))
    }

    /// Whether all of `pieces` are read.
    async fn is_read(mut sender: Sender, pieces: usize) -> bool {
        let piece = Bytes::from(vec![0; 1 << 20]);
        for _ in 0..pieces {
            let frame = Ok(Frame::data(piece.clone()));
            if futures::SinkExt::send(&mut sender, frame).await.is_err() {
                return false;
            }
        }
        true
    }

    #[tokio::test]
    async fn a_dropped_body_is_drained() {
        let (sender, body) = body();
        drop(draining(Request::new(body)));
        assert!(is_read(sender, 8).await);
    }

    #[tokio::test]
    async fn an_endless_body_is_drained_up_to_the_limit() {
        let (sender, body) = body();
        drop(draining(Request::new(body)));
        assert!(!is_read(sender, 20).await);
    }

    #[tokio::test]
    async fn a_client_that_awaits_continue_is_not_drained() {
        let (sender, body) = body();
        let request = Request::builder().header("expect", "100-continue");
        drop(draining(request.body(body).unwrap()));
        assert!(!is_read(sender, 1).await);
    }
}
