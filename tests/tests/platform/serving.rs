//! What holds for every path of the platform.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::json;
use wharf_tests::described::OPERATIONS;
use wharf_tests::{Options, Stack, User, eventually, unique};

use crate::payments::account;

const SOON: Duration = Duration::from_secs(60);

/// Segments of paths that open something to everybody who knows them.
#[test]
fn secrets_in_paths_are_not_logged() {
    let stack = Options::default().start();
    let names = ["code", "link", "otp", "reference", "secret"];
    // The code of a coupon is for everybody, that of a violation for everybody, too.
    let public = [
        "/shops/{shop_id}/coupons/{code}",
        "/api/v1/violations/{code}",
    ];
    let secret = unique("hush");
    let mut paths = BTreeSet::new();
    let secret_ones = |path: &&str| !public.contains(path);
    for path in OPERATIONS.iter().map(|it| it.path).filter(secret_ones) {
        for name in names {
            let parameter = format!("{{{name}}}");
            if let Some((before, _)) = path.split_once(&parameter) {
                paths.insert(before.to_owned());
            }
        }
    }
    assert!(
        paths.contains("/payment/promocode/") && paths.len() >= 6,
        "{paths:?}"
    );
    for path in &paths {
        stack.get(&format!("{path}{secret}")).send();
        eventually("the request is logged", SOON, || {
            stack.log().contains(&format!("{path}***"))
        });
    }
    assert!(!stack.log().contains(&secret));
}

#[test]
fn health_is_answered_by_the_host_itself() {
    let stack = Stack::shared();
    let answer = stack.get("/.well-known/spin/health").send().expect(200);
    assert_eq!(answer.text(), "OK");
}

#[test]
fn an_unknown_path_is_answered_with_a_problem() {
    let stack = Stack::shared();
    for path in [
        "/nothing-here",
        "/%2e%2e/etc/passwd",
        "/.well-known/spin/other",
    ] {
        stack.get(path).send().problem(404);
    }
}

#[test]
fn a_clients_request_id_is_kept_when_it_is_harmless() {
    let stack = Stack::shared();
    let ask = |id: &str| stack.get("/auth/me").header("x-request-id", id).send();
    assert_eq!(
        ask("order-17.try_2").header("x-request-id"),
        Some("order-17.try_2")
    );
    for hostile in ["", " ", "a b", "<script>", &"x".repeat(65), "ü"] {
        let answer = ask(hostile);
        let own = answer.header("x-request-id").expect("an id");
        assert!(
            own != hostile && !own.is_empty(),
            "{hostile:?} became {own:?}"
        );
        assert_eq!(answer.problem(401)["request_id"], own);
    }
    let first = stack.get("/auth/me").without_header("x-request-id").send();
    let second = stack.get("/auth/me").without_header("x-request-id").send();
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[test]
fn a_client_cannot_speak_for_the_host() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    user.post("/auth/signout")
        .header("spin-client-addr", "203.0.113.7:1")
        .header("x-forwarded-for", "203.0.113.7")
        .send()
        .expect(200);
    let id = user.get("/auth/me").send().problem(401);
    assert!(id["request_id"].is_string());
    let audit = "SELECT address FROM signin.audit ORDER BY id DESC LIMIT 50";
    let addresses: Vec<String> = stack
        .sql()
        .query(audit, &[])
        .unwrap()
        .iter()
        .map(|it| it.get(0))
        .collect();
    assert!(
        addresses
            .iter()
            .all(|it| ["127.0.0.1", "erased"].contains(&it.as_str())),
        "{addresses:?}"
    );
}

