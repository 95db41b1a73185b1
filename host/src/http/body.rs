//! Bodies on their way: a request's, which ends in an error past its limit, and an answer's, which
//! keeps its instance's place and closes the request's record when it has been sent or given up.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::http::call::Call;
use crate::http::record::Record;

/// `body` up to `limit` bytes.
pub fn bounded<B>(body: B, limit: u64, call: Arc<Call>) -> WasiBody
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Error>,
{
    Bounded {
        body,
        left: limit,
        limit,
        call,
    }
    .boxed_unsync()
}

struct Bounded<B> {
    body: B,
    left: u64,
    limit: u64,
    call: Arc<Call>,
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
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
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
            // A client that keeps sending keeps the instance that listens to it.
            self.call.progressed();
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

/// What goes back to the client.
pub struct Body {
    content: Content,
    /// Held until most of it is sent.
    place: Option<Arc<OwnedSemaphorePermit>>,
    /// Closed when this is dropped.
    record: Option<Record>,
}

/// What is handed to the connection at once: no more of an answer than this waits there for a slow client.
pub const PIECE: usize = 64 << 10;

enum Content {
    Whole(Option<Bytes>),
    Guest { body: WasiBody, call: Arc<Call> },
}

impl Body {
    pub fn whole(bytes: Bytes) -> Self {
        Self::of(Content::Whole(Some(bytes)))
    }

    /// `is_over`: the instance has nothing more to do for it, so that all of it may be here already.
    /// Then its length is known, and it goes out in one piece.
    pub fn of_guest(body: WasiBody, call: Arc<Call>, is_over: bool) -> Self {
        let body = if is_over { at_once(body) } else { Err(body) };
        Self::of(match body {
            Ok(bytes) => Content::Whole(Some(bytes)),
            Err(body) => Content::Guest { body, call },
        })
    }

    fn of(content: Content) -> Self {
        Self {
            content,
            place: None,
            record: None,
        }
    }

    pub fn holding(mut self, place: Arc<OwnedSemaphorePermit>) -> Self {
        self.place = Some(place);
        self
    }

    pub fn recorded(mut self, record: Record) -> Self {
        self.record = Some(record);
        self
    }
}

/// All of the body, if it is here and no more than one piece; else the body as it was.
fn at_once(mut body: WasiBody) -> Result<Bytes, WasiBody> {
    let mut next = || Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
    let first = match next() {
        Poll::Ready(None) => return Ok(Bytes::new()),
        Poll::Ready(Some(first)) => first,
        Poll::Pending => return Err(body),
    };
    let begun = match (first.map(Frame::into_data), next()) {
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
    let begun = stream::iter(begun.into_iter().flatten());
    Err(StreamBody::new(begun.chain(BodyStream::new(body))).boxed_unsync())
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.content {
            Content::Whole(bytes) => {
                let piece = match bytes {
                    Some(bytes) if bytes.len() > PIECE => Some(bytes.split_to(PIECE)),
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
                    Some(Ok(_)) => call.progressed(),
                    Some(Err(_)) => {
                        if let Some(record) = &mut self.record {
                            record.broke_off();
                        }
                    }
                    None => {}
                }
                Poll::Ready(frame)
            }
        }
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
    fn a_body_that_is_here_in_one_piece_is_known_at_once() {
        assert_eq!(at_once(body(vec![])).unwrap(), "");
        assert_eq!(at_once(body(vec![Poll::Ready("all")])).unwrap(), "all");
    }

    #[tokio::test]
    async fn a_body_that_is_not_loses_nothing_by_being_asked() {
        for pieces in [
            vec![Poll::Pending, Poll::Ready("all")],
            vec![Poll::Ready("a"), Poll::Pending, Poll::Ready("ll")],
            vec![Poll::Ready("a"), Poll::Ready("l"), Poll::Ready("l")],
        ] {
            let body = at_once(body(pieces)).unwrap_err();
            assert_eq!(body.collect().await.unwrap().to_bytes(), "all");
        }
    }
}
