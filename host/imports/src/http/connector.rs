//! Opens the TCP connections of the HTTP client, each with a permit of the component's budget.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;

use super::CheckedResolver;
use crate::budget::{Budget, ConnectionPermit};

#[derive(Clone)]
pub struct BudgetedConnector {
    inner: HttpConnector<CheckedResolver>,
    budget: Budget,
    /// Half of the component's connections at most, so that idle ones leave some for its databases. A request waits for a
    /// permit as long as it may wait for the connection.
    permits: Arc<Semaphore>,
}

impl BudgetedConnector {
    pub fn new(inner: HttpConnector<CheckedResolver>, budget: &Budget) -> Self {
        let permits = budget.max_connections().div_ceil(2);
        BudgetedConnector {
            inner,
            budget: budget.clone(),
            permits: Arc::new(Semaphore::new(permits)),
        }
    }
}

impl Service<Uri> for BudgetedConnector {
    type Response = BudgetedStream;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<BudgetedStream, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The clone that was polled ready makes the connection.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let (permits, budget) = (Arc::clone(&self.permits), self.budget.clone());
        Box::pin(async move {
            let of_client = permits.acquire_owned().await?;
            let of_component = budget.try_connect()?;
            let stream = inner.call(uri).await?;
            Ok(BudgetedStream {
                stream,
                _of_client: of_client,
                _of_component: of_component,
            })
        })
    }
}

pub struct BudgetedStream {
    stream: TokioIo<TcpStream>,
    _of_client: OwnedSemaphorePermit,
    _of_component: ConnectionPermit,
}

impl Connection for BudgetedStream {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl Read for BudgetedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for BudgetedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }
}
