//! Calls over `wharf:http` (`wit/http.wit`), which passes request and response whole, in one call: cheaper than the
//! streams and futures of `wasi:http`. Used for components that export it, unless their instances serve several
//! requests at the same time.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use wasmtime::bail;
use wasmtime::component::{Component as Code, ComponentExportIndex, TypedFunc};
use wasmtime::error::Context as _;
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error, WasiBody};

use crate::function::{Function, Limits};
use crate::http::body::{Body, MAX_FRAME_BYTES};
use crate::http::call::Call;
use crate::http::exclusive::{CallMode, ResponseSender};
use crate::http::head;
use crate::http::headers::MAX_HEADER_BYTES;
use crate::instances::{self, Instance, Permit};

/// Longer bodies need `wasi:http`.
pub const MAX_BODY_BYTES: usize = 16 << 20;

/// Bytes that one call may copy into the host: the longest body plus headers and overhead.
const MAX_CALL_BYTES: usize = MAX_BODY_BYTES * 2;

/// Memory per header field in addition to its text.
const FIELD_OVERHEAD_BYTES: usize = 32;

/// A request: its head as `wharf:http` writes it, and its body.
pub struct WholeRequest {
    pub head: Vec<u8>,
    pub body: Bytes,
}

/// The exported function of an instance: from head and body to head and body.
pub type Handle<'a> = TypedFunc<(&'a [u8], &'a [u8]), ((Vec<u8>, Vec<u8>),)>;

/// The index of the export `handle`.
pub struct Whole(ComponentExportIndex);

impl Whole {
    /// `None` if the component does not export it, or accepts bodies that are too long for it.
    pub fn of(code: &Code, limits: &Limits) -> Option<Self> {
        let handler = code.get_export_index(None, "wharf:http/handler@2.0.0")?;
        let handle = code.get_export_index(Some(&handler), "handle")?;
        (limits.body_bytes <= MAX_BODY_BYTES as u64).then_some(Self(handle))
    }
}

impl CallMode for Whole {
    type Exports = Handle<'static>;
    type RequestBody = WholeRequest;
    type ResponseBody = Bytes;

    async fn instantiate(&self, function: &Function) -> wasmtime::Result<Instance<Self::Exports>> {
        let mut store = function.new_store()?;
        store.set_hostcall_fuel(MAX_CALL_BYTES);
        let instance = function.pre.instantiate_async(&mut store).await?;
        let handle = instance.get_typed_func(&mut store, self.0)?;
        Ok(Instance::new(store, handle))
    }

    async fn serve(
        instance: &mut Instance<Self::Exports>,
        request: Request<WholeRequest>,
        response: ResponseSender<Self>,
    ) -> wasmtime::Result<()> {
        let handle: Handle<'_> = instance.exports;
        let WholeRequest { head, body } = request.body();
        let called = handle.call_async(&mut instance.store, (head, body));
        let ((head, body),) = called.await?;
        let _ = response.send(check(head.into(), body.into(), request.method()));
        instance
            .store
            .run_concurrent(async |accessor| instances::finish_tasks(accessor).await)
            .await
    }

    fn is_reusable(_: &Self::Exports) -> bool {
        true
    }

    /// A long body draws from the component's memory for responses that are not sent yet. If there is none left it holds
    /// the permit of its instance until it is sent, so that slow clients cannot keep even more bodies in memory.
    fn body(body: Bytes, function: &Function, _: &Arc<Call>, permit: Arc<Permit>, _: bool) -> Body {
        let frames = body.len() / MAX_FRAME_BYTES;
        let body = Body::whole(body);
        if frames == 0 {
            return body;
        }
        let unsent = function.unsent_frames.clone();
        let held = u32::try_from(frames).map(|frames| unsent.try_acquire_many_owned(frames));
        body.with_permit(match held {
            Ok(Ok(held)) => Arc::new(held),
            Ok(Err(_)) | Err(_) => permit,
        })
    }
}

/// Checks the response of a component and turns it into one that can be sent.
fn check(head: Bytes, body: Bytes, method: &Method) -> wasmtime::Result<Response<Bytes>> {
    if body.len() > MAX_BODY_BYTES {
        bail!("its body is larger than {MAX_BODY_BYTES} bytes");
    }
    let Some((status, fields)) = head::read(head) else {
        bail!("its head has no valid status");
    };
    if status.is_informational() {
        bail!("{status} is not the status of a final response");
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let mut headers = HeaderMap::with_capacity(16);
    let mut length = body.len() as u64;
    let mut size = 0;
    for field in fields {
        let (name, value) = field.context("its head is malformed")?;
        size += name.len() + value.len() + FIELD_OVERHEAD_BYTES;
        if size > MAX_HEADER_BYTES {
            bail!("its header fields are larger than {MAX_HEADER_BYTES} bytes");
        }
        let name = HeaderName::from_bytes(&name)?;
        let value = HeaderValue::from_maybe_shared(value)?;
        if name == header::CONTENT_LENGTH {
            let given = value.to_str().ok().and_then(|given| given.parse().ok());
            length = given.unwrap_or(length);
        } else if !DEFAULT_FORBIDDEN_HEADERS.contains(&name) {
            headers.try_append(name, value)?;
        }
    }
    if method == Method::HEAD {
        // Without a body, only the component knows the length.
        headers.insert(header::CONTENT_LENGTH, length.into());
    } else if ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status) {
        *response.body_mut() = body;
    }
    *response.headers_mut() = headers;
    Ok(response)
}

/// Collects a request's body into one piece.
pub struct Collected {
    body: WasiBody,
    /// Not copied if it is the only piece.
    first: Bytes,
    all: BytesMut,
}

impl Collected {
    pub fn new(body: WasiBody) -> Self {
        Self {
            body,
            first: Bytes::new(),
            all: BytesMut::new(),
        }
    }

    /// Receives a piece; returns its length, or `None` at the end. May be dropped while it waits.
    pub async fn next(&mut self) -> Result<Option<usize>, Error> {
        let Some(frame) = self.body.frame().await else {
            return Ok(None);
        };
        let Ok(data) = frame?.into_data() else {
            return Ok(Some(0));
        };
        let length = data.len();
        if self.all.is_empty() && self.first.is_empty() {
            self.first = data;
        } else {
            if self.all.is_empty() {
                self.all.extend_from_slice(&self.first);
            }
            self.all.extend_from_slice(&data);
        }
        Ok(Some(length))
    }

    pub fn into_bytes(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}
