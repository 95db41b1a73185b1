//! How a component is reached over HTTP: twice, with one router. Every host knows `wasi:http`; ours
//! prefers `wharf:http` (`wit/http.wit`), which hands requests and answers over whole.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::answer::{answer, refused};
use super::problem::Problem;
use super::request_id::RequestId;
use super::router::Router;
use crate::identity::Vouched;

#[allow(
    unsafe_code,
    reason = "generated: what crosses the boundary is passed as pointers"
)]
pub mod bindings {
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: "../../wit/http.wit",
        world: "function",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        pub_export_macro: true,
    });
}

/// Exports the operations of a route table, `kit::serve!(crate::routes::routes)`. The router is built once
/// per instance, which serves many requests.
///
/// It stands in the component's `entry`, which is wasm only: native linkers refuse the names of the
/// exports.
#[macro_export]
macro_rules! serve {
    ($routes:path) => {
        #[allow(
            unsafe_code,
            reason = "generated: what crosses the boundary is passed as pointers"
        )]
        mod http {
            use std::sync::LazyLock;

            use $crate::web::whole::bindings::exports::wharf::http::handler::Guest;

            static ROUTER: LazyLock<$crate::web::Router> = LazyLock::new(|| $routes().into_router());

            #[spin_sdk::http_service]
            async fn handle(
                request: spin_sdk::http::Request,
            ) -> impl spin_sdk::http::IntoResponse {
                $crate::web::answer(&ROUTER, request).await
            }

            struct Whole;
            $crate::web::whole::bindings::export!(Whole with_types_in $crate::web::whole::bindings);

            impl Guest for Whole {
                async fn handle(head: Vec<u8>, body: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
                    $crate::web::whole::answer_whole(&ROUTER, head, body).await
                }
            }
        }
    };
}

/// Routes one request whose body is here.
pub async fn answer_whole(router: &Router, head: Vec<u8>, body: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    crate::host::mark_wharf();
    let response = match read(head, body) {
        Some(request) => answer(router, request).await,
        None => refused(MALFORMED, &RequestId::fresh()),
    };
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => (written(parts.status, &parts.headers), body.into()),
        Err(cause) => {
            eprintln!("an answer broke off: {cause}");
            let broken: Response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            (written(broken.status(), broken.headers()), Vec::new())
        }
    }
}

const MALFORMED: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "malformed-request",
    "That is no request",
);

/// These are in every request, and `HeaderName` itself does not know them.
static KNOWN_NAMES: [HeaderName; 3] = [
    HeaderName::from_static("spin-full-url"),
    HeaderName::from_static("spin-client-addr"),
    HeaderName::from_static("x-request-id"),
];

fn read(head: Vec<u8>, body: Vec<u8>) -> Option<Request<Body>> {
    let head = Bytes::from(head);
    let mut rest = Rest(&head);
    let mut request = Request::new(Body::from(body));
    if rest.number()? == [1] {
        request.extensions_mut().insert(Vouched);
    }
    *request.method_mut() = Method::from_bytes(rest.text()?).ok()?;
    *request.uri_mut() = Uri::from_maybe_shared(head.slice_ref(rest.text()?)).ok()?;
    let count = u16::from_le_bytes(rest.number()?).into();
    let headers = request.headers_mut();
    headers.try_reserve(count).ok()?;
    for _ in 0..count {
        let (name, value) = (rest.text()?, rest.text()?);
        let known = KNOWN_NAMES.iter().find(|it| it.as_str().as_bytes() == name);
        let name = match known {
            Some(known) => known.clone(),
            None => HeaderName::from_lowercase(name).ok()?,
        };
        // A part of the head, not a copy.
        let value = HeaderValue::from_maybe_shared(head.slice_ref(value)).ok()?;
        headers.append(name, value);
    }
    Some(request)
}

/// What is not read yet of a head.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*number)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.number()?).try_into().ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }
}

fn written(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let mut head = Vec::with_capacity(256);
    head.extend(status.as_u16().to_le_bytes());
    for (name, value) in headers {
        for text in [name.as_str().as_bytes(), value.as_bytes()] {
            // A field is far below 4 GiB.
            head.extend((text.len() as u32).to_le_bytes());
            head.extend(text);
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::super::dialect::Dialect;
    use super::super::routes::Routes;
    use super::*;

    fn texts(texts: &[&str]) -> Vec<u8> {
        let written = texts.iter().map(|text| {
            let length = u32::try_from(text.len()).unwrap().to_le_bytes();
            [&length, text.as_bytes()].concat()
        });
        written.collect::<Vec<_>>().concat()
    }

    fn head(uri: &str, fields: &[&str]) -> Vec<u8> {
        let count = u16::try_from(fields.len() / 2).unwrap().to_le_bytes();
        [&[1], &*texts(&["POST", uri]), &count, &*texts(fields)].concat()
    }

    async fn ask(head: Vec<u8>) -> (u16, String, String) {
        async fn echo(headers: HeaderMap, body: Bytes) -> Response {
            let twice = headers.get_all("x-twice").iter();
            let mut told = twice.map(|it| it.as_bytes()).collect::<Vec<_>>();
            told.push(&body);
            told.join(&b' ').into_response()
        }
        async fn broken() -> Response {
            Body::from_stream(stream::iter([Ok("some"), Err("gone")])).into_response()
        }
        let router = Routes::new("test", Dialect::Plain)
            .post("/echo", echo, |it| it)
            .post("/broken", broken, |it| it)
            .into_router();
        let (head, body) = answer_whole(&router, head, b"body".to_vec()).await;
        let (status, fields) = head.split_first_chunk().unwrap();
        (
            u16::from_le_bytes(*status),
            String::from_utf8(fields.to_vec()).unwrap(),
            String::from_utf8(body).unwrap(),
        )
    }

    #[tokio::test]
    async fn a_request_is_read_as_it_was_sent() {
        let sent = head("http://h/echo?a=b", &["x-twice", "1", "x-twice", "2"]);
        let (status, fields, body) = ask(sent).await;
        assert_eq!((status, body.as_str()), (200, "1 2 body"));
        let sent = texts(&["content-type", "application/octet-stream"]);
        assert!(
            fields.contains(std::str::from_utf8(&sent).unwrap()),
            "{fields}"
        );
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused() {
        let whole = head("http://h/echo", &["x-twice", "1"]);
        for wrong in [
            head("http://h /", &[]),
            head("http://h/echo", &["x twice", "1"]),
            head("http://h/echo", &["x-twice", "1\n2"]),
            whole.get(..whole.len() - 1).unwrap().to_vec(),
            Vec::new(),
        ] {
            let (status, _, body) = ask(wrong).await;
            assert_eq!(status, 400);
            assert!(body.contains("malformed-request"), "{body}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_broke_off_is_none() {
        let (status, _, body) = ask(head("http://h/broken", &[])).await;
        assert_eq!((status, body.as_str()), (500, ""));
    }
}
