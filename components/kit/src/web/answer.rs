//! The edge of every component: from the host's request to the answer it sends.

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::dialect::Dialect;
use super::problem::Problem;
use super::request_id::{HEADER, RequestId};
use super::router::Router;
use super::routes::RefusalPage;
use crate::identity::INSUFFICIENT_PROOF;

/// Routes one request. A refusal becomes the body of the answer.
pub async fn answer<B>(router: &Router, request: axum::http::Request<B>) -> Response
where
    B: HttpBody<Data = axum::body::Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    let mut request: Request = request.map(Body::new);
    without_trailing_slash(request.uri_mut());
    let id = RequestId::given(request.headers()).unwrap_or_else(|| {
        let fresh = RequestId::fresh();
        if let Ok(value) = HeaderValue::from_str(fresh.as_str()) {
            let headers = request.headers_mut();
            headers.insert(HeaderName::from_static(HEADER), value);
        }
        fresh
    });
    let response = router.call(request).await;
    with_length(written(response, &id, router.refusal_page))
}

/// Names the length of an answer where it is known. Without it an answer is chunked, and Spin sends the last chunk
/// of a small answer 40 ms late.
fn with_length(mut response: Response) -> Response {
    if matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    ) {
        // axum sets 0, which RFC 9110 forbids for 204 and which is wrong for 304.
        response.headers_mut().remove(header::CONTENT_LENGTH);
    } else if let Some(length) = response.body().size_hint().exact() {
        let headers = response.headers_mut();
        headers
            .entry(header::CONTENT_LENGTH)
            .or_insert(HeaderValue::from(length));
    }
    response
}

/// A refusal that is sent before any handler is called.
pub(crate) fn refused(problem: Problem, id: &RequestId) -> Response {
    with_length(written(problem.into_response(), id, None))
}

/// `/customers/` and `/customers` are one address.
fn without_trailing_slash(uri: &mut Uri) {
    let path = uri.path();
    if path.len() < 2 || !path.ends_with('/') {
        return;
    }
    let mut target = path.trim_end_matches('/').to_owned();
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = uri.query() {
        target.push('?');
        target.push_str(query);
    }
    let mut parts = std::mem::take(uri).into_parts();
    if let Ok(target) = PathAndQuery::try_from(target) {
        parts.path_and_query = Some(target);
    }
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

fn written(mut response: Response, id: &RequestId, page: Option<RefusalPage>) -> Response {
    let dialect = response
        .extensions()
        .get::<Dialect>()
        .copied()
        .unwrap_or(Dialect::Plain);
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    if let Some(cause) = &problem.cause {
        eprintln!("{id} {}: {cause}", problem.code);
    }
    let body = match page {
        Some(page) => page(&problem),
        None => (
            [(header::CONTENT_TYPE, dialect.media_type())],
            dialect.body(&problem, id.as_str()).to_string(),
        )
            .into_response(),
    };
    let mut refused = (dialect.status(&problem), body).into_response();
    let headers = refused.headers_mut();
    // What a layer added (cookies, Allow) stays.
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            headers.append(name, value.clone());
        }
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        let challenge = match problem.code {
            INSUFFICIENT_PROOF => "Bearer error=\"insufficient_user_authentication\", max_age=600",
            _ => "Bearer",
        };
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        );
    }
    if let Some(link) = &problem.link
        && let Ok(link) = HeaderValue::from_str(&format!("<{link}>; rel=\"payment\""))
    {
        headers.insert(header::LINK, link);
    }
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    refused
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::super::routes::Routes;
    use super::*;

    async fn respond(method: &str, path: &str) -> Response {
        let taken = async || Err::<StatusCode, _>(Problem::of_status(409, "taken", "Taken"));
        let routes = Routes::new("test", Dialect::FastFood)
            .get("/customers", taken, |it| it)
            .get("/hello", async || "hello", |it| it)
            .get("/nothing", async || StatusCode::NO_CONTENT, |it| it);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-request-id", "r-1")
            .body(Body::empty())
            .unwrap();
        answer(&routes.into_router(), request).await
    }

    async fn ask(path: &str) -> (u16, serde_json::Value) {
        let response = respond("GET", path).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_trailing_slash_never_matters() {
        assert_eq!(ask("/customers/?a=b").await.0, 409);
        assert_eq!(ask("/customers").await.1["msg"], "Taken");
    }

    #[tokio::test]
    async fn a_known_length_is_named() {
        for (method, path) in [
            ("GET", "/hello"),
            ("GET", "/customers"),
            ("GET", "/nowhere"),
        ] {
            let response = respond(method, path).await;
            let length = response.headers().get(header::CONTENT_LENGTH).cloned();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(
                length,
                Some(HeaderValue::from(body.len())),
                "{method} {path}"
            );
        }
        let length_of = async |method, path| {
            let response = respond(method, path).await;
            response.headers().get(header::CONTENT_LENGTH).cloned()
        };
        assert_eq!(
            length_of("HEAD", "/hello").await,
            Some(HeaderValue::from(5))
        );
        assert_eq!(length_of("GET", "/nothing").await, None);
    }

    #[tokio::test]
    async fn an_unknown_route_is_a_problem_too() {
        let (status, body) = ask("/nowhere").await;
        assert_eq!((status, &body["request_id"]), (404, &"r-1".into()));
        assert_eq!(body["status code"], 404, "in the dialect of the table");
        let response = respond("POST", "/hello").await;
        assert_eq!(response.status().as_u16(), 405);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["status code"], 405);
    }
}
