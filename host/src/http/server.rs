//! Accepts connections, serves HTTP/1.1 and HTTP/2 on them, and shuts them down gracefully.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wharf_manifest::manifest::ConnectionLimits;

use crate::http::connections::{Activity, Admitted, Connections};
use crate::http::headers::MAX_HEADER_BYTES;
use crate::http::paced::Paced;
use crate::http::service::Service;
use crate::http::stalled::Streams;

/// Pause after a failed accept: usually file descriptors have run out, and are freed soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Concurrent streams on one HTTP/2 connection.
const MAX_STREAMS: u32 = 250;

/// Time for the end of an idle connection: the client of an HTTP/2 connection may have sent a request meanwhile.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// When the server stops.
pub struct Stop {
    /// From here on the health check fails, so that load balancers select another host.
    pub requested: CancellationToken,
    /// How long connections are accepted after that: until load balancers have noticed.
    pub delay: Duration,
    /// How long requests in progress may take after that.
    pub drain_timeout: Duration,
}

/// Serves until a stop is requested, then finishes requests in progress.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    limits: ConnectionLimits,
    max_descriptors: Option<u64>,
    stop: Stop,
) {
    let admission = Connections::new(&limits, max_descriptors);
    let server = Arc::new(Server {
        waiting: Connections::new(&limits, None),
        service,
        limits,
        closing: CancellationToken::new(),
    });
    let connections = TaskTracker::new();
    let stopped = async {
        stop.requested.cancelled().await;
        server.service.mark_stopping();
        sleep(stop.delay).await;
    };
    let mut stopped = pin!(stopped);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => break,
        };
        match accepted {
            Ok((stream, client)) => {
                let is_proxy = server.service.trusted_proxies.contain(client.ip());
                match admission.admit(client.ip(), is_proxy) {
                    Some(admitted) => {
                        let server = server.clone();
                        let serving = server.serve_connection(stream, client, is_proxy, admitted);
                        connections.spawn(serving);
                    }
                    None => {
                        let refused = &server.service.metrics.connections_refused;
                        refused.fetch_add(1, Relaxed);
                    }
                }
            }
            Err(cause) => {
                tracing::warn!(%cause, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Refuses new connections from here on.
    drop(listener);
    let open = connections.len();
    server.closing.cancel();
    connections.close();
    let drain_timeout = stop.drain_timeout;
    if timeout(drain_timeout, connections.wait()).await.is_err() {
        tracing::warn!(
            "requests were still running after {drain_timeout:?}; {open} connections were open"
        );
    }
}

fn builder(limits: &ConnectionLimits, streams: Streams) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(streams);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_timeout)
        // Accepts heads beyond our own limit, so that the refusal can say why.
        .max_buf_size(MAX_HEADER_BYTES * 4);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size((MAX_HEADER_BYTES * 4) as u32)
        .keep_alive_interval(Some(limits.idle_timeout));
    builder
}

/// What the connections share.
struct Server {
    /// Responses over HTTP/2 that wait for their clients.
    waiting: Arc<Connections>,
    service: Arc<Service>,
    limits: ConnectionLimits,
    closing: CancellationToken,
}

impl Server {
    async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        client: SocketAddr,
        is_proxy: bool,
        _admitted: Admitted,
    ) {
        // Nagle's algorithm would hold back the last segment for the client's delayed ACK: 40 ms.
        let _ = stream.set_nodelay(true);
        let _open = OpenConnection::new(&self.service.metrics.connections);
        let activity = Activity::new();
        let responses = service_fn(|request| {
            let (service, request_in_progress) = (self.service.clone(), activity.begin_request());
            async move {
                let response = service.serve(request, client).await;
                Ok::<_, Infallible>(response.map(|body| body.until_sent(request_in_progress)))
            }
        });
        let stall_timeout = self.limits.stall_timeout;
        let stream = TokioIo::new(Paced::new(stream, stall_timeout));
        let streams = Streams::new(stall_timeout, client.ip(), is_proxy, self.waiting.clone());
        let builder = builder(&self.limits, streams);
        let mut connection = pin!(builder.serve_connection(stream, responses));
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.closing.cancelled() => {
                connection.as_mut().graceful_shutdown();
                Some(connection.await)
            }
            // hyper limits the time for a head only once it knows the version of HTTP, and never that of an idle HTTP/2
            // connection.
            () = until_idle(&activity, self.limits.idle_timeout) => {
                connection.as_mut().graceful_shutdown();
                timeout(CLOSE_TIMEOUT, connection).await.ok()
            }
        };
        if let Some(Err(cause)) = ended {
            tracing::debug!(%client, "connection ended: {cause}");
        }
    }
}

/// Waits until the connection was idle for `idle_timeout`.
async fn until_idle(activity: &Activity, idle_timeout: Duration) {
    while let Some(left) = activity.time_left(idle_timeout) {
        sleep(left).await;
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
