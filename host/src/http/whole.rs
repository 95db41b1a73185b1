//! Requests and answers that are handed over whole (`wit/http.wit`): one call into the instance, where
//! `wasi:http` makes a stream and a future of each. Components that export it are asked this way.

use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Body as _;
use tokio::time::timeout_at;
use wasmtime::component::{
    Component as Code, ComponentExportIndex, ComponentType, Instance, Lift, Lower, TypedFunc,
};
use wasmtime::{Store, bail};
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, WasiBody};

use crate::guest::Guest;
use crate::http::function::Failure;
use crate::http::service::HEADER_BYTES;

/// The request with all of its body, if that comes in time.
pub async fn read(
    request: Request<WasiBody>,
    deadline: Instant,
) -> Result<Request<Bytes>, Failure> {
    let (head, body) = request.into_parts();
    if body.is_end_stream() {
        return Ok(Request::from_parts(head, Bytes::new()));
    }
    match timeout_at(deadline.into(), body.collect()).await {
        Ok(Ok(body)) => Ok(Request::from_parts(head, body.to_bytes())),
        Ok(Err(_)) => Err(Failure::BodyBroken),
        Err(_) => Err(Failure::TimedOut),
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Asked<'a> {
    method: &'a str,
    uri: &'a str,
    headers: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct Answered {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// Where a component exports it.
#[derive(Clone, Copy)]
pub struct Export(ComponentExportIndex);

impl Export {
    pub fn of(code: &Code) -> Option<Self> {
        let handler = code.get_export_index(None, "wharf:http/handler@1.0.0")?;
        code.get_export_index(Some(&handler), "handle").map(Self)
    }
}

/// What an instance exports.
pub struct Handler(TypedFunc<(Asked<'static>,), (Answered,)>);

impl Handler {
    pub fn of(
        instance: &Instance,
        store: &mut Store<Guest>,
        export: Export,
    ) -> wasmtime::Result<Self> {
        instance.get_typed_func(store, export.0).map(Self)
    }

    /// Resolves with the answer; the instance may have something left to do.
    pub async fn ask(
        &self,
        store: &mut Store<Guest>,
        request: &Request<Bytes>,
    ) -> wasmtime::Result<Answered> {
        let uri = request.uri().to_string();
        let headers: Vec<(&str, &[u8])> = request
            .headers()
            .iter()
            .filter(|(name, _)| !DEFAULT_FORBIDDEN_HEADERS.contains(name))
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let asked = Asked {
            method: request.method().as_str(),
            uri: &uri,
            headers: &headers,
            body: request.body(),
        };
        let handle: TypedFunc<(Asked<'_>,), (Answered,)> = self.0;
        let (answered,) = handle.call_async(store, (asked,)).await?;
        Ok(answered)
    }
}

impl Answered {
    /// As the client gets it, if it can be sent: the component is not believed that.
    pub fn into_response(self, method: &Method) -> wasmtime::Result<Response<WasiBody>> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 1);
        let mut size = 0;
        for (name, value) in self.headers {
            size += name.len() + value.len();
            let name = HeaderName::try_from(name)?;
            // How long the body is can be seen, except where there is none to see.
            let is_said_by_host = name == header::CONTENT_LENGTH && method != Method::HEAD;
            if !is_said_by_host && !DEFAULT_FORBIDDEN_HEADERS.contains(&name) {
                headers.append(name, HeaderValue::try_from(value)?);
            }
        }
        if size > HEADER_BYTES {
            bail!("its header fields are larger than {HEADER_BYTES} bytes");
        }
        let body = Full::new(Bytes::from(self.body)).map_err(|never| match never {});
        let mut response = Response::new(body.boxed_unsync());
        *response.status_mut() = StatusCode::from_u16(self.status)?;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
