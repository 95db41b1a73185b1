//! Cross-origin requests of browsers (Fetch standard, "CORS protocol"). The manifest lists the origins whose pages may
//! call the application, with credentials. Preflight requests are answered here and never reach a component.

use std::collections::HashSet;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use wharf_manifest::manifest::{CorsSettings, parse_origins};
use wharf_manifest::template::Template;

use crate::http::body::Body;
use crate::http::problem::Refusal;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");

/// How long a browser may remember a preflight response: the most that Chromium accepts, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

pub struct Cors {
    origins: HashSet<HeaderValue>,
    headers: HeaderValue,
    exposed_headers: Option<HeaderValue>,
}

impl Cors {
    /// `None` if no origin is listed: requests and responses pass unchanged then.
    pub fn new(
        settings: &CorsSettings,
        resolve: impl Fn(&Template) -> Result<String>,
    ) -> Result<Option<Self>> {
        let mut origins = HashSet::new();
        for list in &settings.origins {
            let list = parse_origins(&resolve(list)?);
            for origin in list.map_err(|why| anyhow!("cors: {why}"))? {
                origins.insert(HeaderValue::try_from(origin)?);
            }
        }
        if origins.is_empty() {
            return Ok(None);
        }
        let exposed = settings.exposed_headers.join(", ");
        Ok(Some(Self {
            origins,
            headers: HeaderValue::try_from(settings.headers.join(", "))?,
            exposed_headers: (!exposed.is_empty())
                .then(|| HeaderValue::try_from(exposed))
                .transpose()?,
        }))
    }

    /// The origin of a request, if it is listed.
    pub fn listed_origin<B>(&self, request: &Request<B>) -> Option<HeaderValue> {
        let origin = request.headers().get(header::ORIGIN)?;
        self.origins.get(origin).cloned()
    }

    /// The response to a preflight request; `None` for every other request.
    pub fn preflight<B>(
        &self,
        request: &Request<B>,
        origin: Option<&HeaderValue>,
    ) -> Option<Result<Response<Body>, Refusal>> {
        let headers = request.headers();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        if origin.is_none() {
            return Some(Err(Refusal::OriginNotListed));
        }
        let mut response = Response::new(Body::whole(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(Ok(response))
    }

    /// Tells the browser whether the page may read the response.
    pub fn apply(&self, headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
        // Caches must not give one origin the response to another.
        headers.append(header::VARY, HeaderValue::from_name(header::ORIGIN));
        let Some(origin) = origin else {
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        if let Some(exposed) = &self.exposed_headers {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }
}
