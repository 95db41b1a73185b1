//! Finds what answers a request, by its path and method.
//!
//! axum's router would take a fifth more of what a component spends on a small request: it makes several boxed services of each
//! route, clones them for every request and keeps addresses that nothing here reads.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::dialect::{Dialect, NO_ROUTE};
use super::problem::Problem;
use super::routes::{Line, RefusalPage};
use super::segments::Segments;

pub type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler that is called with whole requests.
pub(super) type Endpoint = Arc<dyn Fn(Request) -> Answering + Send + Sync>;

pub(super) fn endpoint<H, T>(handler: H) -> Endpoint
where
    H: Handler<T, (), Future = Answering>,
{
    Arc::new(move |request| handler.clone().call(request, ()))
}

pub struct Router {
    paths: matchit::Router<Resource>,
    /// The dialect of refusals of unknown paths.
    dialect: Dialect,
    pub(super) refusal_page: Option<RefusalPage>,
}

/// What is served at one path.
#[derive(Default)]
struct Resource {
    methods: Vec<Served>,
    /// The dialect of refusals of other methods.
    dialect: Dialect,
    is_secret: bool,
}

/// An operation at one path.
struct Served {
    method: Method,
    endpoint: Endpoint,
    dialect: Dialect,
    /// The recommended path, when this one is another spelling of it.
    canonical: Option<String>,
}

/// The path of a request as it is in the recommended spelling. Absent when that is how the request was sent.
#[derive(Clone)]
pub(crate) struct CanonicalPath(pub String);

const UNKNOWN_PATH: Problem =
    Problem::new(StatusCode::NOT_FOUND, NO_ROUTE, "Nothing is served here");
const UNKNOWN_METHOD: Problem = Problem::new(
    StatusCode::METHOD_NOT_ALLOWED,
    "method-not-allowed",
    "This address does not know that method",
);

impl Router {
    pub(super) fn new(
        lines: Vec<Line>,
        dialect: Dialect,
        refusal_page: Option<RefusalPage>,
    ) -> Self {
        let mut resources = BTreeMap::<String, Resource>::new();
        for line in lines {
            let resource = resources.entry(line.path).or_default();
            resource.dialect = line.dialect;
            resource.is_secret |= line.is_secret;
            let is_new = resource.methods.iter().all(|it| it.method != line.method);
            assert!(is_new, "two lines of a route table are the same");
            resource.methods.push(Served {
                method: line.method,
                endpoint: line.endpoint,
                dialect: line.dialect,
                canonical: line.canonical,
            });
        }
        let mut paths = matchit::Router::new();
        for (path, resource) in resources {
            let inserted = paths.insert(path, resource);
            assert!(inserted.is_ok(), "a route table is ambiguous: {inserted:?}");
        }
        Self {
            paths,
            dialect,
            refusal_page,
        }
    }

    pub async fn call(&self, mut request: Request) -> Response {
        let Ok(found) = self.paths.at(request.uri().path()) else {
            // A later release may serve it, and the query may have a token.
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            return self.dialect.mark((no_store, UNKNOWN_PATH).into_response());
        };
        let resource = found.value;
        let segments = Segments::of(&found.params);
        if !segments.is_empty() {
            request.extensions_mut().insert(segments);
        }
        let mut response = resource.call(request).await;
        if resource.is_secret {
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }
}

impl Resource {
    async fn call(&self, request: Request) -> Response {
        if let Some(served) = self.find(request.method()) {
            return served.dialect.mark(served.answer(request).await);
        }
        if request.method() == Method::HEAD
            && let Some(served) = self.find(&Method::GET)
        {
            let response = without_body(served.answer(request).await);
            return served.dialect.mark(response);
        }
        let allowed = [(header::ALLOW, self.allowed())];
        self.dialect.mark((allowed, UNKNOWN_METHOD).into_response())
    }

    fn find(&self, method: &Method) -> Option<&Served> {
        self.methods.iter().find(|it| it.method == method)
    }