#[test]
fn every_request_is_counted() {
    let stack = Stack::shared();
    stack.get("/auth/me").send().problem(401);
    for path in ["/metrics", "/auth/metrics"] {
        let text = stack.get(path).send().expect(200).text();
        for name in [
            "http_requests_total",
            "http_request_duration_seconds_bucket",
            "http_error_responses_total",
            "http_requests_errors_total",
        ] {
            let counted = text.lines().any(|it| {
                it.starts_with(name) && it.contains(r#"component="signin""#) && !it.ends_with(" 0")
            });
            assert!(counted, "no {name} of signin at {path}:\n{text}");
        }
    }
}

fn count_of_waits(stack: &Stack, component: &str) -> f64 {
    let text = stack.get("/metrics").send().expect(200).text();
    let name = format!("wharf_pool_waits_total{{component=\"{component}\"}} ");
    let waits = text.lines().find_map(|it| it.strip_prefix(name.as_str()));
    waits.expect("the metric").parse().unwrap()
}

/// Inside, each of them would hold an instance and wait as long.
#[test]
fn a_request_waits_outside_while_statements_wait_for_a_connection() {
    let stack = Stack::start();
    let user = User::driver(&stack);
    let gate = stack.lock_table("payments.account");
    thread::scope(|scope| {
        let open = || scope.spawn(|| account(&user, 0.0));
        let first: Vec<_> = (0..32).map(|_| open()).collect();
        stack.wait_for_lock("open_account(");
        let before = count_of_waits(&stack, "payments");
        // A request that came before the connections were taken may be inside already.
        let more: Vec<_> = (0..8).map(|_| open()).collect();
        eventually("a request has waited outside", SOON, || {
            count_of_waits(&stack, "payments") > before
        });
        drop(gate);
        for request in first.into_iter().chain(more) {
            request.join().unwrap();
        }
    });
}

#[test]
fn a_malformed_request_does_not_disturb_others() {
    let stack = Stack::shared();
    for bytes in [
        &b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /auth/me HTTP/1.1\r\n\r\n",
    ] {
        let mut line = TcpStream::connect(stack.address()).unwrap();
        line.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        line.write_all(bytes).unwrap();
        line.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = line.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let refused = answer.is_empty()
            || answer.starts_with("HTTP/1.1 4")
            || answer.starts_with("HTTP/1.0 4");
        assert!(
            refused,
            "{:?} was answered {answer}",
            String::from_utf8_lossy(bytes)
        );
    }
    stack.get("/.well-known/spin/health").send().expect(200);
}

/// Half a request must not delay other clients.
#[test]
fn a_client_that_hangs_up_halfway_does_not_disturb_others() {
    let stack = Stack::shared();
    for _ in 0..20 {
        let mut line = TcpStream::connect(stack.address()).unwrap();
        line.write_all(b"POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"login\":").unwrap();
        drop(line);
    }
    User::driver(&stack);
}

/// The answers of a stack to valid and invalid requests to payments.
fn answers(stack: &Stack) -> Vec<(u16, String)> {
    let user = User::driver(stack);
    let me = user.get("/auth/me").send().expect(200).json();
    let id = me["user_id"].as_str().unwrap();
    let long = "x".repeat(2 << 20);
    [
        user.get("/payment/balance"),
        user.get("/payment/balance/"),
        user.request("HEAD", "/payment/balance"),
        user.get("/payment/transactions?limit=nonsense"),
        user.get("/payment/nothing-here"),
        user.request("DELETE", "/payment/balance"),
        stack.get("/payment/balance"),
        user.post("/payments/accounts")
            .body("application/json", "{"),
        user.post("/payments/accounts")
            .json(&json!({ "paymentAccountType": "DEBIT" })),
        user.post("/payments/accounts").body("text/plain", "hello"),
        user.post("/payments/accounts")
            .json(&json!({ "paymentAccountId": long })),
        user.get("/payments/histories"),
    ]
    .map(|request| {
        let answer = request.header("x-request-id", "the-same").send();
        let mut told = answer.text().replace(id, "the user");
        for name in ["content-type", "www-authenticate", "allow"] {
            told.push_str(&format!("\n{name}: {}", answer.header(name).unwrap_or("-")));
        }
        (answer.status(), told)
    })
    .into()
}

/// Where an instance serves several at once the host asks it over `wasi:http`, as every other host does.
#[test]
fn a_function_answers_the_same_over_wasi_http() {
    let several = "[component.payments.tool.wharf]\nconcurrent_requests = 16\n";
    let over_wasi = Options::default().manifest(several).start();
    assert_eq!(answers(&over_wasi), answers(&Stack::shared()));
}
