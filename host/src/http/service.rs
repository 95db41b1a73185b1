//! Serves one request: finds the route, sets headers, refuses invalid requests, records the response.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use hyper::body::Body as HttpBody;
use wasmtime_wasi_http::Error;
use wharf_manifest::manifest::ProblemMembers;
use wharf_manifest::networks::Networks;
use wharf_manifest::routes::{Match, Pattern, RESERVED_PREFIX, Router};

use crate::http::bearer::Bearer;
use crate::http::body::{self, Body};
use crate::http::call::Call;
use crate::http::client::Client;
use crate::http::cors::Cors;
use crate::http::drain::draining;
use crate::http::function::HttpFunction;
use crate::http::headers::{self, MAX_HEADER_BYTES, REQUEST_ID, RouteHeaders, Way};
use crate::http::metrics_guard::MetricsGuard;
use crate::http::problem::Refusal;
use crate::http::record::{Record, logged_length};
use crate::journal::Sink;
use crate::metrics::{Metrics, RouteMeter};

/// What a route leads to.
pub struct Route {
    pub target: Target,
    pub headers: RouteHeaders,
    pub meter: Arc<RouteMeter>,
}

pub enum Target {
    Function(Arc<HttpFunction>),
    /// A fixed response from the manifest.
    Static {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
}

/// A component that others call by name (Spin's local service chaining), whether or not it has a public route.
pub struct LocalService {
    pub function: Arc<HttpFunction>,
    /// The route `/...`, which Spin reports to a component that is called by name.
    pub router: Router<RouteHeaders>,
    pub meter: Arc<RouteMeter>,
}

pub struct Service {
    pub router: Router<Route>,
    pub local_services: HashMap<String, LocalService>,
    pub metrics: Arc<Metrics>,
    pub metrics_paths: Vec<String>,
    /// `None`: every client may read the metrics.
    pub metrics_guard: Option<MetricsGuard>,
    /// What follows them in a path is not logged.
    pub secret_paths: Vec<String>,
    /// The response body of `/.well-known/spin/info`.
    pub info: Bytes,
    /// Meter of requests that the host serves itself.
    pub own: Arc<RouteMeter>,
    pub access_log: Option<Sink>,
    pub trusted_proxies: Networks,
    /// Additional members of refusals, by path.
    pub problems: Vec<ProblemMembers>,
    /// Whether every response carries `x-request-id`. Refusals of the host always do.
    pub has_request_id_header: bool,
    pub cors: Option<Cors>,
    pub bearer: Option<Bearer>,
    /// See `ConnectionLimits`.
    pub stall_timeout: Duration,
    pub is_stopping: AtomicBool,
}

impl Service {
    /// The health check fails from here on.
    pub fn mark_stopping(&self) {
        self.is_stopping.store(true, Relaxed);
    }

    /// Serves a request that arrived over a socket.
    pub async fn serve<B>(&self, request: Request<B>, peer: SocketAddr) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let client = Client::behind(peer, request.headers(), &self.trusted_proxies);
        let Some(cors) = &self.cors else {
            return self.serve_client(request, &client).await;
        };
        let origin = cors.listed_origin(&request);
        let mut response = match cors.preflight(&request, origin.as_ref()) {
            Some(result) => self.finish(RequestInfo::of(&request), result, &self.own),
            None => self.serve_client(request, &client).await,
        };
        cors.apply(response.headers_mut(), origin.as_ref());
        response
    }

