//! What the router answers before it needs a database.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

async fn ask(method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-request-id", "r-1");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Body::empty, |it| Body::from(it.to_string()));
    let response = kit::answer(crate::routes::router(), request.body(body).unwrap()).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
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
async fn nobody_is_known_without_a_token() {
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
async fn a_wrong_type_and_a_wrong_method_are_told_apart() {
    assert_eq!(ask("POST", "/login", None).await.0, 415);
    assert_eq!(ask("GET", "/login", None).await.0, 405);
    assert_eq!(
        post("/login", json!({"login": 1, "password": "x"})).await.0,
        422
    );
}

/// A line of the list of who may ask what.
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

/// Every path that stands in a route table.
fn routed() -> BTreeSet<&'static str> {
    const TABLES: [&str; 10] = [
        include_str!("routes/accounts.rs"),
        include_str!("routes/fast_food.rs"),
        include_str!("routes/keys.rs"),
        include_str!("routes/letters.rs"),
        include_str!("routes/parking.rs"),
        include_str!("routes/people.rs"),
        include_str!("routes/personal.rs"),
        include_str!("routes/rpc.rs"),
        include_str!("routes/second_factor.rs"),
        include_str!("routes/sessions.rs"),
    ];
    let tables = TABLES.into_iter().chain([include_str!("routes/zones.rs")]);
    tables
        .map(|it| it.split_once("pub fn router()").unwrap().1)
        .map(|it| it.split_once("\n}").unwrap().0)
        .flat_map(|it| it.split('"').skip(1).step_by(2))
        .collect()
}

#[test]
fn the_list_of_who_may_ask_what_names_every_route() {
    let listed: BTreeSet<_> = access().iter().map(|it| it.path).collect();
    assert_eq!(listed, routed());
}

#[tokio::test]
async fn what_is_not_for_anybody_is_refused_without_a_token() {
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
    for path in routed() {
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
