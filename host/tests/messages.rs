//! Redis messages, and the host's clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stage::{Host, free_port, until};

/// A Redis server of one test.
struct Redis {
    port: u16,
    server: Child,
}

impl Redis {
    async fn start(port: u16) -> Self {
        let server = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--bind",
                "127.0.0.1",
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until("Redis answers", async || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
        Self { port, server }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Publishes a message; returns the number of subscribers that received it.
    fn publish(&self, channel: &str, message: &str) -> u32 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "PUBLISH {channel} \"{message}\"\r\n").unwrap();
        let mut answer = [0; 32];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[1..length])
            .trim()
            .parse()
            .unwrap()
    }

    fn kill(mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

const LISTENERS: &str = r#"
[[trigger.http]]
route = "/..."
component = "acts"
[[trigger.redis]]
channel = "news"
component = "one"
[[trigger.redis]]
channel = "news"
component = "two"
[[trigger.redis]]
channel = "sports"
component = "two"

[component.acts]
source = "{guests}/guest_acts.wasm"
[component.one]
source = "{guests}/guest_listener.wasm"
[component.one.tool.wharf]
max_instances = 4
request_timeout_ms = 3000
[component.two]
source = "{guests}/guest_listener.wasm"
[component.two.tool.wharf]
request_timeout_ms = 3000
"#;

async fn host(redis: &Redis) -> Host {
    let host = Host::start_with(LISTENERS, &["--redis-url", &redis.url()]);
    until("it listens", async || {
        host.metric("wharf_redis_subscriptions_connected").await == 1.0
    })
    .await;
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn every_component_of_a_channel_receives_its_messages() {
    let redis = Redis::start(free_port()).await;
    let host = host(&redis).await;
    assert_eq!(redis.publish("news", "hello"), 1);
    assert_eq!(redis.publish("sports", "goal"), 1);
    until("all heard", async || {
        host.log("one_stdout.txt") == "heard hello\n"
            && host.log("two_stdout.txt").lines().count() == 2
    })
    .await;
    let heard = host.log("two_stdout.txt");
    assert!(
        heard.contains("heard hello") && heard.contains("heard goal"),
        "{heard}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_or_traps_does_not_affect_others() {
    let redis = Redis::start(free_port()).await;
    let host = host(&redis).await;
    for message in ["fail", "trap", "after"] {
        redis.publish("news", message);
    }
    until("the last was heard", async || {
        host.log("one_stdout.txt").contains("heard after")
    })
    .await;
    until("the others are counted and told", async || {
        let failed = r#"wharf_messages_failed_total{component="one"}"#;
        host.metric(failed).await == 2.0 && host.said().contains("asked to fail")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_with_the_unversioned_interface_receives_messages() {
    let redis = Redis::start(free_port()).await;
    let manifest = r#"
[[trigger.redis]]
channel = "news"
component = "legacy"
[component.legacy]
source = "{guests}/guest_legacy_listener.wasm"
"#;
    let host = Host::start_with(manifest, &["--redis-url", &redis.url()]);
    until("it listens", async || redis.publish("news", "hello") == 1).await;
    redis.publish("news", "fail");
    redis.publish("news", "bye");
    // Handled concurrently, so in any order.
    until("it heard", async || {
        let heard = host.log("legacy_stdout.txt");
        heard.contains("heard hello\n") && heard.contains("heard bye\n")
    })
    .await;
    until("the failure is counted", async || {
        host.metric(r#"wharf_messages_failed_total{component="legacy"}"#)
            .await
            == 1.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_loops_or_allocates_endlessly_is_ended_and_does_not_affect_others() {
    let redis = Redis::start(free_port()).await;
    let host = host(&redis).await;
    // As many as may be handled concurrently: the next one waits until one of them is ended.
    for message in ["loop", "loop", "hoard", "hoard", "after"] {
        redis.publish("news", message);
    }
    assert_eq!(host.get("/hello").await.text(), "hello\n");
    until("the last was heard", async || {
        host.log("one_stdout.txt").contains("heard after")
    })
    .await;
    until("the loops were ended", async || {
        host.metric(r#"wharf_messages_failed_total{component="one"}"#)
            .await
            == 4.0
    })
    .await;
    assert_eq!(
        host.metric(r#"wharf_instances_failed_total{component="one"}"#)
            .await,
        4.0
    );
    until("it is said", async || {
        host.said().contains("a message was not handled within 3s")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_handled_concurrently_up_to_the_limit() {
    let redis = Redis::start(free_port()).await;
    let host = host(&redis).await;
    let begun = Instant::now();
    for _ in 0..8 {
        redis.publish("news", "slow");
    }
    until("all were heard", async || {
        host.log("one_stdout.txt").lines().count() == 8
    })
    .await;
    // Two rounds of four, half a second each.
    assert!(
        begun.elapsed() > Duration::from_millis(950) && begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    // Messages that arrive one after the other reuse instances.
    let started = host
        .metric(r#"wharf_instances_started_total{component="one"}"#)
        .await;
    for n in 0..20 {
        redis.publish("sports", &format!("goal{n}"));
        until("it was heard", async || {
            host.log("two_stdout.txt")
                .contains(&format!("heard goal{n}\n"))
        })
        .await;
    }
    assert!(started <= 4.0, "{started}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_redis_is_reconnected_and_http_continues_meanwhile() {
    let redis = Redis::start(free_port()).await;
    let port = redis.port;
    let host = host(&redis).await;
    redis.kill();
    until("the loss is seen", async || {
        host.metric("wharf_redis_subscriptions_connected").await == 0.0
    })
    .await;
    assert_eq!(host.get("/hello").await.text(), "hello\n");
    let redis = Redis::start(port).await;
    until("it listens again", async || {
        redis.publish("news", "back") == 1
    })
    .await;
    until("it hears again", async || {
        host.log("one_stdout.txt").contains("heard back")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_starts_while_its_redis_is_down() {
    let url = format!("redis://127.0.0.1:{}", free_port());
    let host = Host::start_with(LISTENERS, &["--redis-url", &url]);
    assert_eq!(host.get("/hello").await.text(), "hello\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_progress_is_finished_before_the_host_ends() {
    let redis = Redis::start(free_port()).await;
    let mut host = host(&redis).await;
    redis.publish("news", "slow");
    until("it is being handled", async || {
        host.metric(r#"wharf_messages_total{component="one"}"#)
            .await
            == 1.0
    })
    .await;
    host.signal(libc::SIGTERM);
    assert!(host.ended().await.success());
    assert_eq!(host.log("one_stdout.txt"), "heard slow\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_works_without_redis_and_never_overlaps_its_own_firings() {
    let manifest = r#"
[application.tool.wharf]
cron = [
  { every = "100ms", channel = "tick", payload = "tock" },
  { every = "100ms", channel = "long", payload = "slow" },
  { schedule = "* * * * * *", channel = "second", payload = "second" },
]
[[trigger.redis]]
channel = "tick"
component = "ticked"
[[trigger.redis]]
channel = "long"
component = "slow"
[[trigger.redis]]
channel = "second"
component = "second"
[component.ticked]
source = "{guests}/guest_listener.wasm"
[component.slow]
source = "{guests}/guest_listener.wasm"
[component.second]
source = "{guests}/guest_listener.wasm"
"#;
    let url = format!("redis://127.0.0.1:{}", free_port());
    let host = Host::start_with(manifest, &["--redis-url", &url]);
    until("twenty ticks", async || {
        host.log("ticked_stdout.txt").lines().count() >= 20
    })
    .await;
    assert!(
        host.log("ticked_stdout.txt")
            .lines()
            .all(|line| line == "heard tock")
    );
    let slow = host.log("slow_stdout.txt").lines().count();
    assert!(
        (2..=5).contains(&slow),
        "{slow} firings of half a second in two seconds"
    );
    assert_eq!(
        host.metric(r#"wharf_instances_started_total{component="slow"}"#)
            .await,
        1.0
    );
    let seconds = host.log("second_stdout.txt").lines().count();
    assert!(
        (1..=3).contains(&seconds),
        "{seconds} seconds in two seconds"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_component_does_not_delay_firings_for_others() {
    let manifest = r#"
[[application.tool.wharf.cron]]
every = "100ms"
channel = "tick"
payload = "tick"
[[trigger.redis]]
channel = "tick"
component = "slow"
[[trigger.redis]]
channel = "tick"
component = "quick"
[component.slow]
source = "{guests}/guest_listener.wasm"
environment = { IS_SLOW = "yes" }
[component.quick]
source = "{guests}/guest_listener.wasm"
"#;
    let url = format!("redis://127.0.0.1:{}", free_port());
    let host = Host::start_with(manifest, &["--redis-url", &url]);
    until("ten ticks", async || {
        host.log("quick_stdout.txt").lines().count() >= 10
    })
    .await;
    assert_eq!(
        host.metric(r#"wharf_messages_total{component="slow"}"#)
            .await,
        1.0
    );
}
