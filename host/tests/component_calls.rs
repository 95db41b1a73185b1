//! Components that call each other: by name in memory, through their own application, or composed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use stage::Host;

const CHAIN: &str = r#"
[[trigger.http]]
route = "/..."
component = "caller"
[[trigger.http]]
route = "/stranger/..."
component = "stranger"
[[trigger.http]]
route = "/pot"
static_response = { status_code = 418, body = "short" }
[[trigger.http]]
route = { private = true }
component = "hidden"

[component.caller]
source = "{guests}/guest_acts.wasm"
allowed_outbound_hosts = ["http://*.spin.internal", "http://self"]
[component.stranger]
source = "{guests}/guest_acts.wasm"
[component.hidden]
source = "{guests}/guest_acts.wasm"
[component.hidden.tool.wharf]
request_timeout_ms = 800
"#;

/// A path that makes the component call itself this often.
fn chain_of(calls: usize) -> String {
    let call = "/fetch?http://caller.spin.internal".repeat(calls);
    format!("{call}/hello")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_calls_ends_at_a_limit() {
    let host = Host::start(CHAIN);
    let short = host.get(&chain_of(10)).await.text();
    assert!(short.ends_with("hello\n"), "{short}");
    let long = host.get(&chain_of(40)).await.text();
    assert!(long.contains("LoopDetected"), "{long}");
    let started = r#"wharf_instances_started_total{component="caller"}"#;
    assert!(host.metric(started).await <= 18.0, "one instance per call");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_calls_another_by_name_whatever_its_route() {
    let host = Host::start(CHAIN);
    let seen = host
        .get("/fetch?http://hidden.spin.internal/a/headers")
        .await
        .text();
    assert!(seen.starts_with("200 OK\n"), "{seen}");
    for line in [
        "spin-client-addr: 0.0.0.0:0",
        "spin-matched-route: /...",
        "spin-path-info: /a/headers",
    ] {
        assert!(seen.contains(line), "{line}\nnot in\n{seen}");
    }
    assert!(!seen.contains("\nhost:"), "{seen}");
    assert!(seen.contains("\nx-request-id: "), "{seen}");
    assert!(
        host.get("/fetch?http://hidden.spin.internal/loop")
            .await
            .text()
            .starts_with("504 Gateway Timeout")
    );
    assert_eq!(
        host.get("/fetch?http://unknown.spin.internal/")
            .await
            .status(),
        502
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_calls_its_own_application_like_a_client() {
    let host = Host::start(CHAIN);
    assert_eq!(
        host.get("/fetch?http://self/pot").await.text(),
        "418 I'm a teapot\nshort"
    );
    // The component calls itself, twice.
    assert_eq!(
        host.get("/fetch?http://self/fetch?http://self/pot")
            .await
            .text(),
        "200 OK\n418 I'm a teapot\nshort"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_grant_is_denied_and_the_log_names_the_missing_line() {
    let host = Host::start(CHAIN);
    for url in [
        "http://hidden.spin.internal/",
        "http://self/pot",
        "http://192.0.2.1/",
        "https://example.com/",
    ] {
        let answer = host.get(&format!("/stranger/fetch?{url}")).await;
        assert_eq!(
            (answer.status(), answer.text().as_str()),
            (502, "ErrorCode::HttpRequestDenied"),
            "{url}"
        );
    }
    stage::until("the hint is in the log", async || {
        host.log("stranger_stderr.txt")
            .contains(r#"'allowed_outbound_hosts = ["http://192.0.2.1"]'"#)
    })
    .await;
}

/// A shop with a ledger composed into it. The shop has every grant; the ledger has those that `inherits` lists.
fn composed(inherits: &str) -> String {
    format!(
        r#"
[variables]
greeting = {{ default = "good day" }}

[[trigger.http]]
route = "/shop"
component = "shop"
[[trigger.http]]
route = "/ledger"
component = "ledger"

[component.ledger]
source = "{{guests}}/guest_ledger.wasm"
[component.shop]
source = "{{guests}}/guest_shop.wasm"
variables = {{ greeting = "{{{{ greeting }}}}" }}
environment = {{ PLACE = "here" }}
allowed_outbound_hosts = ["http://127.0.0.1:9", "redis://127.0.0.1:9"]
files = [{{ source = "spin.toml", destination = "/seen.toml" }}]
[component.shop.dependencies]
"guests:ledger/entries@1.0.0" = {{ path = "{{guests}}/guest_ledger.wasm", inherit_configuration = {inherits} }}
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_is_called_within_its_consumer() {
    let host = Host::start(&composed("[]"));
    assert_eq!(host.get("/shop?21").await.text(), "42\n");
    assert_eq!(host.get("/ledger").await.text(), "the ledger over HTTP\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_is_named_by_interface_or_package_and_may_be_a_component_of_the_manifest() {
    let by_path = r#""guests:ledger/entries@1.0.0" = { path = "{guests}/guest_ledger.wasm", inherit_configuration = [] }"#;
    for dependency in [
        r#""guests:ledger/entries@1.0.0" = { component = "ledger" }"#,
        r#""guests:ledger/entries" = { component = "ledger", export = "guests:ledger/entries@1.0.0" }"#,
        r#""guests:ledger" = { component = "ledger" }"#,
        r#""guests:ledger@1.0.0" = { path = "{guests}/guest_ledger.wasm" }"#,
    ] {
        let manifest = composed("[]").replace(by_path, dependency);
        assert!(manifest.contains(dependency));
        let host = Host::start(&manifest);
        assert_eq!(host.get("/shop?21").await.text(), "42\n", "{dependency}");
    }
    let manifest = composed("[]").replace(
        by_path,
        r#""guests:ledger/entries" = { component = "ledger", export = "wasi:http/handler@0.3.0" }"#,
    );
    let folder = stage::folder(&manifest);
    let output = stage::wharf(folder.path()).arg("up").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("does not match the import guests:ledger/entries@1.0.0"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_not_inherited_is_denied_to_the_dependency_only() {
    let host = Host::start(&composed("[]"));
    for (question, denial) in [
        (
            "variable+greeting",
            "Error::Undefined(\\\"spin:variables/variables@3.0.0#get is not inherited",
        ),
        ("redis+redis://127.0.0.1:9", "InvalidAddress"),
        ("http+http://127.0.0.1:9/", "HttpRequestDenied"),
        ("environment+PLACE", "environment variable not found"),
        ("file+/seen.toml", "No such file or directory"),
    ] {
        let seen = host.get(&format!("/shop?{question}")).await.text();
        assert!(
            seen.starts_with("Err(") && seen.contains(denial),
            "{question}: {seen}"
        );
        // The shop itself reads its variable through the same interface.
        assert!(seen.contains(r#"Ok("good day")"#), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_reads_its_own_variables_and_its_consumer_the_others() {
    let own = r#"variables = { greeting = "{{ greeting }}""#;
    let manifest = composed(r#"["variables"]"#)
        .replace(own, &format!(r#"{own}, price = "9""#))
        .replace("[component.shop]", &format!("{own} }}\n[component.shop]"))
        .replace(
            "[component.shop.dependencies]",
            r#"tool.wharf = { dependency_variables = ["greeting"] }
[component.shop.dependencies]"#,
        );
    let host = Host::start(&manifest);
    let seen = host.get("/shop?variable+greeting").await.text();
    assert!(
        seen.starts_with(r#"Ok("good day") Err(Error::Undefined("#),
        "{seen}"
    );
    let seen = host.get("/shop?variable+price").await.text();
    assert!(seen.starts_with(r#"Err("Error::Undefined("#), "{seen}");
    let folder = stage::folder(&manifest.replace(r#"["greeting"] }"#, r#"["greetings"] }"#));
    let output = stage::wharf(folder.path()).arg("up").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("the component has no variable `greetings`"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_has_the_grants_that_it_inherits() {
    let host = Host::start(&composed(
        r#"["allowed_outbound_hosts", "environment", "files", "variables"]"#,
    ));
    for (question, seen) in [
        ("variable+greeting", r#"Ok("good day")"#),
        ("environment+PLACE", r#"Ok("here")"#),
        ("file+/seen.toml", "Ok(\"spin_manifest_version = 2"),
        // Allowed, but nothing listens there.
        (
            "http+http://127.0.0.1:9/",
            "Err(\"ErrorCode::ConnectionRefused",
        ),
    ] {
        let answer = host.get(&format!("/shop?{question}")).await.text();
        assert!(answer.starts_with(seen), "{question}: {answer}");
    }
}
