//! A component that takes all it can get of what the host shares among components: outgoing connections, memory for
//! results, locks, processors. Each test has the requests of another client beside it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use http_body_util::Full;
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use stage::{Host, p99, start_with_till, until};
use tokio_postgres::NoTls;

const MANIFEST: &str = r#"
[[trigger.http]]
route = "/bad/..."
component = "bad"
[[trigger.http]]
route = "/good/..."
component = "good"

[component.bad]
source = "{guests}/guest_greedy.wasm"
allowed_outbound_hosts = ["*://127.0.0.1:*"]
[component.bad.variables]
till_url = "{{ till_url }}"
redis_url = "{{ redis_url }}"
[component.bad.tool.wharf]
outbound_connections = 8
postgres.connections = 4
memory_mb = 64

[component.good]
source = "{guests}/guest_greedy.wasm"
allowed_outbound_hosts = ["*://127.0.0.1:*"]
"#;

struct Stage {
    host: Host,
    postgres: String,
    redis: String,
}

impl Stage {
    async fn start() -> Self {
        let host = start_with_till(MANIFEST);
        Self {
            postgres: act(&host, "/bad/variable", ["till_url"]).await,
            redis: act(&host, "/bad/variable", ["redis_url"]).await,
            host,
        }
    }

    /// The p99 of a request of another component, whose client asks the database.
    async fn p99_of_others(&self) -> Duration {
        p99(async || {
            let rows = self.query("/good/query", "SELECT id FROM sale").await;
            assert_eq!(rows, "1 rows");
        })
        .await
    }

    async fn query(&self, path: &str, statement: &str) -> String {
        act(&self.host, path, [&self.postgres, statement]).await
    }
}

async fn act<const N: usize>(host: &Host, path: &str, arguments: [&str; N]) -> String {
    host.post(path, arguments.join("\n")).await.text()
}

/// The machine may be busy with other work meanwhile.
fn assert_is_close(alone: Duration, beside: Duration) {
    assert!(
        beside < alone * 4 + Duration::from_millis(100),
        "p99 alone {alone:?}, beside it {beside:?}"
    );
}

/// A server that accepts connections and never answers, and how many are open.
fn start_silent_server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let open = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&open);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            count.fetch_add(1, Relaxed);
            std::thread::spawn(move || {
                while matches!(stream.read(&mut [0; 1024]), Ok(1..)) {}
                count.fetch_sub(1, Relaxed);
            });
        }
    });
    (address, open)
}

/// Counts the connections of the component `bad` at their other ends.
struct Counter {
    postgres: tokio_postgres::Client,
    redis: redis::aio::MultiplexedConnection,
    of_server: Arc<AtomicUsize>,
}

/// So many of the eight are seen at once: others are idle, or not open yet.
const ATTACKED: usize = 4;

