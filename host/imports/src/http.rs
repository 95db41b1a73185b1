//! Outbound `wasi:http` 0.2 and 0.3: the hooks that `wasmtime_wasi_http` calls for every request a guest sends.
//!
//! Requests to `<component>.spin.internal`, `self` and `self.alt` stay in the process: the host's [`LocalDispatch`] answers
//! them. All others go through one pooled client per component. It follows no redirects, keeps no cookies and never retries.

mod connector;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::HOST;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tower_service::Service;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};
use wharf_manifest::egress::{chained_component, is_own_application};

use self::connector::BudgetedConnector;
use crate::budget::OverBudget;
use crate::egress::Egress;

/// Limit for connecting when the guest sets none. A server that has not accepted by then is unlikely to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Limit for the first byte of a response, and between two of its bytes, when the guest sets none.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Idle connections are closed after this time. Servers commonly close theirs after 60 s or more: closing first avoids
/// sending a request on a connection that the server is about to close.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);
/// Idle connections kept per server: enough for a busy component, few enough for the server.
const MAX_IDLE_PER_SERVER: usize = 32;

/// The destination of a request that stays in the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalTarget {
    /// `http://<component>.spin.internal`: that component, even if it has no public route.
    Component(String),
    /// `http://self`: the application's own routes, as for a request from outside.
    OwnApplication,
}

/// Calls between components that led to a request, as an extension of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth(pub u32);

/// Longest chain of calls between components. A component that calls itself without an end would otherwise take all
/// instances of the application for one request.
const MAX_DEPTH: u32 = 16;

/// Answers requests between the application's components in memory. Implemented by the host.
pub trait LocalDispatch: Send + Sync {
    fn dispatch(
        &self,
        target: LocalTarget,
        request: Request<WasiBody>,
    ) -> BoxFuture<'static, Result<Response<WasiBody>, Error>>;
}

type PooledClient = Client<HttpsConnector<BudgetedConnector>, WasiBody>;

/// The HTTP client of one component, shared by its instances.
pub(crate) struct Outbound {
    egress: Arc<Egress>,
    local: Arc<dyn LocalDispatch>,
    client: PooledClient,
}

impl Outbound {
    pub(crate) fn new(
        egress: Arc<Egress>,
        local: Arc<dyn LocalDispatch>,
        tls: rustls::ClientConfig,
    ) -> Outbound {
        let mut connector = HttpConnector::new_with_resolver(CheckedResolver(Arc::clone(&egress)));
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_keepalive(Some(IDLE_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(BudgetedConnector::new(connector, egress.budget()));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_SERVER)
            .build(connector);
        Outbound {
            egress,
            local,
            client,
        }
    }

    async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
        Depth(depth): Depth,
    ) -> Result<Response<WasiBody>, Error> {
        let first_byte_timeout = options.first_byte_timeout.unwrap_or(READ_TIMEOUT);
        match self.check_destination(&request)? {
            Some(_) if depth >= MAX_DEPTH => Err(Error::LoopDetected),
            Some(local) => {
                request.extensions_mut().insert(Depth(depth + 1));
                let response = self.local.dispatch(local, request);
                let response = timeout(first_byte_timeout, response).await;
                response.map_err(|_| Error::ConnectionReadTimeout)?
            }
            None => {
                let response = self.send_out(request, options, first_byte_timeout).await?;
                let limit = options.between_bytes_timeout.unwrap_or(READ_TIMEOUT);
                Ok(response.map(|body| TimedBody::new(body, limit).boxed_unsync()))
            }
        }
    }

    /// Checks the grant. `Some` if the request stays in the process.
    fn check_destination(&self, request: &Request<WasiBody>) -> Result<Option<LocalTarget>, Error> {
        let uri = request.uri();
        let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?;
        let scheme = uri.scheme_str().unwrap_or("https");
        let default_port = if scheme == "http" { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default_port);
        let checked = self.egress.check(scheme, host, port);
        checked.map_err(|_| Error::HttpRequestDenied)?;

        if is_own_application(host) {
            return Ok(Some(LocalTarget::OwnApplication));
        }
        if let Some(component) = chained_component(host) {
            return Ok(Some(LocalTarget::Component(component.to_owned())));
        }
        // The client does not resolve a literal address, so `CheckedResolver` would not check it.
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        match literal.parse::<IpAddr>() {
            Ok(address) if self.egress.is_blocked(host, address) => {
                Err(Error::DestinationIpProhibited)
            }
            _ => Ok(None),
        }
    }

