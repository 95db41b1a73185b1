//! Sockets: accepting connections, speaking HTTP/1.1 or HTTP/2 on them, and letting them end in peace.

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

use crate::http::service::{HEADER_BYTES, Service};

/// A connection that sends no complete request head for this long is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A pause after an accept that failed: usually there are no file descriptors left, and soon are.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Streams a client may have open on one HTTP/2 connection.
const STREAMS: u32 = 250;

/// Serves until `stopped`, then finishes what has begun, for as long as `patience`.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    stopped: CancellationToken,
    patience: Duration,
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
                tokio::spawn(talk(
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
    // New connections are refused from here on, so that a balancer turns to another copy.
    drop(listener);
    let open = connections.count();
    if timeout(patience, connections.shutdown()).await.is_err() {
        tracing::warn!(
            "requests were still running after {patience:?}; {open} connections were open"
        );
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // Room for heads past our own limit, so that we can say why we refuse them.
        .max_buf_size(HEADER_BYTES * 4);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size((HEADER_BYTES * 4) as u32)
        .keep_alive_interval(Some(HEAD_TIMEOUT));
    builder
}

async fn talk(
    stream: TcpStream,
    client: SocketAddr,
    service: Arc<Service>,
    builder: Arc<auto::Builder<TokioExecutor>>,
    watcher: Watcher,
) {
    // Otherwise the last piece of an answer waits for the client's delayed acknowledgement: 40 ms.
    let _ = stream.set_nodelay(true);
    let _open = Open::new(&service.metrics.connections);
    let answers = service_fn(|request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.serve(request, client).await) }
    });
    let connection = builder
        .serve_connection(TokioIo::new(stream), answers)
        .into_owned();
    if let Err(cause) = watcher.watch(connection).await {
        tracing::debug!(%client, "connection ended: {cause}");
    }
}

/// Counts a connection among the open ones, however it ends.
struct Open<'a>(&'a AtomicI64);

impl<'a> Open<'a> {
    fn new(count: &'a AtomicI64) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
