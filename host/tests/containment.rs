//! A component that misbehaves does not affect others.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use stage::{Host, until};

/// Two components with the same code: one misbehaves, the other must not be affected.
const TWO: &str = r#"
[[trigger.http]]
route = "/bad/..."
component = "bad"
[[trigger.http]]
route = "/good/..."
component = "good"

[component.bad]
source = "{guests}/guest_acts.wasm"
[component.bad.tool.wharf]
request_timeout_ms = 1500
max_instances = 8
memory_mb = 64
[component.good]
source = "{guests}/guest_acts.wasm"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_ends_in_504_and_does_not_delay_others() {
    let host = Host::start(TWO);
    assert_eq!(host.get("/good/hello").await.status(), 200);
    let begun = Instant::now();
    // More loops than the runtime has threads.
    let loops = futures::future::join_all((0..8).map(|_| host.get("/bad/loop")));
    let others = async {
        let mut times = Vec::new();
        while begun.elapsed() < Duration::from_millis(1200) {
            for path in ["/good/hello", "/.well-known/spin/health"] {
                let asked = Instant::now();
                assert_eq!(host.get(path).await.status(), 200);
                times.push(asked.elapsed());
            }
        }
        times.sort();
        times
    };
    let (loops, times) = tokio::join!(loops, others);
    // The median, since the machine may be busy with other work; behind a loop it would take as long as the loop.
    let median = times[times.len() / 2];
    assert!(
        median < Duration::from_millis(400),
        "other requests took {median:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "the loops took {:?}",
        begun.elapsed()
    );
    for answer in loops {
        assert_eq!(answer.status(), 504);
        assert_eq!(answer.refusal(), "request_timeout");
    }
    until("the instances that looped are gone", async || {
        host.metric(r#"wharf_instances{component="bad"}"#).await == 0.0
    })
    .await;
    let failed = host
        .metric(r#"wharf_instances_failed_total{component="bad"}"#)
        .await;
    assert_eq!(failed, 8.0);
    assert_eq!(host.get("/bad/hello").await.text(), "hello\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_response_does_not_look_complete() {
    for manifest in [TWO.to_owned(), shared()] {
        let host = Host::start(&manifest);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::get(host.url("/bad/stall"))
            .body(Full::<Bytes>::default())
            .unwrap();
        let answer = client.request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.into_body().collect().await.is_err());
        assert_eq!(host.get("/bad/hello").await.status(), 200);
    }
}

/// The same with instances that serve several requests at the same time.
fn shared() -> String {
    TWO.replace(
        "max_instances = 8",
        "max_instances = 8\nconcurrent_requests = 16",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_instances_are_contained() {
    let host = Host::start(&shared());
    let looping = futures::future::join_all((0..4).map(|_| host.get("/bad/loop")));
    let (looping, good) = tokio::join!(looping, host.get("/good/hello"));
    assert_eq!(good.status(), 200);
    for answer in looping {
        assert_eq!(
            (answer.status(), answer.refusal().as_str()),
            (504, "request_timeout")
        );
    }
    assert_eq!(host.get("/bad/trap").await.refusal(), "function_failed");
    assert_eq!(host.get("/bad/hoard").await.refusal(), "function_failed");
    let waiting = futures::future::join_all((0..40).map(|_| host.get("/bad/sleep?200"))).await;
    assert!(waiting.iter().all(|answer| answer.text() == "slept\n"));
    assert!(host.metric(r#"wharf_instances{component="bad"}"#).await <= 8.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_share_the_allowed_number_of_instances() {
    let host = Host::start(&shared().replace("max_instances = 8", "max_instances = 2"));
    for _ in 0..3 {
        let crowd = futures::future::join_all((0..32).map(|_| host.get("/bad/sleep?200"))).await;
        for answer in crowd {
            assert_eq!(answer.text(), "slept\n");
        }
    }
    assert!(host.metric(r#"wharf_instances{component="bad"}"#).await <= 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_allocation_is_refused_and_fails_only_its_request() {
    let host = Host::start(TWO);
    let (hoard, hello) = tokio::join!(host.get("/bad/hoard"), host.get("/good/hello"));
    assert_eq!(hoard.status(), 500);
    assert_eq!(hoard.refusal(), "function_failed");
    assert_eq!(hello.status(), 200);
    assert_eq!(host.get("/bad/hello").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_memory_that_a_component_holds_is_bounded() {
    let host = Host::start(TWO);
    let before = host.peak_kilobytes();
    assert_eq!(host.get("/bad/park").await.refusal(), "function_failed");
    let grown = host.peak_kilobytes() - before;
    assert!(grown < 400 << 10, "{grown} kB");
    assert_eq!(host.get("/bad/hello").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_output_fills_neither_the_disk_nor_the_terminal() {
    let host = Host::start(TWO);
    let floods = futures::future::join_all((0..4).map(|_| host.get("/bad/flood")));
    let others = async {
        for _ in 0..20 {
            assert_eq!(host.get("/good/print?still").await.status(), 200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (floods, ()) = tokio::join!(floods, others);
    for flood in floods {
        assert_eq!(flood.refusal(), "request_timeout");
    }
    let count = |of: &str| host.said().matches(of).count();
    until(
        "every request and every line of the other component is logged",
        async || count(" GET /good/print good ") == 20 && count(" | still on stdout") == 20,
    )
    .await;
    assert!(count("bad | (") > 0, "dropped lines are reported");
    assert!(host.said().len() < 2 << 20, "{}", host.said().len());
    let logged = host.log("bad_stdout.txt").len();
    assert!(logged < 64 << 20, "{logged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_fails_only_its_own_request() {
    let host = Host::start(TWO);
    let others = futures::future::join_all((0..6).map(|_| host.get("/bad/sleep?300")));
    let (trap, others) = tokio::join!(host.get("/bad/trap"), others);
    assert_eq!(trap.status(), 500);
    assert_eq!(trap.refusal(), "function_failed");
    for other in others {
        assert_eq!(other.text(), "slept\n");
    }
    until("the trap is in the log", async || {
        host.said().contains("wasm `unreachable`")
    })
    .await;
    assert_eq!(
        host.metric(r#"wharf_instances_failed_total{component="bad"}"#)
            .await,
        1.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limit_wait_briefly_and_are_then_refused() {
    let host = Host::start(TWO);
    let asked = Instant::now();
    let answers = futures::future::join_all((0..12).map(|_| host.get("/bad/sleep?1300"))).await;
    let served = answers
        .iter()
        .filter(|answer| answer.status() == 200)
        .count();
    assert_eq!(served, 8);
    for refused in answers.iter().filter(|answer| answer.status() != 200) {
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.refusal(), "busy");
        assert_eq!(refused.header("retry-after"), "1");
    }
    assert!(asked.elapsed() < Duration::from_secs(3));
    // A burst that is shorter than the maximum wait is served in full.
    let answers = futures::future::join_all((0..24).map(|_| host.get("/bad/sleep?100"))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
}
