//! `wasi:keyvalue` and `wasi:config`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn values_are_kept_counted_and_swapped() {
    let host = start("key_value_stores = [\"default\"]");
    let expected =
        r#"42 [("b", Some([50])), ("c", None)] Some([52, 50]) Some([52, 52]) ["a", "b"] false"#;
    assert_answer(&host.get("/key-value?default").await, 200, &[], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_granted_is_denied() {
    let host = start("key_value_stores = [\"default\"]");
    let denied = "Error::AccessDenied";
    assert_answer(&host.get("/key-value?other").await, 502, &[], denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_configuration() {
    let host = start("variables = { name = \"value\" }");
    let expected = r#"Some("value") [("name", "value")]"#;
    assert_answer(&host.get("/config?name").await, 200, &[], expected);
    let missing = r#"None [("name", "value")]"#;
    assert_answer(&host.get("/config?other").await, 200, &[], missing);
}
