//! One request from its head to its answer: who it is for, what is refused, what is recorded.
//! Sockets are `server`, instances are `function` and `instances`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use hyper::body::Body as HttpBody;
use wasmtime_wasi_http::Error;
use wharf_manifest::manifest::ProblemMembers;
use wharf_manifest::networks::Networks;
use wharf_manifest::routes::{Match, Pattern, RESERVED_PREFIX, Router};

use crate::http::body::{self, Body};
use crate::http::call::Call;
use crate::http::client::Client;
use crate::http::function::HttpFunction;
use crate::http::headers::{self, REQUEST_ID, RouteHeaders};
use crate::http::linger::lingering;
use crate::http::problem::Refusal;
use crate::http::record::Record;
use crate::journal::Sink;
use crate::metrics::{Metrics, RouteMeter};

/// Larger than any browser's cookies, small enough that a thousand connections fit in memory.
pub const HEADER_BYTES: usize = 32 << 10;

/// What stands behind a route.
pub struct Route {
    pub target: Target,
    pub headers: RouteHeaders,
    pub meter: Arc<RouteMeter>,
}

pub enum Target {
    Function(Arc<HttpFunction>),
    /// The same answer for everybody, from the manifest.
    Static {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
}

/// A component as its neighbours reach it: in memory, whatever its public route.
pub struct Neighbour {
    pub function: Arc<HttpFunction>,
    /// Matches everything: what Spin shows a component that was called by name.
    pub router: Router<RouteHeaders>,
    pub meter: Arc<RouteMeter>,
}

pub struct Service {
    pub router: Router<Route>,
    pub neighbours: HashMap<String, Neighbour>,
    pub metrics: Arc<Metrics>,
    pub metrics_paths: Vec<String>,
    /// What `/.well-known/spin/info` answers.
    pub info: Bytes,
    /// Requests the host answers itself.
    pub own: Arc<RouteMeter>,
    pub access_log: Option<Sink>,
    pub trusted_proxies: Networks,
    /// What clients read in refusals besides what all refusals say.
    pub problems: Vec<ProblemMembers>,
}

impl Service {
    /// Answers whoever is at the other end of a socket.
    pub async fn serve<B>(&self, request: Request<B>, peer: SocketAddr) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let client = Client::of(peer, request.headers(), &self.trusted_proxies);
        self.serve_client(request, &client).await
    }