impl Counter {
    async fn connect(stage: &Stage, of_server: Arc<AtomicUsize>) -> Self {
        let (postgres, connection) = tokio_postgres::connect(&stage.postgres, NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let redis = redis::Client::open(stage.redis.as_str()).unwrap();
        let redis = redis.get_multiplexed_async_connection().await.unwrap();
        Self {
            postgres,
            redis,
            of_server,
        }
    }

    async fn count(&mut self) -> usize {
        // Connections of the other component carry its name. A probe needs no permit, and is idle.
        let of_postgres = "SELECT count(*) FROM pg_stat_activity
            WHERE usename = current_user AND pid <> pg_backend_pid()
                AND application_name <> 'good' AND state IN ('active', 'idle in transaction')";
        let of_postgres: i64 = self
            .postgres
            .query_one(of_postgres, &[])
            .await
            .unwrap()
            .get(0);
        let mut list = redis::cmd("CLIENT");
        let list: String = list.arg("LIST").query_async(&mut self.redis).await.unwrap();
        // Without the one that asks.
        let of_redis = list.lines().count() - 1;
        usize::try_from(of_postgres).unwrap() + of_redis + self.of_server.load(Relaxed)
    }

    /// The most connections that were open in two rounds one after the other. A connection that the host closed stands in
    /// the lists of its server for a moment, and the three are not read at the same time.
    async fn most(&mut self) -> usize {
        let (mut most, mut before) = (0, 0);
        let began = Instant::now();
        // On a busy machine the attack begins late.
        while began.elapsed() < Duration::from_millis(1500)
            || most < ATTACKED && began.elapsed() < Duration::from_secs(20)
        {
            let open = self.count().await;
            most = most.max(open.min(before));
            before = open;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        most
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_has_as_many_connections_as_its_budget_however_it_asks_for_them() {
    let stage = Stage::start().await;
    let alone = stage.p99_of_others().await;
    let (address, of_server) = start_silent_server();
    let url = format!("http://{address}/");
    let mut counter = Counter::connect(&stage, of_server).await;
    let attack = async {
        let host = &stage.host;
        tokio::join!(
            act(host, "/bad/databases", [&stage.postgres, "40"]),
            act(host, "/bad/redises", [&stage.redis, "40"]),
            act(host, "/bad/servers", [&url, "40"]),
        )
    };
    let ((databases, redises, _), most, beside) =
        tokio::join!(attack, counter.most(), stage.p99_of_others());
    assert!(most <= 8, "{most} connections");
    assert!(most >= ATTACKED, "{most} connections: nothing was attacked");
    for refused in [databases, redises] {
        assert!(refused.contains("connections"), "{refused}");
    }
    assert_is_close(alone, beside);
    until("a connection is free again", async || {
        stage.query("/bad/query", "SELECT id FROM sale").await == "1 rows"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_draw_from_the_connections_of_their_component() {
    let stage = Stage::start().await;
    let host = &stage.host;
    let (address, of_server) = start_silent_server();
    // Through both interfaces. The second time needs what the first one gave back.
    for path in ["/bad/sockets", "/bad/streams"].repeat(2) {
        let attack = act(host, path, [&address, "40"]);
        let refused_meanwhile = async {
            until("all connections are open", async || {
                of_server.load(Relaxed) >= 8
            })
            .await;
            act(host, "/bad/redises", [&stage.redis, "1"]).await
        };
        let (taken, refused) = tokio::join!(attack, refused_meanwhile);
        assert!(taken.starts_with("8 "), "{path}: {taken}");
        assert!(refused.contains("8 outgoing connections"), "{refused}");
        until("the connections are closed", async || {
            of_server.load(Relaxed) == 0
        })
        .await;
    }
    let said = host.log("bad_stderr.txt");
    assert!(said.contains("`outbound_connections`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn results_and_replies_that_wait_for_a_component_are_bounded_together() {
    let stage = Stage::start().await;
    let alone = stage.p99_of_others().await;
    let before = stage.host.peak_kilobytes();
    // Rows are streamed.
    let rows = "SELECT repeat('x', 100000) FROM generate_series(1, 100)";
    // Small on the wire, large in memory.
    let values = "local a = {} for i = 1, 3000000 do a[i] = 1 end return a";
    let attack = async {
        let results = join_all((0..8).map(|_| stage.query("/bad/query", rows)));
        let eval = || act(&stage.host, "/bad/eval", [&stage.redis, values]);
        let replies = join_all((0..4).map(|_| eval()));
        tokio::join!(results, replies)
    };
    let ((results, replies), beside) = tokio::join!(attack, stage.p99_of_others());
    let grown = stage.host.peak_kilobytes() - before;
    assert!(results.iter().all(|rows| rows == "100 rows"), "{results:?}");
    assert!(
        replies.iter().all(|reply| reply.starts_with("Error")),
        "{replies:?}"
    );
    assert!(grown < 256 << 10, "{grown} kB");
    assert_is_close(alone, beside);
    until("a small result is read again", async || {
        stage.query("/bad/query", "SELECT id FROM sale").await == "1 rows"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_of_a_component_do_not_wait_behind_its_writes_that_wait_for_a_lock() {
    let stage = Stage::start().await;
    let read = async || {
        p99(async || {
            let rows = stage.query("/bad/query", "SELECT id FROM sale").await;
            assert_eq!(rows, "1 rows");
        })
        .await
    };
    let alone = read().await;
    let update = "UPDATE sale SET id = 1";
    let holder = act(
        &stage.host,
        "/bad/transaction",
        [&stage.postgres, update, "3"],
    );
    let others = async {
        until("the transaction holds the row", async || {
            let locked = "SELECT FROM sale FOR UPDATE SKIP LOCKED";
            stage.query("/bad/query", locked).await == "0 rows"
        })
        .await;
        let began = Instant::now();
        let waiting = async {
            stage
                .query("/bad/query", "UPDATE sale SET id = 1 RETURNING id")
                .await;
            began.elapsed()
        };
        tokio::join!(waiting, read())
    };
    let (held, (waited, beside)) = tokio::join!(holder, others);
    assert_eq!(held, "committed");
    assert!(
        waited > Duration::from_secs(1),
        "the update waited {waited:?}"
    );
    assert_is_close(alone, beside);
}

const INSTANCES: &str = r#"wharf_instances{component="bad"}"#;

/// Requests that compute without end, until this is dropped.
struct Spinning(Vec<tokio::task::JoinHandle<()>>);

impl Spinning {
    async fn start(host: &Host, count: usize, make: impl Fn() -> Request<Full<Bytes>>) -> Self {
        let tasks = (0..count).map(|_| {
            // Each with a connection of its own, which is reset with it.
            let client = Client::builder(TokioExecutor::new()).build_http();
            let request = make();
            tokio::spawn(async move { drop(client.request(request).await) })
        });
        let spinning = Self(tasks.collect());
        until("all of them compute", async || {
            host.metric(INSTANCES).await >= count as f64
        })
        .await;
        spinning
    }
}

impl Drop for Spinning {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_instances_that_compute_leave_another_component_its_share() {
    let stage = Stage::start().await;
    let host = &stage.host;
    // About a third of a second of computing, or so many slices.
    let compute = async || {
        let asked = Instant::now();
        assert_eq!(host.post("/good/compute", "200000000").await.status(), 200);
        asked.elapsed()
    };
    let hello = || async { assert_eq!(host.get("/good/hello").await.status(), 200) };
    let alone = (compute().await, p99(hello).await);
    let spin = || {
        Request::get(host.url("/bad/spin"))
            .body(Full::default())
            .unwrap()
    };
    let spinning = Spinning::start(host, 64, spin).await;
    let beside = (compute().await, p99(hello).await);
    // In turns of instances it would have one of 65.
    assert!(
        beside.0 < alone.0 * 8,
        "alone {:?}, beside 64 others {:?}",
        alone.0,
        beside.0
    );
    assert_is_close(alone.1, beside.1);

    drop(spinning);
    let reset = Instant::now();
    until("what they computed for resets is over", async || {
        host.metric(INSTANCES).await == 0.0
    })
    .await;
    let lasted = reset.elapsed();
    assert!(lasted < Duration::from_secs(4), "{lasted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_goes_on_for_a_moment_after_its_client_reset_and_no_longer() {
    let stage = Stage::start().await;
    let host = &stage.host;
    let post = |path: &str, body: String| Request::post(host.url(path)).body(body.into()).unwrap();

    // A change that ends soon is done.
    let update = format!("{}\nUPDATE sale SET id = 2\n1", stage.postgres);
    let spinning = Spinning::start(host, 1, || post("/bad/transaction", update.clone())).await;
    until("the transaction holds the row", async || {
        let locked = "SELECT FROM sale FOR UPDATE SKIP LOCKED";
        stage.query("/bad/query", locked).await == "0 rows"
    })
    .await;
    drop(spinning);
    until("the change is there", async || {
        let changed = "SELECT FROM sale WHERE id = 2";
        stage.query("/good/query", changed).await == "1 rows"
    })
    .await;

    // Work that does not end is cut off, though the request had thirty seconds.
    drop(Spinning::start(host, 8, || post("/bad/spin", String::new())).await);
    let reset = Instant::now();
    until("they are cut off", async || {
        host.metric(INSTANCES).await <= 2.0
    })
    .await;
    let lasted = reset.elapsed();
    assert!(lasted > Duration::from_secs(3), "{lasted:?}");
    assert!(lasted < Duration::from_secs(12), "{lasted:?}");
}
