//! What the router answers before any database is asked, and what the tables say.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use kit::testing::unknown_outcomes;
use kit::web::openapi::describe;
use serde_json::{Value, json};

use crate::error::Error;
use crate::routes::routes;

async fn ask(method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-request-id", "r-1");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Body::empty, |it| Body::from(it.to_string()));
    let answer = kit::testing::ask(routes(), request.body(body).unwrap()).await;
    (answer.status, answer.body)
}

async fn post(path: &str, body: Value) -> (u16, Value) {
    ask("POST", path, Some(body)).await
}

#[tokio::test]
async fn a_parking_registration_that_does_not_fit_is_refused() {
    let asked = |login: &str, password: &str, role: &str| json!({"email": "ana@example.org", "login": login, "password": password, "role": role});
    let (status, body) = post("/register", asked("a", "Password123", "driver")).await;
    assert_eq!((status, &body["error_status_code"]), (409, &json!(409)));
    assert_eq!(
        post("/auth/register", asked("ana", "short", "owner"))
            .await
            .0,
        409
    );
    assert_eq!(
        post("/register", asked("ana", "Password123", "admin"))
            .await
            .0,
        422
    );
    let (status, body) = post("/register", json!({"login": "ana"})).await;
    assert_eq!((status, &body["code"]), (422, &json!("invalid-body")));
}

#[tokio::test]
async fn a_sign_up_that_does_not_fit_is_a_400_with_an_error() {
    let (status, body) = post(
        "/auth/signup",
        json!({"email": "ana", "password": "Password123"}),
    )
    .await;
    assert_eq!(status, 400);
    assert_eq!(body["error"], "an e-mail looks like name@example.org");
    assert_eq!(body["errors"][0]["pointer"], "/email");
    let short = json!({"email": "ana@example.org", "password": "short"});
    assert_eq!(post("/api/auth/signup", short).await.0, 400);
}

#[tokio::test]
async fn a_request_without_a_token_has_no_caller() {
    for (method, path) in [
        ("GET", "/auth/me"),
        ("GET", "/user"),
        ("POST", "/auth/signout"),
    ] {
        let (status, body) = ask(method, path, None).await;
        assert_eq!(
            (status, &body["title"]),
            (401, &json!("No token provided")),
            "{path}"
        );
    }
    assert_eq!(
        ask("GET", "/api/auth/me", None).await.1["error"],
        "No token provided"
    );
}

#[tokio::test]
async fn a_wrong_type_and_a_wrong_method_have_different_statuses() {
    assert_eq!(ask("POST", "/login", None).await.0, 415);
    assert_eq!(ask("GET", "/login", None).await.0, 405);
    assert_eq!(
        post("/login", json!({"login": 1, "password": "x"})).await.0,
        422
    );
}

/// A line of the list of who may call what.
struct Access {
    method: &'static str,
    path: &'static str,
    is_public: bool,
}

fn access() -> Vec<Access> {
    let lines = include_str!("access.txt").lines();
    let lines = lines.filter(|it| !it.is_empty() && !it.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            Access {
                method: words.next().unwrap(),
                path: words.next().unwrap(),
                is_public: words.next() == Some("anybody"),
            }
        })
        .collect()
}

/// Every method and path that stands in a route table.
fn routed() -> BTreeSet<(String, String)> {
    let paths = describe("signin", routes()).paths;
    let methods = |path: String, methods: serde_json::Map<String, Value>| {
        let methods: Vec<_> = methods.keys().map(|it| it.to_uppercase()).collect();
        methods.into_iter().map(move |it| (it, path.clone()))
    };
    paths
        .into_iter()
        .flat_map(|(path, operations)| methods(path, operations))
        .collect()
}

#[test]
fn the_access_list_names_every_route() {
    let listed: BTreeSet<_> = access()
        .iter()
        .map(|it| (it.method.to_owned(), it.path.to_owned()))
        .collect();
    let mut routed = routed();
    // A token of its own lets an outside clock in.
    routed.remove(&("POST".to_owned(), "/auth/tick".to_owned()));
    assert_eq!(listed, routed);
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "signin");
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn a_route_that_is_not_public_refuses_requests_without_a_token() {
    for Access {
        method,
        path,
        is_public,
    } in access()
    {
        let asked = path.replace(['{', '}'], "");
        if !is_public {
            let (status, _) = ask(method, &format!("{asked}?v=1.0"), None).await;
            assert_eq!(status, 401, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn no_route_takes_a_method_that_is_not_listed() {
    let listed = access();
    let paths: BTreeSet<_> = listed.iter().map(|it| it.path).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if !listed
                .iter()
                .any(|it| it.path == path && it.method == method)
            {
                let (status, _) = ask(method, &path.replace(['{', '}'], ""), None).await;
                assert_eq!(status, 405, "{method} {path}");
            }
        }
    }
}