    fn allowed(&self) -> String {
        let mut methods: Vec<_> = self.methods.iter().map(|it| it.method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.join(",")
    }
}

impl Served {
    fn answer(&self, mut request: Request) -> Answering {
        if let Some(canonical) = &self.canonical {
            let segments = request.extensions().get::<Segments>();
            let path = match segments {
                Some(segments) => segments.fill(canonical),
                None => canonical.clone(),
            };
            request.extensions_mut().insert(CanonicalPath(path));
        }
        (self.endpoint)(request)
    }
}

/// The answer to a HEAD, which tells how long the answer to a GET is.
fn without_body(mut response: Response) -> Response {
    let length = response.body().size_hint().exact();
    *response.body_mut() = Body::empty();
    if let Some(length) = length {
        let headers = response.headers_mut();
        let entry = headers.entry(header::CONTENT_LENGTH);
        entry.or_insert(HeaderValue::from(length));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::routes::Routes;
    use super::super::{Arguments, Path, answer};
    use super::*;

    fn routes() -> Routes {
        let show =
            async |Path(id): Path<i64>| Ok::<_, Problem>(if id == 7 { "seven" } else { "another" });
        let below = Routes::new("test", Dialect::Accounts)
            .get("/", async || "all", |it| it)
            .get("/{id}", show, |it| it)
            .post("/{id}", async |_: Arguments| "told", |it| it)
            .no_store();
        Routes::new("test", Dialect::FastFood)
            .delete("/things/first", async || "gone", |it| it)
            .below(["/things", "/api/things"], below)
    }

    async fn ask(method: Method, path: &str) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        answer(&routes().into_router(), request).await
    }

    async fn text(method: Method, path: &str) -> (u16, String) {
        let response = ask(method, path).await;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        (status, String::from_utf8(body.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_path_below_a_prefix_is_found_under_each_spelling() {
        for prefix in ["/things", "/api/things"] {
            for (path, told) in [("", "all"), ("/7", "seven"), ("/8", "another")] {
                let found = text(Method::GET, &format!("{prefix}{path}")).await;
                assert_eq!(found, (200, told.to_owned()));
            }
            assert_eq!(text(Method::GET, &format!("{prefix}/x")).await.0, 404);
            assert_eq!(text(Method::GET, &format!("{prefix}/7/8")).await.0, 404);
        }
        assert_eq!(
            text(Method::GET, "/things/first").await.0,
            405,
            "a word goes before a parameter"
        );
    }

    #[tokio::test]
    async fn a_head_is_a_get_without_its_body() {
        let response = ask(Method::HEAD, "/things/7").await;
        assert_eq!(response.headers()[header::CONTENT_LENGTH], "5");
        assert_eq!(text(Method::HEAD, "/things/7").await, (200, String::new()));
        assert_eq!(text(Method::HEAD, "/things/first").await.0, 405);
    }

    #[tokio::test]
    async fn an_unknown_method_is_told_the_known_ones() {
        let response = ask(Method::PATCH, "/things/7").await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[header::ALLOW], "GET,POST,HEAD");
        let body = text(Method::PATCH, "/things/7").await.1;
        assert!(
            body.contains(r#""error":"#),
            "in the dialect of the path: {body}"
        );
        let body = text(Method::GET, "/nothing").await.1;
        assert!(
            body.contains(r#""msg":"#),
            "in the dialect of the table: {body}"
        );
    }

    #[tokio::test]
    async fn what_is_secret_is_stored_nowhere_whatever_the_answer() {
        for (method, path) in [
            (Method::GET, "/things/7"),
            (Method::GET, "/things/x"),
            (Method::PUT, "/things/7"),
        ] {
            let response = ask(method, path).await;
            assert_eq!(
                response.headers()[header::CACHE_CONTROL],
                "no-store",
                "{path}"
            );
        }
        let response = ask(Method::DELETE, "/things/first").await;
        assert!(!response.headers().contains_key(header::CACHE_CONTROL));
    }

    #[test]
    #[should_panic(expected = "two lines of a route table are the same")]
    fn two_lines_for_one_address_are_a_mistake() {
        let routes = routes().get("/things/{id}", async || "again", |it| it);
        drop(routes.into_router());
    }
}
