//! Answers of the router that need no database, and checks of the route tables.

use axum::body::Body;
use axum::http::Request;
use kit::testing::{ask, get, unknown_outcomes};

use crate::error::Error;
use crate::routes::routes;

#[tokio::test]
async fn a_callers_own_things_need_a_token() {
    for path in [
        "/api/v1/users/me/fines",
        "/api/v1/users/me/cars",
        "/api/v1/zones/me",
        "/api/v1/fines/1",
    ] {
        let answer = get(routes(), path).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.body["error"], "No token provided");
    }
}

#[tokio::test]
async fn a_place_off_the_earth_has_no_zone() {
    let answer = get(routes(), "/api/v1/zones/location?lat=91&lon=0").await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (400, &"invalid-place".into())
    );
    let answer = get(routes(), "/api/v1/zones/location?lat=north&lon=0").await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn an_id_that_is_no_number_names_nothing() {
    let request = Request::get("/api/v1/zones/first")
        .body(Body::empty())
        .unwrap();
    assert_eq!(ask(routes(), request).await.status, 404);
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "fines");
    assert!(unknown.is_empty(), "{unknown:?}");
}
