//! The rows of a statement while they arrive from the server, and their way to a guest.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::sync::oneshot;
use tokio_postgres::RowStream;
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};

use super::errors;
use super::link::Prepared;
use super::pool::Lease;
use crate::bindings::spin::postgres4_2_0::postgres::{DbValue, Error, QueryError};
use crate::budget::{Held, OverBudget};

/// Bytes that a guest gets at once from a streamed result.
const CHUNK_BYTES: usize = 64 * 1024;

pub type Row = Vec<DbValue>;

/// The result of a statement while it arrives. Dropping it early leaves the statement unfinished, which the lease notices.
pub struct Rows {
    pub lease: Arc<Lease>,
    pub prepared: Arc<Prepared>,
    pub stream: Pin<Box<RowStream>>,
    /// Memory of the rows that were read and that the guest does not have yet.
    pub held: Held,
}

impl Rows {
    /// The next row and its size in bytes. Must not be called again after `None` or an error.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(Row, usize), Error>>> {
        let next = match ready!(self.stream.as_mut().poll_next(cx)) {
            Some(Ok(row)) => match self.prepared.decode(&row) {
                Ok(values) => return Poll::Ready(Some(Ok((values, row.raw_size_bytes())))),
                // More rows follow, so the statement is not finished.
                Err(error) => return Poll::Ready(Some(Err(error))),
            },
            Some(Err(error)) => Some(Err(errors::from_driver(&error))),
            None => None,
        };
        self.lease.finish_statement();
        Poll::Ready(next)
    }

    /// Skips all rows. Returns how many rows the statement affected.
    pub fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<Result<u64, Error>> {
        loop {
            let result = match ready!(self.stream.as_mut().poll_next(cx)) {
                Some(Ok(_)) => continue,
                Some(Err(error)) => Err(errors::from_driver(&error)),
                None => Ok(self.stream.rows_affected().unwrap_or(0)),
            };
            self.lease.finish_statement();
            return Poll::Ready(result);
        }
    }

    /// Reads to the end (`true`), or until about `limit` bytes were read (`false`).
    pub async fn read(&mut self, rows: &mut Vec<Row>, limit: usize) -> Result<bool, Error> {
        let mut size = 0;
        while size <= limit {
            match std::future::poll_fn(|cx| self.poll_next(cx)).await {
                Some(row) => {
                    let (row, bytes) = row?;
                    size += bytes;
                    self.held
                        .grow(memory_of(&row, bytes))
                        .map_err(over_budget)?;
                    rows.push(row);
                }
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}

/// What a row takes in memory: a small value is many times larger than on the wire.
fn memory_of(row: &Row, bytes: usize) -> usize {
    size_of::<Row>() + row.len() * size_of::<DbValue>() + bytes
}

fn over_budget(refused: OverBudget) -> Error {
    Error::QueryFailed(QueryError::Text(refused.to_string()))
}

/// Streams a large result to a guest.
pub struct RowProducer {
    /// Rows that were read before the stream began.
    pub read: Vec<Row>,
    pub rows: Rows,
    pub end: Option<oneshot::Sender<Result<(), Error>>>,
}

impl<D> StreamProducer<D> for RowProducer {
    type Item = Row;
    type Buffer = VecBuffer<Row>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, VecBuffer<Row>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if destination.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let this = &mut *self;
        let mut chunk = std::mem::take(&mut this.read);
        let mut size = if chunk.is_empty() { 0 } else { CHUNK_BYTES };
        let end = loop {
            if size >= CHUNK_BYTES {
                break StreamResult::Completed;
            }
            match this.rows.poll_next(cx) {
                Poll::Ready(Some(Ok((row, bytes)))) => {
                    size += bytes;
                    chunk.push(row);
                }
                Poll::Ready(end) => {
                    let end = end.map_or(Ok(()), |error| error.map(|_| ()));
                    if let Some(sender) = this.end.take() {
                        // Sending fails if the guest dropped the future.
                        drop(sender.send(end));
                    }
                    break StreamResult::Dropped;
                }
                Poll::Pending if !chunk.is_empty() => break StreamResult::Completed,
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                Poll::Pending => return Poll::Pending,
            }
        };
        destination.set_buffer(chunk.into());
        Poll::Ready(Ok(end))
    }
}
