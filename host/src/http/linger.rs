//! What becomes of a request's body when nobody wants the rest of it: a client that is still sending would find the
//! connection reset before it has read why it was refused, so a while longer it is read, and thrown away.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// A client that got its answer stops by itself, mostly; one that does not is cut off after this much.
const RATHER_READ: usize = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(5);

/// A body that is read out when it is dropped before its end.
pub struct Lingering<B>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    /// Absent once it ended.
    body: Option<B>,
    /// The client sends nothing before somebody asks for it.
    is_held_back: bool,
}

/// `request` with a body that lingers.
pub fn lingering<B>(request: Request<B>) -> Request<Lingering<B>>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    let is_held_back = request.headers().contains_key(header::EXPECT);
    request.map(|body| Lingering {
        body: Some(body),
        is_held_back,
    })
}

impl<B> HttpBody for Lingering<B>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.is_held_back = false;
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

impl<B> Drop for Lingering<B>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        if body.is_end_stream() || self.is_held_back {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(PATIENCE, read_out(body)));
        }
    }
}

async fn read_out<B>(mut body: B)
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > RATHER_READ {
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

    /// Whether all of `pieces` find a reader.
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
    async fn what_nobody_wants_is_read_for_a_while() {
        let (sender, body) = body();
        drop(lingering(Request::new(body)));
        assert!(is_read(sender, 8).await);
    }

    #[tokio::test]
    async fn who_never_stops_is_cut_off() {
        let (sender, body) = body();
        drop(lingering(Request::new(body)));
        assert!(!is_read(sender, 20).await);
    }

    #[tokio::test]
    async fn who_waits_to_be_asked_is_not_asked() {
        let (sender, body) = body();
        let request = Request::builder().header("expect", "100-continue");
        drop(lingering(request.body(body).unwrap()));
        assert!(!is_read(sender, 1).await);
    }
}
