//! How a component is reached over HTTP: twice, with one router. Every host knows `wasi:http`; ours
//! prefers `wharf:http` (`wit/http.wit`), which hands requests and answers over whole.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;

use self::bindings::exports::wharf::http::handler;
use crate::answer::answer;

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

/// Exports what a router answers. It is built once per instance, which serves many requests.
///
/// For the component's `entry`, which is wasm only: what it exports has names that native linkers
/// refuse.
#[macro_export]
macro_rules! serve {
    ($router:path) => {
        #[allow(
            unsafe_code,
            reason = "generated: what crosses the boundary is passed as pointers"
        )]
        mod http {
            use std::sync::LazyLock;

            use $crate::http::bindings::exports::wharf::http::handler::{Guest, Request, Response};

            static ROUTER: LazyLock<axum::Router> = LazyLock::new($router);

            #[spin_sdk::http_service]
            async fn handle(
                request: spin_sdk::http::Request,
            ) -> impl spin_sdk::http::IntoResponse {
                $crate::answer(ROUTER.clone(), request).await
            }

            struct Whole;
            $crate::http::bindings::export!(Whole with_types_in $crate::http::bindings);

            impl Guest for Whole {
                async fn handle(request: Request) -> Response {
                    $crate::http::answer_whole(ROUTER.clone(), request).await
                }
            }
        }
    };
}

/// Routes one request whose body is here.
pub async fn answer_whole(router: Router, request: handler::Request) -> handler::Response {
    let response = match read(request) {
        Ok(request) => answer(router, request).await,
        // No host that parsed it sends this.
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    };
    let (parts, body) = response.into_parts();
    handler::Response {
        status: parts.status.as_u16(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned()))
            .collect(),
        body: axum::body::to_bytes(body, usize::MAX)
            .await
            .unwrap_or_default()
            .into(),
    }
}

fn read(request: handler::Request) -> Result<Request<Body>, axum::http::Error> {
    let mut builder = Request::builder()
        .method(request.method.as_str())
        .uri(request.uri);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(request.body))
}
