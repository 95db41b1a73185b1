//! Outbound `wasi:http`, of WASI 0.2 and 0.3 alike: the hooks `wasmtime_wasi_http` calls for every request a guest sends.
//!
//! `<component>.spin.internal`, `self` and `self.alt` never leave the process: the host gives a [`LocalDispatch`]. All else
//! goes through one pooled client per component. Nothing here follows redirects, stores cookies or retries.

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

use crate::egress::Egress;

/// A server that does not take a connection in this time will not take one later either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin, and how long it may then pause, unless the guest says otherwise.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// Servers commonly drop a silent connection after 60 s or more; we let go first, so a request rarely meets a closed one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);
/// Idle connections kept to one server: enough for a busy component, few enough to be polite.
const IDLE_PER_SERVER: usize = 32;

/// Whom a local request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalTarget {
    /// `http://<component>.spin.internal`: that component, whatever its routes, private ones too.
    Component(String),
    /// `http://self`: the application's own routes, as if the request had come from outside.
    OwnApplication,
}

/// How the host answers requests of its own components in memory.
pub trait LocalDispatch: Send + Sync {
    fn dispatch(
        &self,
        target: LocalTarget,
        request: Request<WasiBody>,
    ) -> BoxFuture<'static, Result<Response<WasiBody>, Error>>;
}

type PooledClient = Client<HttpsConnector<HttpConnector<CheckedResolver>>, WasiBody>;

/// What all instances of one component share.
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
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_SERVER)
            .build(connector);
        Outbound {
            egress,
            local,
            client,
        }
    }

    async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let wait = options.first_byte_timeout.unwrap_or(SILENCE_TIMEOUT);
        match self.destination(&request)? {
            Some(local) => {
                let answer = self.local.dispatch(local, request);
                let answer = timeout(wait, answer).await;
                answer.map_err(|_| Error::ConnectionReadTimeout)?
            }
            None => {
                let response = self.send_out(request, options, wait).await?;
                let pause = options.between_bytes_timeout.unwrap_or(SILENCE_TIMEOUT);
                Ok(response.map(|body| PacedBody::new(body, pause).boxed_unsync()))
            }
        }
    }

    /// Checks the grant. `Some` is a request that stays in the process.
    fn destination(&self, request: &Request<WasiBody>) -> Result<Option<LocalTarget>, Error> {
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
        // A literal address is not resolved, so the resolver below never sees it.
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
        wait: Duration,
    ) -> Result<Response<hyper::body::Incoming>, Error> {
        // HTTP/1.1 gets it back from the client; with HTTP/2, nginx refuses it beside `:authority`.
        request.headers_mut().remove(HOST);
        let mut connected = capture_connection(&mut request);
        let answer = self.client.request(request);
        tokio::pin!(answer);

        let connect = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        tokio::select! {
            biased;
            answer = &mut answer => return answer.map_err(failed),
            connection = timeout(connect, connected.wait_for_connection_metadata()) => {
                connection.map_err(|_| Error::ConnectionTimeout)?;
            }
        }
        let answer = timeout(wait, answer).await;
        answer
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(failed)
    }
}

fn failed(error: legacy::Error) -> Error {
    let known = error.source().and_then(of_cause);
    known.unwrap_or(if error.is_connect() {
        Error::ConnectionRefused
    } else {
        Error::HttpProtocolError
    })
}

/// The first cause that says something.
fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Error> {
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return Some(of_hyper(error));
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    if let Some(Unresolved(cause)) = cause.downcast_ref::<Unresolved>() {
        return Some(Error::DnsError {
            rcode: Some(cause.clone()),
            info_code: None,
        });
    }
    let Some(error) = cause.downcast_ref::<io::Error>() else {
        return cause.source().and_then(of_cause);
    };
    // Errors of the layers above travel through the connector inside of these, and are not their source.
    let wrapped = error.get_ref().and_then(|inner| of_cause(inner));
    wrapped.or(match error.kind() {
        io::ErrorKind::PermissionDenied => Some(Error::DestinationIpProhibited),
        io::ErrorKind::TimedOut => Some(Error::ConnectionTimeout),
        io::ErrorKind::ConnectionReset => Some(Error::ConnectionTerminated),
        io::ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        _ => None,
    })
}

fn of_hyper(error: &hyper::Error) -> Error {
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

fn of_tls(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}

/// What one instance hands to `wasmtime_wasi_http`.
pub struct HttpHooks {
    pub(crate) outbound: Arc<Outbound>,
}

impl WasiHttpHooks for HttpHooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        // Tells of trouble the guest had with the answer; it drops the body then, which is all we need to know.
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let outbound = Arc::clone(&self.outbound);
        Box::new(async move {
            let response = outbound.send(request, options.unwrap_or_default()).await?;
            // The client drives its connections itself; what goes wrong there arrives as an error of the body.
            let driver: Driver = Box::new(std::future::ready(Ok(())));
            Ok((response, driver))
        })
    }
}

type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = (Response<WasiBody>, Driver);

/// Names resolve only to addresses the operator does not block.
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
            // The connector puts the port of the request into each address.
            let found = egress.resolve(name.as_str(), 0).await;
            let found = found.map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => error,
                _ => io::Error::other(Unresolved(error.to_string())),
            })?;
            Ok(found.into_iter())
        })
    }
}

/// A body that ends with an error when its server falls silent.
struct PacedBody {
    /// Gone once the server was given up, and its connection with it.
    body: Option<hyper::body::Incoming>,
    pause: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl PacedBody {
    fn new(body: hyper::body::Incoming, pause: Duration) -> PacedBody {
        PacedBody {
            body: Some(body),
            pause,
            deadline: Box::pin(sleep_until(Instant::now() + pause)),
        }
    }
}

impl Body for PacedBody {
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
                this.deadline.as_mut().reset(Instant::now() + this.pause);
                Poll::Ready(Some(frame.map_err(|error| of_hyper(&error))))
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
