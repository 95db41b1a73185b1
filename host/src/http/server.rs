//! Accepts connections, serves HTTP/1.1 and HTTP/2 on them, and shuts them down gracefully.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::http::headers::MAX_HEADER_BYTES;
use crate::http::service::Service;

/// A connection on which no complete request head arrives for this long is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause after a failed accept: usually file descriptors have run out, and are freed soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Concurrent streams on one HTTP/2 connection.
const MAX_STREAMS: u32 = 250;

/// Serves until `stopped` is cancelled, then waits up to `drain_timeout` for requests in progress.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    stopped: CancellationToken,
    drain_timeout: Duration,
) {
    let connections = GracefulShutdown::new();
    let builder = Arc::new(builder());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped.cancelled() => break,
        };
        match accepted {
            Ok((stream, client)) => {
                tokio::spawn(serve_connection(
                    stream,
                    client,
                    service.clone(),
                    builder.clone(),
                    connections.watcher(),
                ));
            }
            Err(cause) => {
                tracing::warn!(%cause, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Refuses new connections from here on, so that a load balancer selects another host.
    drop(listener);
    let open = connections.count();
    if timeout(drain_timeout, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            "requests were still running after {drain_timeout:?}; {open} connections were open"
        );
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // Accepts heads beyond our own limit, so that the refusal can say why.
        .max_buf_size(MAX_HEADER_BYTES * 4);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size((MAX_HEADER_BYTES * 4) as u32)
        .keep_alive_interval(Some(HEAD_TIMEOUT));
    builder
}

async fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    service: Arc<Service>,
    builder: Arc<auto::Builder<TokioExecutor>>,
    watcher: Watcher,
) {
    // Nagle's algorithm would hold back the last segment for the client's delayed ACK: 40 ms.
    let _ = stream.set_nodelay(true);
    let _open = OpenConnection::new(&service.metrics.connections);
    let responses = service_fn(|request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.serve(request, client).await) }
    });
    let connection = builder
        .serve_connection(TokioIo::new(stream), responses)
        .into_owned();
    if let Err(cause) = watcher.watch(connection).await {
        tracing::debug!(%client, "connection ended: {cause}");
    }
}

/// Counts a connection as open until it is dropped.
struct OpenConnection<'a>(&'a AtomicI64);

impl<'a> OpenConnection<'a> {
    fn new(count: &'a AtomicI64) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
