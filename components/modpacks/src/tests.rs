//! Answers of the router that need no database, and checks of the route tables.

use axum::body::Body;
use axum::http::Request;
use kit::testing::{ask, get, unknown_outcomes};
use serde_json::json;

use crate::error::Error;
use crate::routes::routes;

#[tokio::test]
async fn a_pack_is_made_by_a_caller() {
    let request = Request::post("/modpacks").body(Body::empty()).unwrap();
    assert_eq!(ask(routes(), request).await.status, 401);
}

#[tokio::test]
async fn launchers_are_refused_by_number() {
    let number = async |path: &str| get(routes(), path).await.body["error"]["code"].clone();
    assert_eq!(number("/api/method/modpacks.get?v=1.0").await, json!(30));
    assert_eq!(number("/api/method/modpacks.get?v=2.0").await, json!(1));
    assert_eq!(
        number("/api/method/modpacks.get?modpack_id=1").await,
        json!(30)
    );
    assert_eq!(
        number("/api/method/modpacks.get?v=1.0&modpack_id=x").await,
        json!(32)
    );
    assert_eq!(
        number("/api/method/modpacks.create?v=1.0&name=a").await,
        json!(10)
    );
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "modpacks");
    assert!(unknown.is_empty(), "{unknown:?}");
}
