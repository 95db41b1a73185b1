//! Attacks of every kind at once for a while, then silence: what they held must be free again. More than the host can
//! serve: it refuses what is too much, and nothing fails.
//!
//! `infra/test --soak 10m a_soak` lasts longer than the seconds of the usual run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use stage::{Host, start_with_till, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const MANIFEST: &str = r#"
[application.tool.wharf.connections]
idle_timeout_ms = 2000
stall_timeout_ms = 2000

[[trigger.http]]
route = "/greedy/..."
component = "greedy"
[[trigger.http]]
route = "/acts/..."
component = "acts"
[[trigger.http]]
route = "/whole/..."
component = "whole"

[component.greedy]
source = "{guests}/guest_greedy.wasm"
allowed_outbound_hosts = ["*://127.0.0.1:*"]
[component.greedy.variables]
till_url = "{{ till_url }}"
redis_url = "{{ redis_url }}"
[component.greedy.tool.wharf]
max_instances = 8
idle_timeout_ms = 500
request_timeout_ms = 5000
outbound_connections = 32
postgres.connections = 8

[component.acts]
source = "{guests}/guest_acts.wasm"
[component.acts.tool.wharf]
max_instances = 4
idle_timeout_ms = 500
request_timeout_ms = 2000

[component.whole]
source = "{guests}/guest_whole.wasm"
[component.whole.tool.wharf]
max_instances = 4
idle_timeout_ms = 500
request_timeout_ms = 2000
"#;

/// Passes connections on to a store until they are cut.
struct Cable {
    /// The address of the store, by way of this.
    url: String,
    cut: Arc<Notify>,
}

impl Cable {
    async fn to(url: &str) -> Self {
        let (front, rest) = url.rsplit_once("127.0.0.1:").unwrap();
        let end = rest.find(|digit: char| !digit.is_ascii_digit());
        let (port, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let store: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let cut = Arc::new(Notify::new());
        let notified = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let notified = Arc::clone(&notified);
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(store).await?;
                    tokio::select! {
                        passed = copy_bidirectional(&mut client, &mut server) => passed.map(drop),
                        () = notified.notified() => Ok(()),
                    }
                });
            }
        });
        Self {
            url: format!("{front}{own}{rest}"),
            cut,
        }
    }
}

/// What the host holds for its clients.
#[derive(Debug)]
struct Holdings {
    descriptors: usize,
    resident_kilobytes: u64,
}

impl Holdings {
    fn of(host: &Host) -> Self {
        let process = format!("/proc/{}", host.pid());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
        Self {
            descriptors: fs::read_dir(format!("{process}/fd")).unwrap().count(),
            resident_kilobytes: kilobytes.parse().unwrap(),
        }
    }
}