    async fn send_out(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
        first_byte_timeout: Duration,
    ) -> Result<Response<hyper::body::Incoming>, Error> {
        // The client adds it again for HTTP/1.1. With HTTP/2, nginx refuses it beside `:authority`.
        request.headers_mut().remove(HOST);
        let mut connected = capture_connection(&mut request);
        let response = self.client.request(request);
        tokio::pin!(response);

        let connect_timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        tokio::select! {
            biased;
            response = &mut response => return response.map_err(from_client),
            connection = timeout(connect_timeout, connected.wait_for_connection_metadata()) => {
                connection.map_err(|_| Error::ConnectionTimeout)?;
            }
        }
        let response = timeout(first_byte_timeout, response).await;
        response
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(from_client)
    }
}

fn from_client(error: legacy::Error) -> Error {
    let known = error.source().and_then(from_cause);
    known.unwrap_or(if error.is_connect() {
        Error::ConnectionRefused
    } else {
        Error::HttpProtocolError
    })
}

/// The first cause in the chain that has a WASI error code.
fn from_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Error> {
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return Some(from_hyper(error));
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(from_tls(error));
    }
    if cause.is::<OverBudget>() {
        return Some(Error::ConnectionLimitReached);
    }
    if let Some(Unresolved(cause)) = cause.downcast_ref::<Unresolved>() {
        return Some(Error::DnsError {
            rcode: Some(cause.clone()),
            info_code: None,
        });
    }
    let Some(error) = cause.downcast_ref::<io::Error>() else {
        return cause.source().and_then(from_cause);
    };
    // Errors of the connector's layers arrive wrapped in an I/O error, which does not report them as its source.
    let wrapped = error.get_ref().and_then(|inner| from_cause(inner));
    wrapped.or(match error.kind() {
        io::ErrorKind::PermissionDenied => Some(Error::DestinationIpProhibited),
        io::ErrorKind::TimedOut => Some(Error::ConnectionTimeout),
        io::ErrorKind::ConnectionReset => Some(Error::ConnectionTerminated),
        io::ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        _ => None,
    })
}

fn from_hyper(error: &hyper::Error) -> Error {
    if let Some(sent) = error
        .source()
        .and_then(|cause| cause.downcast_ref::<Error>())
    {
        // The guest's own body failed.
        return Error::InternalError(Some(sent.to_string()));
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Error::ConnectionTerminated;
    }
    if error.is_timeout() {
        return Error::ConnectionReadTimeout;
    }
    Error::HttpProtocolError
}

fn from_tls(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}

/// The hooks of one instance for `wasmtime_wasi_http`.
pub struct HttpHooks {
    pub(crate) outbound: Arc<Outbound>,
    /// Of the request that the instance serves.
    pub(crate) depth: Depth,
}

impl WasiHttpHooks for HttpHooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        // Reports that the guest failed to process the response. The guest drops the body then, which suffices here.
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let outbound = Arc::clone(&self.outbound);
        let depth = self.depth;
        Box::new(async move {
            let options = options.unwrap_or_default();
            let response = outbound.send(request, options, depth).await?;
            // The client drives its connections itself. Their failures arrive as errors of the body.
            let driver: Driver = Box::new(std::future::ready(Ok(())));
            Ok((response, driver))
        })
    }
}

type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = (Response<WasiBody>, Driver);

/// Resolves names to addresses that are not blocked.
#[derive(Clone)]
struct CheckedResolver(Arc<Egress>);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unresolved(String);

impl Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<std::net::SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let egress = Arc::clone(&self.0);
        Box::pin(async move {
            // The connector sets the port of the request in each address.
            let addresses = egress.resolve(name.as_str(), 0).await;
            let addresses = addresses.map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => error,
                _ => io::Error::other(Unresolved(error.to_string())),
            })?;
            Ok(addresses.into_iter())
        })
    }
}

/// A response body that fails when the server sends nothing for longer than `limit`.
struct TimedBody {
    /// `None` after a timeout: dropping the body closes its connection.
    body: Option<hyper::body::Incoming>,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl TimedBody {
    fn new(body: hyper::body::Incoming, limit: Duration) -> TimedBody {
        TimedBody {
            body: Some(body),
            limit,
            deadline: Box::pin(sleep_until(Instant::now() + limit)),
        }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(body) = this.body.as_mut() else {
            return Poll::Ready(None);
        };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(Some(frame)) => {
                this.deadline.as_mut().reset(Instant::now() + this.limit);
                Poll::Ready(Some(frame.map_err(|error| from_hyper(&error))))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                ready!(this.deadline.as_mut().poll(cx));
                this.body = None;
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
