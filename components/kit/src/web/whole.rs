//! How a component is reached over HTTP: twice, with one router. Every host knows `wasi:http`; ours
//! prefers `wharf:http` (`wit/http.wit`), which hands requests and answers over whole.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;

use self::bindings::exports::wharf::http::handler;
use super::answer::{answer, refused};
use super::problem::Problem;
use super::request_id::RequestId;

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

            use $crate::web::whole::bindings::exports::wharf::http::handler::{Guest, Request, Response};

            static ROUTER: LazyLock<axum::Router> = LazyLock::new(|| $routes().into_router());

            #[spin_sdk::http_service]
            async fn handle(
                request: spin_sdk::http::Request,
            ) -> impl spin_sdk::http::IntoResponse {
                $crate::web::answer(ROUTER.clone(), request).await
            }

            struct Whole;
            $crate::web::whole::bindings::export!(Whole with_types_in $crate::web::whole::bindings);

            impl Guest for Whole {
                async fn handle(request: Request) -> Response {
                    $crate::web::whole::answer_whole(ROUTER.clone(), request).await
                }
            }
        }
    };
}

/// Routes one request whose body is here.
pub async fn answer_whole(router: Router, request: handler::Request) -> handler::Response {
    crate::host::mark_wharf();
    let response = match read(request) {
        Ok(request) => answer(router, request).await,
        Err(cause) => refused(MALFORMED.detail(cause.to_string()), &RequestId::fresh()),
    };
    let (mut parts, body) = response.into_parts();
    let body = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => body.into(),
        Err(cause) => {
            eprintln!("an answer broke off: {cause}");
            parts = StatusCode::INTERNAL_SERVER_ERROR
                .into_response()
                .into_parts()
                .0;
            Vec::new()
        }
    };
    handler::Response {
        status: parts.status.as_u16(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned()))
            .collect(),
        body,
    }
}

const MALFORMED: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "malformed-request",
    "That is no request",
);

fn read(request: handler::Request) -> Result<Request<Body>, axum::http::Error> {
    let mut builder = Request::builder()
        .method(request.method.as_str())
        .uri(request.uri);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(request.body))
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::HeaderMap;
    use axum::routing::post;
    use futures::stream;

    use super::*;

    async fn ask(uri: &str) -> (u16, String) {
        async fn echo(headers: HeaderMap, body: Bytes) -> Vec<u8> {
            let twice = headers.get_all("x-twice").iter();
            let mut told = twice.map(|it| it.as_bytes()).collect::<Vec<_>>();
            told.push(&body);
            told.join(&b' ')
        }
        async fn broken() -> Body {
            Body::from_stream(stream::iter([Ok("some"), Err("gone")]))
        }
        let router = Router::new()
            .route("/echo", post(echo))
            .route("/broken", post(broken));
        let field = |value: &str| ("x-twice".to_owned(), value.as_bytes().to_vec());
        let request = handler::Request {
            method: "POST".to_owned(),
            uri: uri.to_owned(),
            headers: vec![field("1"), field("2")],
            body: b"body".to_vec(),
        };
        let answer = answer_whole(router, request).await;
        (answer.status, String::from_utf8(answer.body).unwrap())
    }

    #[tokio::test]
    async fn a_request_is_read_as_it_was_sent() {
        assert_eq!(ask("http://h/echo?a=b").await, (200, "1 2 body".to_owned()));
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused() {
        let (status, body) = ask("http://h /").await;
        assert_eq!(status, 400);
        assert!(body.contains("malformed-request"), "{body}");
    }

    #[tokio::test]
    async fn an_answer_that_broke_off_is_none() {
        assert_eq!(ask("http://h/broken").await, (500, String::new()));
    }
}
