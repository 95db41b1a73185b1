//! Bodies of requests, bounded in size, and of responses, which hold the permit of their instance and complete the
//! access log record of the request once they are sent or dropped.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::http::call::Call;
use crate::http::connections::RequestInProgress;
use crate::http::record::Record;
use crate::http::stalled;

/// Limits `body` to `limit` bytes; a longer one ends in an error.
///
/// A body of which nothing arrives for the stall timeout of the call ends in an error too.
pub fn bounded<B>(body: B, limit: u64, call: Arc<Call>) -> WasiBody
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Error>,
{
    Bounded {
        body,
        left: limit,
        limit,
        stalled: None,
        call,
    }
    .boxed_unsync()
}

struct Bounded<B> {
    body: B,
    left: u64,
    limit: u64,
    /// Set while nothing arrives.
    stalled: Option<Pin<Box<Sleep>>>,
    call: Arc<Call>,
}

impl<B> Bounded<B> {
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.call.stall_timeout else {
            return Poll::Pending;
        };
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        stalled.as_mut().poll(context)
    }
}

impl<B> HttpBody for Bounded<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Error>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.poll_stalled(context));
            self.call.is_body_late.store(true, Relaxed);
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        self.stalled = None;
        let Some(Ok(frame)) = frame else {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        if let Some(data) = frame.data_ref() {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => {
                    self.call.is_body_too_large.store(true, Relaxed);
                    return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.limit)))));
                }
            }
            // While the client keeps sending, the instance is not timed out.
            self.call.mark_progress();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response to a client.
pub struct Body {
    content: Content,
    /// Held until the body is dropped.
    permit: Option<Arc<dyn Any + Send + Sync>>,
    /// Ends when the body is dropped.
    request: Option<RequestInProgress>,
    /// Written when the body is dropped.
    record: Option<Record>,
}

/// Maximum bytes per frame, so that at most this much of a response waits in the connection of a slow client.
pub const MAX_FRAME_BYTES: usize = 64 << 10;

enum Content {
    Whole(Option<Bytes>),
    Guest { body: WasiBody, call: Arc<Call> },
}

impl Body {
    pub fn whole(bytes: Bytes) -> Self {
        Self::of(Content::Whole(Some(bytes)))
    }

    /// `is_finished`: the instance has finished all work of this request, so the body may be complete already. A
    /// complete body is sent in one piece with a known length.
    pub fn of_guest(body: WasiBody, call: Arc<Call>, is_finished: bool) -> Self {
        let body = if is_finished {
            take_complete(body)
        } else {
            Err(body)
        };
        Self::of(match body {
            Ok(bytes) => Content::Whole(Some(bytes)),
            Err(body) => Content::Guest { body, call },
        })
    }

    fn of(content: Content) -> Self {
        Self {
            content,
            permit: None,
            request: None,
            record: None,
        }
    }

    pub fn with_permit(mut self, permit: Arc<dyn Any + Send + Sync>) -> Self {
        self.permit = Some(permit);
        self
    }

    /// The request is in progress until the body is sent or dropped.
    pub fn until_sent(mut self, request: RequestInProgress) -> Self {
        self.request = Some(request);
        self
    }

    pub fn with_record(mut self, record: Record) -> Self {
        self.record = Some(record);
        self
    }

    fn poll_content(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.content {
            Content::Whole(bytes) => {
                let piece = match bytes {
                    Some(bytes) if bytes.len() > MAX_FRAME_BYTES => {
                        Some(bytes.split_to(MAX_FRAME_BYTES))
                    }
                    last => last.take(),
                };
                Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
            }
            Content::Guest { body, call } => {
                let mut frame = ready!(Pin::new(body).poll_frame(context));
                if frame.is_none() && call.has_failed() {
                    frame = Some(Err(Error::HttpResponseIncomplete));
                }
                match &frame {
                    Some(Ok(_)) => call.mark_progress(),
                    Some(Err(_)) => {
                        if let Some(record) = &mut self.record {
                            record.mark_broken_off();
                        }
                    }
                    None => {}
                }
                Poll::Ready(frame)
            }
        }
    }
}

/// The bytes of the body if all of it is available now in one frame, else the unchanged body.
fn take_complete(mut body: WasiBody) -> Result<Bytes, WasiBody> {
    let mut next = || Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
    let first = match next() {
        Poll::Ready(None) => return Ok(Bytes::new()),
        Poll::Ready(Some(first)) => first,
        Poll::Pending => return Err(body),
    };
    let polled = match (first.map(Frame::into_data), next()) {
        (Ok(Ok(data)), Poll::Ready(None)) => return Ok(data),
        (first, second) => {
            let first = first.map(|frame| frame.map_or_else(|frame| frame, Frame::data));
            [
                Some(first),
                if let Poll::Ready(second) = second {
                    second
                } else {
                    None
                },
            ]
        }
    };
    let polled = stream::iter(polled.into_iter().flatten());
    Err(StreamBody::new(polled.chain(BodyStream::new(body))).boxed_unsync())
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // A component that reads this body takes it at its own pace.
        if self.request.is_none() {
            return self.poll_content(context);
        }
        stalled::mark_taken();
        let polled = self.poll_content(context);
        if let Poll::Ready(Some(Ok(_))) = polled {
            stalled::mark_handed_over();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Content::Guest { body, call } => body.is_end_stream() && !call.has_failed(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Content::Guest { body, .. } => body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pieces: Vec<Poll<&'static str>>) -> WasiBody {
        let mut pieces = pieces.into_iter();
        StreamBody::new(stream::poll_fn(move |context| match pieces.next() {
            Some(Poll::Ready(piece)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece))))),
            Some(Poll::Pending) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(None),
        }))
        .boxed_unsync()
    }

    #[test]
    fn a_complete_body_in_one_frame_is_taken() {
        assert_eq!(take_complete(body(vec![])).unwrap(), "");
        assert_eq!(
            take_complete(body(vec![Poll::Ready("all")])).unwrap(),
            "all"
        );
    }

    #[tokio::test]
    async fn an_incomplete_body_is_returned_unchanged() {
        for pieces in [
            vec![Poll::Pending, Poll::Ready("all")],
            vec![Poll::Ready("a"), Poll::Pending, Poll::Ready("ll")],
            vec![Poll::Ready("a"), Poll::Ready("l"), Poll::Ready("l")],
        ] {
            let body = take_complete(body(pieces)).unwrap_err();
            assert_eq!(body.collect().await.unwrap().to_bytes(), "all");
        }
    }
}
