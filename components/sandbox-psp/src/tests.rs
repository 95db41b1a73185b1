//! Answers of the router that need no database, and checks of the route tables.

use kit::testing::{get, unknown_outcomes};

use crate::error::Error;
use crate::routes::routes;

#[tokio::test]
async fn an_address_outside_the_prefix_is_not_served() {
    assert_eq!(get(routes(), "/v1/payments/1").await.status, 404);
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "sandbox_psp");
    assert!(unknown.is_empty(), "{unknown:?}");
}