    async fn serve_client<B>(&self, request: Request<B>, client: &Client) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let info = RequestInfo::of(&request);
        let (meter, result) = self.route(draining(request), &info, client).await;
        self.finish(info, result, meter)
    }

    /// Serves a component that calls its own application, like a client without a socket.
    pub async fn serve_own_application<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        self.serve_client(request, &Client::INTERNAL).await
    }

    /// Serves a component that calls another by name; `None` if there is no such component.
    pub async fn serve_component<B>(
        &self,
        id: &str,
        mut request: Request<B>,
    ) -> Option<Response<Body>>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let local = self.local_services.get(id)?;
        let info = RequestInfo::of(&request);
        let found = find(&local.router, &info.uri)?;
        let host = headers::host(&info.uri, request.headers()).unwrap_or(id);
        let way = self.way(&found, found.target, &info, host, &Client::INTERNAL);
        request.headers_mut().remove(header::HOST);
        let result = match way {
            Some(way) => self.call(&local.function, request, &info, &way).await,
            None => Err(Refusal::NoHost),
        };
        Some(self.finish(info, result, &local.meter))
    }

    async fn route<B>(
        &self,
        request: Request<B>,
        info: &RequestInfo,
        client: &Client,
    ) -> (&Arc<RouteMeter>, Result<Response<Body>, Refusal>)
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let path = info.uri.path();
        if let Some(result) = self.serve_own_path(path, client, request.headers()) {
            return (&self.own, result);
        }
        let Some(found) = find(&self.router, &info.uri) else {
            return (&self.own, Err(Refusal::NoRoute));
        };
        let meter = &found.target.meter;
        if headers::size(request.headers()) > MAX_HEADER_BYTES {
            let limit = MAX_HEADER_BYTES;
            return (meter, Err(Refusal::HeadersTooLarge { limit }));
        }
        let host = headers::host(&info.uri, request.headers());
        let way = host.and_then(|host| self.way(&found, &found.target.headers, info, host, client));
        let Some(way) = way else {
            return (meter, Err(Refusal::NoHost));
        };
        match &found.target.target {
            Target::Function(function) => (meter, self.call(function, request, info, &way).await),
            Target::Static {
                status,
                headers,
                body,
            } => {
                let mut response = Response::new(Body::whole(body.clone()));
                *response.status_mut() = *status;
                *response.headers_mut() = headers.clone();
                (meter, Ok(response))
            }
        }
    }

    /// `None` if the host is invalid.
    fn way<'a, T>(
        &'a self,
        found: &Match<'a, 'a, T>,
        route: &'a RouteHeaders,
        info: &'a RequestInfo,
        host: &str,
        client: &Client,
    ) -> Option<Way<'a>> {
        Some(Way {
            route,
            named: found.named.clone(),
            trailing: found.trailing,
            url: headers::full_url(&info.uri, host, client)?,
            client: client.address,
            request_id: &info.request_id,
            bearer: self.bearer.as_ref(),
        })
    }

    async fn call<B>(
        &self,
        function: &HttpFunction,
        request: Request<B>,
        info: &RequestInfo,
        way: &Way<'_>,
    ) -> Result<Response<Body>, Refusal>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let limit = function.body_limit();
        if request.body().size_hint().lower() > limit {
            return Err(Refusal::BodyTooLarge { limit });
        }
        let is_internal = way.client == Client::INTERNAL.address;
        let stall_timeout = (!is_internal).then_some(self.stall_timeout);
        let depth = request.extensions().get().copied().unwrap_or_default();
        let client = way.client.ip();
        let call = Call::new(info.request_id.clone(), client, stall_timeout, depth);
        let request = request.map(|body| body::bounded(body, limit, call.clone()));
        function.serve(call, request, way).await
    }

    /// Paths of the host itself, which take precedence over every route.
    fn serve_own_path(
        &self,
        path: &str,
        client: &Client,
        headers: &HeaderMap,
    ) -> Option<Result<Response<Body>, Refusal>> {
        if let Some(reserved) = path.strip_prefix(RESERVED_PREFIX) {
            return Some(match reserved {
                "health" if self.is_stopping.load(Relaxed) => Err(Refusal::Stopping),
                "health" => Ok(Response::new(Body::whole(Bytes::from_static(b"OK")))),
                "info" => Ok(response("application/json", self.info.clone())),
                _ => Err(Refusal::NoRoute),
            });
        }
        if self.metrics_paths.iter().any(|own| own == path) {
            let guard = self.metrics_guard.as_ref();
            if guard.is_some_and(|guard| !guard.admits(client, headers)) {
                return Some(Err(Refusal::MetricsDenied));
            }
            let text = Bytes::from(self.metrics.text());
            return Some(Ok(response("text/plain; version=0.0.4", text)));
        }
        None
    }

    /// Turns a refusal into a response, and attaches the request id and the record.
    fn finish(
        &self,
        info: RequestInfo,
        result: Result<Response<Body>, Refusal>,
        meter: &Arc<RouteMeter>,
    ) -> Response<Body> {
        let is_labelled = self.has_request_id_header || result.is_err();
        let mut response = result.unwrap_or_else(|refusal| {
            let request_id = info.request_id.to_str().unwrap_or_default();
            refusal
                .response(request_id, info.uri.path(), &self.problems)
                .map(Body::whole)
        });
        if is_labelled {
            let headers = response.headers_mut();
            headers.insert(REQUEST_ID, info.request_id.clone());
        }
        let record = Record {
            started: info.started,
            request_id: info.request_id,
            method: info.method,
            logged_length: logged_length(info.uri.path(), &self.secret_paths),
            uri: info.uri,
            meter: meter.clone(),
            status: response.status(),
            log: self.access_log.clone(),
            has_broken_off: false,
        };
        response.map(|body| body.with_record(record))
    }
}

/// The parts of a request that are needed after it was passed on.
struct RequestInfo {
    started: Instant,
    request_id: HeaderValue,
    method: Method,
    uri: Uri,
}

impl RequestInfo {
    fn of<B>(request: &Request<B>) -> Self {
        Self {
            started: Instant::now(),
            request_id: headers::request_id(request.headers()),
            method: request.method().clone(),
            uri: request.uri().clone(),
        }
    }
}

fn response(content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The targets of `OPTIONS *` and CONNECT are no paths (RFC 9112, section 3.2), so no route leads to them.
fn find<'r, 'p, T>(router: &'r Router<T>, uri: &'p Uri) -> Option<Match<'r, 'p, T>> {
    let path = uri.path();
    if !path.starts_with('/') {
        return None;
    }
    router.find(path)
}

/// The router of a `LocalService`: every path matches `/...`.
pub fn match_all() -> Option<Router<RouteHeaders>> {
    let pattern = Pattern::parse("/...").ok()?;
    let headers = RouteHeaders::new(&pattern);
    Some(Router::new([(pattern, headers)]))
}
