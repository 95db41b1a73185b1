//! Requests and answers that are handed over whole (`wit/http.wit`): one call into the instance, where
//! `wasi:http` makes a stream and a future of each. Components that export it are asked this way, unless
//! their instances serve several at once.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use wasmtime::bail;
use wasmtime::component::{
    Component as Code, ComponentExportIndex, ComponentType, Lift, Lower, TypedFunc,
};
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error, WasiBody};

use crate::function::{Function, Limits};
use crate::http::alone::{Answer, Way, is_done};
use crate::http::body::{Body, PIECE};
use crate::http::call::Call;
use crate::http::service::HEADER_BYTES;
use crate::instances::{Instance, Place};

/// What is longer is for streams.
pub const BODY_BYTES: usize = 16 << 20;

/// What one call may bring into the host: the longest answer with all that goes with it.
const CALL_BYTES: usize = BODY_BYTES * 2;

/// A header field costs this much beside its text.
const FIELD_BYTES: usize = 32;

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct Asked<'a> {
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

/// What is called in an instance.
pub type Handle<'a> = TypedFunc<(Asked<'a>,), (Answered,)>;

/// Where a component exports its handler.
pub struct Whole(ComponentExportIndex);

impl Whole {
    /// `None` if it does not, or is to be sent more than fits a call.
    pub fn of(code: &Code, limits: &Limits) -> Option<Self> {
        let handler = code.get_export_index(None, "wharf:http/handler@1.0.0")?;
        let handle = code.get_export_index(Some(&handler), "handle")?;
        (limits.body_bytes <= BODY_BYTES as u64).then_some(Self(handle))
    }
}

impl Way for Whole {
    type Exports = Handle<'static>;
    type Asked = Bytes;
    type Answered = Bytes;

    async fn instantiate(&self, function: &Function) -> wasmtime::Result<Instance<Self::Exports>> {
        let mut store = function.store()?;
        store.set_hostcall_fuel(CALL_BYTES);
        let instance = function.pre.instantiate_async(&mut store).await?;
        let handle = instance.get_typed_func(&mut store, self.0)?;
        Ok(Instance::new(store, handle))
    }

    async fn serve(
        instance: &mut Instance<Self::Exports>,
        request: Request<Bytes>,
        answer: Answer<Self>,
    ) -> wasmtime::Result<()> {
        let method = request.method().clone();
        let answered = ask(instance, request).await?;
        let _ = answer.send(response(answered, &method));
        instance
            .store
            .run_concurrent(async |accessor| is_done(accessor).await)
            .await
    }

    fn is_reusable(_: &Self::Exports) -> bool {
        true
    }

    /// A long one holds the place until most of it is sent, so that no more of them wait for slow clients
    /// than instances may be at work.
    fn body(body: Bytes, _: &Arc<Call>, place: Arc<Place>, _: bool) -> Body {
        let is_long = body.len() > PIECE;
        let body = Body::whole(body);
        if is_long { body.holding(place) } else { body }
    }
}

async fn ask(
    instance: &mut Instance<Handle<'static>>,
    request: Request<Bytes>,
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
    let handle: Handle<'_> = instance.exports;
    let (answered,) = handle.call_async(&mut instance.store, (asked,)).await?;
    Ok(answered)
}

/// The answer as the client gets it, if it can be sent: the component is not believed that.
fn response(answered: Answered, to: &Method) -> wasmtime::Result<Response<Bytes>> {
    let lengths = answered.headers.iter();
    let size: usize = lengths
        .map(|(name, value)| name.len() + value.len() + FIELD_BYTES)
        .sum();
    if size > HEADER_BYTES {
        bail!("its header fields are larger than {HEADER_BYTES} bytes");
    }
    if answered.body.len() > BODY_BYTES {
        bail!("its body is larger than {BODY_BYTES} bytes");
    }
    let status = StatusCode::from_u16(answered.status)?;
    if status.is_informational() {
        bail!("{status} is no answer");
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let mut headers = HeaderMap::with_capacity(answered.headers.len() + 1);
    let mut length = answered.body.len() as u64;
    for (name, value) in answered.headers {
        let (name, value) = (HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        if name == header::CONTENT_LENGTH {
            let told = value.to_str().ok().and_then(|told| told.parse().ok());
            length = told.unwrap_or(length);
        } else if !DEFAULT_FORBIDDEN_HEADERS.contains(&name) {
            headers.try_append(name, value)?;
        }
    }
    if to == Method::HEAD {
        // The one answer whose length cannot be seen.
        headers.insert(header::CONTENT_LENGTH, length.into());
    } else if ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status) {
        *response.body_mut() = answered.body.into();
    }
    *response.headers_mut() = headers;
    Ok(response)
}

/// All of a request's body, in one piece.
pub async fn gather(mut body: WasiBody) -> Result<Bytes, Error> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if all.is_empty() && first.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
