//! What Spin's applications rely on. Each case is a manifest, a component and the exact answer that Spin gives; a host adds
//! nothing to it but what HTTP itself asks for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod answers;
mod core_module;
mod key_value;
mod languages;
mod mqtt;
mod sockets;
mod sqlite;
#[path = "../stage/mod.rs"]
mod stage;

use stage::{Answer, Host};

/// A manifest with the component `grants` on every path.
fn manifest(grants: &str) -> String {
    format!(
        "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"grants\"\n\
         [component.grants]\nsource = \"{{guests}}/guest_grants.wasm\"\n{grants}"
    )
}

fn start(grants: &str) -> Host {
    Host::start(&manifest(grants))
}

/// Asserts the whole answer: status, headers and body.
fn assert_answer(answer: &Answer, status: u16, headers: &[(&str, &str)], body: &str) {
    assert_eq!((answer.status(), answer.text().as_str()), (status, body));
    let mut expected: Vec<(&str, &str)> = headers.to_vec();
    expected.sort_unstable();
    let mut got: Vec<(&str, &str)> = answer
        .head
        .headers
        .iter()
        // Every server with a clock sends the date (RFC 9110, section 6.6.1). Whether the length is known depends on whether
        // the body was complete when the head was sent.
        .filter(|(name, _)| {
            !["date", "content-length", "transfer-encoding"].contains(&name.as_str())
        })
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    got.sort_unstable();
    assert_eq!(got, expected);
}
