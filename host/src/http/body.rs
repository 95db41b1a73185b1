//! Bodies on their way: a request's, which ends in an error past its limit, and an answer's, which
//! keeps its instance's place and closes the request's record when it has been sent or given up.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::BodyExt;
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
    /// Closed when this is dropped.
    record: Option<Record>,
}

enum Content {
    Whole(Option<Bytes>),
    Guest {
        body: WasiBody,
        call: Arc<Call>,
        _permit: Option<OwnedSemaphorePermit>,
    },
}

impl Body {
    pub fn whole(bytes: Bytes) -> Self {
        Self {
            content: Content::Whole(Some(bytes)),
            record: None,
        }
    }

    pub fn of_guest(body: WasiBody, call: Arc<Call>, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            content: Content::Guest {
                body,
                call,
                _permit: permit,
            },
            record: None,
        }
    }

    pub fn recorded(mut self, record: Record) -> Self {
        self.record = Some(record);
        self
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.content {
            Content::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Guest { body, call, .. } => {
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
            Content::Guest { body, call, .. } => body.is_end_stream() && !call.has_failed(),
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