    async fn serve_client<B>(&self, request: Request<B>, client: &Client) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let visit = Visit::of(&request);
        let (meter, answer) = self.answer(lingering(request), &visit, client).await;
        self.close(visit, answer, meter)
    }

    /// Answers a component that calls its own application: like a client, without a socket.
    pub async fn serve_self<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        self.serve_client(request, &Client::NOWHERE).await
    }

    /// Answers a component that calls another by name; `None` if there is no such component.
    pub async fn serve_neighbour<B>(
        &self,
        id: &str,
        mut request: Request<B>,
    ) -> Option<Response<Body>>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let neighbour = self.neighbours.get(id)?;
        let visit = Visit::of(&request);
        if let Some(found) = neighbour.router.find(visit.uri.path()) {
            let host = headers::host(&visit.uri, request.headers())
                .unwrap_or(id)
                .to_owned();
            request.headers_mut().remove(header::HOST);
            let headers = request.headers_mut();
            found
                .target
                .apply(headers, &found, &visit.uri, &host, &Client::NOWHERE);
        }
        let answer = ask(&neighbour.function, request, &visit).await;
        Some(self.close(visit, answer, &neighbour.meter))
    }

    async fn answer<B>(
        &self,
        mut request: Request<B>,
        visit: &Visit,
        client: &Client,
    ) -> (&Arc<RouteMeter>, Result<Response<Body>, Refusal>)
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Error>,
    {
        let path = visit.uri.path();
        if let Some(answer) = self.answer_itself(path) {
            return (&self.own, answer);
        }
        let Some(found) = self.router.find(path) else {
            return (&self.own, Err(Refusal::NoRoute));
        };
        let meter = &found.target.meter;
        if let Err(refusal) = prepare(&mut request, &visit.uri, &found, client) {
            return (meter, Err(refusal));
        }
        match &found.target.target {
            Target::Function(function) => (meter, ask(function, request, visit).await),
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

    /// What the host keeps for itself, before any route.
    fn answer_itself(&self, path: &str) -> Option<Result<Response<Body>, Refusal>> {
        if let Some(reserved) = path.strip_prefix(RESERVED_PREFIX) {
            return Some(match reserved {
                "health" => Ok(Response::new(Body::whole(Bytes::from_static(b"OK")))),
                "info" => Ok(typed("application/json", self.info.clone())),
                _ => Err(Refusal::NoRoute),
            });
        }
        if self.metrics_paths.iter().any(|own| own == path) {
            let text = Bytes::from(self.metrics.text());
            return Some(Ok(typed("text/plain; version=0.0.4", text)));
        }
        None
    }

    fn close(
        &self,
        visit: Visit,
        answer: Result<Response<Body>, Refusal>,
        meter: &Arc<RouteMeter>,
    ) -> Response<Body> {
        let mut response = answer.unwrap_or_else(|refusal| {
            let request_id = visit.request_id.to_str().unwrap_or_default();
            refusal
                .response(request_id, visit.uri.path(), &self.problems)
                .map(Body::whole)
        });
        response
            .headers_mut()
            .insert(REQUEST_ID, visit.request_id.clone());
        let record = Record {
            started: visit.started,
            request_id: visit.request_id,
            method: visit.method,
            uri: visit.uri,
            meter: meter.clone(),
            status: response.status(),
            log: self.access_log.clone(),
            has_broken_off: false,
        };
        response.map(|body| body.recorded(record))
    }
}

/// What is known of a request before anybody answers it.
struct Visit {
    started: Instant,
    request_id: HeaderValue,
    method: Method,
    uri: Uri,
}

impl Visit {
    fn of<B>(request: &Request<B>) -> Self {
        Self {
            started: Instant::now(),
            request_id: headers::request_id(request.headers()),
            method: request.method().clone(),
            uri: request.uri().clone(),
        }
    }
}

/// Refuses what no component is to see, and tells it the rest.
fn prepare<B>(
    request: &mut Request<B>,
    uri: &Uri,
    found: &Match<'_, '_, Route>,
    client: &Client,
) -> Result<(), Refusal> {
    let size: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if size > HEADER_BYTES {
        return Err(Refusal::HeadersTooLarge {
            limit: HEADER_BYTES,
        });
    }
    let host = headers::host(uri, request.headers())
        .ok_or(Refusal::NoHost)?
        .to_owned();
    *request.uri_mut() = headers::absolute(uri, &host, client).ok_or(Refusal::NoHost)?;
    found
        .target
        .headers
        .apply(request.headers_mut(), found, uri, &host, client);
    Ok(())
}

async fn ask<B>(
    function: &HttpFunction,
    mut request: Request<B>,
    visit: &Visit,
) -> Result<Response<Body>, Refusal>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Error>,
{
    let limit = function.body_limit();
    if request.body().size_hint().lower() > limit {
        return Err(Refusal::BodyTooLarge { limit });
    }
    let call = Call::new(visit.request_id.clone());
    request
        .headers_mut()
        .insert(REQUEST_ID, visit.request_id.clone());
    let request = request.map(|body| body::bounded(body, limit, call.clone()));
    function.answer(call, request).await
}

fn typed(content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A route of everything, for calls by name.
pub fn everything() -> Option<Router<RouteHeaders>> {
    let pattern = Pattern::parse("/...").ok()?;
    let headers = RouteHeaders::new(&pattern);
    Some(Router::new([(pattern, headers)]))
}