async fn send(host: SocketAddr, request: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Sends these requests for as long as `lasts`, one after the other, each on a connection that is closed after `patience`
/// without an answer.
async fn reset(host: SocketAddr, requests: Vec<String>, patience: Duration, lasts: Duration) {
    let began = Instant::now();
    for request in requests.iter().cycle() {
        if began.elapsed() > lasts {
            return;
        }
        // A host that refuses connections is attacked again.
        if let Ok(mut stream) = send(host, request).await {
            let _ = timeout(patience, stream.read(&mut [0; 16])).await;
        }
    }
}

/// Reads a large answer a little at a time.
async fn read_slowly(host: SocketAddr, lasts: Duration) {
    let began = Instant::now();
    let request = "GET /whole/large HTTP/1.1\r\nhost: h\r\n\r\n";
    while began.elapsed() < lasts {
        if let Ok(mut stream) = send(host, request).await {
            for _ in 0..10 {
                let _ = timeout(Duration::from_millis(50), stream.read(&mut [0; 512])).await;
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Sends a body a byte at a time.
async fn write_slowly(host: SocketAddr, lasts: Duration) {
    let began = Instant::now();
    let head = "POST /whole/ HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\n";
    while began.elapsed() < lasts {
        if let Ok(mut stream) = send(host, head).await {
            for _ in 0..20 {
                if stream.write_all(b"x").await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// All attacks at once.
async fn attack(host: SocketAddr, postgres: &Cable, redis: &Cable, lasts: Duration) {
    let (database, cache) = (&postgres.url, &redis.url);
    let stores = vec![
        post("/greedy/query", &format!("{database}\nSELECT id FROM sale")),
        post("/greedy/query", &format!("{database}\nSELECT pg_sleep(1)")),
        post(
            "/greedy/query",
            &format!("{database}\nSELECT repeat('x', 100000) FROM generate_series(1, 100)"),
        ),
        post(
            "/greedy/transaction",
            &format!("{database}\nUPDATE sale SET id = 1\n1"),
        ),
        post(
            "/greedy/eval",
            &format!("{cache}\nreturn string.rep('x', 1000000)"),
        ),
        post("/greedy/redises", &format!("{cache}\n4")),
        post("/greedy/databases", &format!("{database}\n4")),
    ];
    let acts = ["sleep?500", "loop", "trap", "drip?100", "stall", "hello"]
        .map(|act| format!("GET /acts/{act} HTTP/1.1\r\nhost: h\r\n\r\n"));
    let mut attacks = JoinSet::new();
    for patience in [20, 70, 300, 900] {
        let patience = Duration::from_millis(patience);
        attacks.spawn(reset(host, stores.clone(), patience, lasts));
        attacks.spawn(reset(host, acts.to_vec(), patience, lasts));
        attacks.spawn(read_slowly(host, lasts));
        attacks.spawn(write_slowly(host, lasts));
    }
    let cuts = async {
        let began = Instant::now();
        while began.elapsed() < lasts {
            sleep(Duration::from_millis(700)).await;
            postgres.cut.notify_waiters();
            redis.cut.notify_waiters();
        }
    };
    tokio::join!(attacks.join_all(), cuts);
}

/// Waits until only the connection that asks is open, and every instance has ended.
async fn settle(host: &Host) {
    until("connections and instances are gone", async || {
        let mut held = host.metric("wharf_connections").await - 1.0;
        for component in ["greedy", "acts", "whole"] {
            let instances = format!("wharf_instances{{component=\"{component}\"}}");
            held += host.metric(&instances).await;
        }
        held == 0.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soak_leaves_connections_permits_instances_descriptors_and_memory_as_they_were() {
    let seconds = std::env::var("WALK_SECONDS").ok();
    let lasts = Duration::from_secs(seconds.map_or(8, |seconds| seconds.parse().unwrap()));
    let host = start_with_till(MANIFEST);
    let variable = async |name| host.post("/greedy/variable", name).await.text();
    let postgres = Cable::to(&variable("till_url").await).await;
    let redis = Cable::to(&variable("redis_url").await).await;

    // The first round opens what stays open: pools keep a connection.
    attack(host.address(), &postgres, &redis, Duration::from_secs(4)).await;
    settle(&host).await;
    let before = Holdings::of(&host);
    attack(host.address(), &postgres, &redis, lasts).await;
    settle(&host).await;

    until("as many files are open as before", async || {
        Holdings::of(&host).descriptors <= before.descriptors + 4
    })
    .await;
    let after = Holdings::of(&host);
    let grown = after
        .resident_kilobytes
        .saturating_sub(before.resident_kilobytes);
    // The allocator keeps what a peak took, and peaks differ; what leaks grows for as long as the soak lasts.
    assert!(grown < 192 << 10, "{before:?}, then {after:?}");

    // Every permit is back: as many requests as there are instances run at the same time.
    // One that had to wait for another would be refused after a second.
    let sleep = |_| host.get("/acts/sleep?1300");
    let answers = join_all((0..4).map(sleep)).await;
    assert!(answers.iter().all(|answer| answer.text() == "slept\n"));
    let query = format!("{}\nSELECT id FROM sale", postgres.url);
    let queries = join_all((0..8).map(|_| host.post("/greedy/query", query.clone()))).await;
    assert!(
        queries.iter().all(|answer| answer.text() == "1 rows"),
        "{queries:?}"
    );
    let eval = format!("{}\nreturn {{1, 2}}", redis.url);
    assert_eq!(host.post("/greedy/eval", eval).await.text(), "2 values");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_of_instances_goes_back_to_the_system_when_they_end() {
    let host = Host::start(
        r#"
        [[trigger.http]]
        route = "/..."
        component = "acts"
        [component.acts]
        source = "{guests}/guest_acts.wasm"
        [component.acts.tool.wharf]
        max_instances = 64
        idle_timeout_ms = 500
        "#,
    );
    let settle = async || {
        until("the instances have ended", async || {
            host.metric("wharf_instances{component=\"acts\"}").await == 0.0
        })
        .await;
    };
    let resident = || Holdings::of(&host).resident_kilobytes;
    // Code that was used once stays.
    host.get("/sleep?1").await;
    settle().await;
    let before = resident();
    join_all((0..64).map(|_| host.get("/sleep?400"))).await;
    let most = resident();
    settle().await;
    until("most of the memory is given back", async || {
        resident().saturating_sub(before) < most.saturating_sub(before) / 3
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twice_the_load_that_can_be_served_is_refused_in_part_and_fails_in_none() {
    let host = start_with_till(MANIFEST);
    assert_eq!(host.get("/acts/hello").await.status(), 200);
    let before = Holdings::of(&host).resident_kilobytes;
    // Four instances serve 40 requests of 100 ms a second; 80 arrive.
    let mut arriving = JoinSet::new();
    let host = Arc::new(host);
    let began = Instant::now();
    for at in (0..5000).step_by(1000 / 80) {
        let due = began + Duration::from_millis(at);
        tokio::time::sleep_until(due.into()).await;
        let host = Arc::clone(&host);
        arriving.spawn(async move { host.get("/acts/sleep?100").await });
    }
    let answers = arriving.join_all().await;
    let of = |status| {
        answers
            .iter()
            .filter(move |answer| answer.status() == status)
    };
    let (served, refused) = (of(200).count(), of(503).count());
    assert_eq!(
        served + refused,
        answers.len(),
        "{:?}",
        answers
            .iter()
            .map(stage::Answer::status)
            .collect::<Vec<_>>()
    );
    // Overload takes nothing from what can be served.
    assert!(
        served > answers.len() / 4,
        "{served} of {} were served",
        answers.len()
    );
    assert!(
        refused > answers.len() / 10,
        "{refused} of {} were refused",
        answers.len()
    );
    for answer in of(503) {
        assert_eq!(
            (answer.refusal().as_str(), answer.header("retry-after")),
            ("busy", "1")
        );
    }
    let grown = Holdings::of(&host)
        .resident_kilobytes
        .saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} kB");
    assert_eq!(host.get("/acts/hello").await.status(), 200);
}
