//! The command line: output and exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use stage::{Host, folder, wharf};
use tempfile::TempDir;

const MANIFEST: &str = r#"
[[trigger.http]]
route = "/one/..."
component = "acts"
[[trigger.http]]
route = { private = true }
component = "hidden"
[component.acts]
source = "{guests}/guest_acts.wasm"
description = "Does what the path says"
[component.hidden]
source = "{guests}/guest_acts.wasm"
"#;

fn run(folder: &TempDir, args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = wharf(folder.path()).args(args).output().unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

#[test]
fn all_errors_of_a_manifest_are_reported_together() {
    let folder = folder(
        "[[trigger.htpp]]\nroute = \"/\"\ncomponent = \"acts\"\n[component.acts]\nsorce = \"a.wasm\"",
    );
    let (code, _, said) = run(&folder, &["up"]);
    assert_eq!(code, Some(2));
    for fault in [
        "spin.toml:5:",
        "did you mean `http`?",
        "spin.toml:9:",
        "did you mean `source`?",
    ] {
        assert!(said.contains(fault), "{fault}\nnot in\n{said}");
    }
}

#[test]
fn routes_are_listed_without_starting_anything() {
    let folder = folder(MANIFEST);
    let (code, listed, _) = run(&folder, &["routes"]);
    assert_eq!(
        (code, listed.as_str()),
        (Some(0), "/one (wildcard)  acts\n(private)        hidden\n")
    );
    let (_, listed, _) = run(&folder, &["routes", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["routes"][0]["component"], "acts");
}

#[test]
fn a_build_runs_each_command_and_stops_at_the_first_that_fails() {
    let manifest = r#"
[[trigger.http]]
route = "/..."
component = "a"
[component.a]
source = "a.wasm"
build = { command = "echo built > a.txt" }
[component.b]
source = "b.wasm"
build = { command = ["echo first > b.txt", "false", "echo never > c.txt"] }
"#;
    let folder = folder(manifest);
    let (code, _, said) = run(&folder, &["build"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("[1/4] echo built > a.txt (a)") && said.contains("b: `false` failed"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("b.txt")).unwrap(),
        "first\n"
    );
    assert!(!folder.path().join("c.txt").exists());
    let (code, _, said) = run(&folder, &["build", "-c", "a"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("built 1 component in"), "{said}");
    assert_eq!(run(&folder, &["build", "-c", "z"]).0, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_reported() {
    let host = Host::start(MANIFEST);
    let address = host.address().to_string();
    let (code, _, said) = run(&folder(MANIFEST), &["up", "--listen", &address]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("cannot listen on") && said.contains("--listen"),
        "{said}"
    );
}

#[test]
fn a_component_without_the_interface_of_its_trigger_is_refused_at_start() {
    let manifest = r#"
[[trigger.http]]
route = "/..."
component = "listener"
[component.listener]
source = "{guests}/guest_listener.wasm"
"#;
    let (code, _, said) = run(&folder(manifest), &["up", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("component \"listener\": it has an http trigger, but exports neither"),
        "{said}"
    );
}

#[test]
fn a_component_that_is_not_built_is_reported() {
    let manifest = r#"
[[trigger.http]]
route = "/..."
component = "a"
[component.a]
source = "a.wasm"
build = { command = "true" }
"#;
    let folder = folder(manifest);
    let (code, _, said) = run(&folder, &["up", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("a.wasm; has it been built?"), "{said}");
    let (code, found, _) = run(&folder, &["doctor", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(1));
    assert!(
        found.contains("a.wasm is not there: run `wharf build`"),
        "{found}"
    );
}

#[test]
fn doctor_succeeds_where_nothing_is_wrong() {
    let (code, found, said) = run(&folder(MANIFEST), &["doctor", "--listen", "127.0.0.1:0"]);
    for limit in [
        "16384 connections, 1024 per client",
        "64 instances of 128 MB",
        "128 MB of them pending, 64 MB of messages waiting",
        "256 MB of answers",
    ] {
        assert!(found.contains(limit), "{limit}\nnot in\n{found}");
    }
    assert_eq!(code, Some(0), "{found}{said}");
    assert!(found.contains("every component is built"));
}

#[test]
fn doctor_names_a_redis_that_is_too_old_for_its_logins() {
    let folder = folder(&format!(
        "[application.tool.wharf.variables]\ntill_url = \"redis:till\"\n\
         [application.tool.wharf.redis_logins]\ntill = \"%R~till:* +get\"\n\
         [variables]\ntill_url = {{ required = true }}\n{MANIFEST}"
    ));
    let program = folder.path().join("redis-server");
    for (version, is_old) in [("6.2.14", true), ("7.0.0", false)] {
        let says_its_version = format!("#!/bin/sh\necho Redis server v={version} sha=00000000:0\n");
        fs::write(&program, says_its_version).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let output = wharf(folder.path())
            .args(["doctor", "--listen", "127.0.0.1:0"])
            .env("PATH", folder.path())
            .output()
            .unwrap();
        let found = String::from_utf8(output.stdout).unwrap();
        let fault = "has version 6: the logins in `redis_logins` need 7 or newer";
        assert_eq!(found.contains(fault), is_old, "{found}");
        assert_eq!(output.status.success(), !is_old, "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_and_environment_reach_the_component() {
    let manifest = r#"
[variables]
greeting = { default = "good day" }
secret = { required = true, secret = true }
[[trigger.http]]
route = "/..."
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
variables = { both = "{{ greeting }}, {{ secret }}" }
environment = { OWN = "one" }
"#;
    let (code, _, said) = run(&folder(manifest), &["up", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("variable `secret`"), "{said}");
    let folder = folder(manifest);
    fs::write(folder.path().join("secret.txt"), "from a file").unwrap();
    let host = Host::start_in(
        folder,
        &[
            "--variable",
            "secret=@secret.txt",
            "--variable",
            "greeting=hello",
            "--env",
            "MORE=two",
        ],
    );
    assert_eq!(
        host.get("/variable?both").await.text(),
        "hello, from a file"
    );
    let environment = host.get("/environment").await.text();
    assert!(
        environment.contains(r#"("MORE", "two")"#) && environment.contains(r#"("OWN", "one")"#),
        "{environment}"
    );
}

#[test]
fn a_quiet_host_with_json_output_prints_one_line() {
    let folder = folder(MANIFEST);
    let mut child = wharf(folder.path())
        .args(["up", "--listen", "127.0.0.1:0", "--format", "json", "-q"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(child.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    child.kill().unwrap();
    let Output { stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(stderr).unwrap(), "");
    let served: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        served["routes"][0]["description"],
        "Does what the path says"
    );
    assert!(served["stores"].is_null(), "output is kept in logs");
    let file = folder.path().join(served["stores_file"].as_str().unwrap());
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let stores: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(stores["postgres_url"].is_null());
}
