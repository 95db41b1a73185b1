//! Tests of Redis commands below the WIT traits, against a real server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

use super::*;
use crate::testing::{self, Proxy, free_port, wait_until};

fn servers() -> Servers {
    Servers::new(testing::allow_all(), Arc::new(RootCertStore::empty()))
}

async fn open(servers: &Servers, port: u16) -> Connection {
    let address = format!("redis://127.0.0.1:{port}");
    testing::retry(async || servers.open(&address).await).await
}

fn bytes(text: &str) -> RedisParameter {
    RedisParameter::Binary(text.into())
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn the_commands_of_the_interface_work() {
    let redis = open(&servers(), testing::shared_redis()).await;
    assert_eq!(redis.get("named:none").await.unwrap(), None);
    redis.set("named:a", &[0, 255]).await.unwrap();
    assert_eq!(redis.get("named:a").await.unwrap(), Some(vec![0, 255]));
    assert_eq!(redis.incr("named:n").await.unwrap(), 1);
    assert_eq!(redis.incr("named:n").await.unwrap(), 2);
    assert_eq!(
        redis
            .del(&strings(&["named:a", "named:n", "named:x"]))
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        redis
            .sadd("named:s", &strings(&["a", "b", "a"]))
            .await
            .unwrap(),
        2
    );
    assert_eq!(redis.srem("named:s", &strings(&["b"])).await.unwrap(), 1);
    assert_eq!(redis.smembers("named:s").await.unwrap(), strings(&["a"]));
    assert_eq!(redis.del(&[]).await.unwrap(), 0);
    redis.publish("named:channel", b"hello").await.unwrap();
}

#[tokio::test]
async fn a_reply_beyond_the_limit_fails_and_the_next_command_works() {
    let redis = open(&servers(), testing::shared_redis()).await;
    // Small on the wire, large in memory.
    let script = "local a = {} for i = 1, 3000000 do a[i] = 1 end return a";
    let refused = redis
        .execute("EVAL", vec![bytes(script), RedisParameter::Int64(0)])
        .await;
    assert!(
        matches!(refused, Err(Error::Other(_))),
        "{:?}",
        refused.err()
    );
    wait_until("the server is used again", async || {
        redis.set("bounded:a", b"1").await.is_ok()
    })
    .await;
    assert_eq!(redis.get("bounded:a").await.unwrap(), Some(b"1".to_vec()));
}

#[tokio::test]
async fn connections_of_single_guests_draw_from_the_budget() {
    let allowed = AllowedHosts::parse(&["*://*:*".to_owned()]).unwrap();
    let egress = Egress::new(allowed, BlockedNetworks::default(), Arc::new(|_| ()));
    let egress = Arc::new(egress.with_budget(crate::budget::Budget::new(3, 256 << 20, None)));
    let servers = Servers::new(Arc::clone(&egress), Arc::new(RootCertStore::empty()));
    let mut guests = Vec::new();
    for _ in 0..3 {
        guests.push(open(&servers, testing::shared_redis()).await);
    }
    let multi = |guest: Connection| async move { guest.execute("MULTI", vec![]).await };
    assert!(multi(guests[0].clone()).await.is_ok());
    assert!(multi(guests[1].clone()).await.is_ok());
    let refused = multi(guests[2].clone()).await;
    assert!(
        matches!(&refused, Err(Error::Other(cause)) if cause.contains("outbound_connections")),
        "{refused:?}"
    );
    guests.truncate(1);
    let last = open(&servers, testing::shared_redis()).await;
    wait_until("the connection of a guest that left is free", async || {
        multi(last.clone()).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_command_on_a_value_of_another_type_is_a_type_error() {
    let redis = open(&servers(), testing::shared_redis()).await;
    redis.sadd("typed:s", &strings(&["a"])).await.unwrap();
    redis.set("typed:t", b"text").await.unwrap();
    assert!(matches!(redis.get("typed:s").await, Err(Error::TypeError)));
    assert!(matches!(redis.incr("typed:t").await, Err(Error::TypeError)));
    let failed = redis.execute("NO-SUCH-COMMAND", vec![]).await.unwrap_err();
    assert!(
        matches!(&failed, Error::Other(cause) if cause.contains("unknown command")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn any_command_can_be_executed_and_nested_answers_are_flattened() {
    let redis = open(&servers(), testing::shared_redis()).await;
    let script = "return {1, {'a', false}, redis.status_reply('FINE')}";
    let answer = redis
        .execute("EVAL", vec![bytes(script), RedisParameter::Int64(0)])
        .await
        .unwrap();
    let expected = [
        RedisResult::Int64(1),
        RedisResult::Binary(b"a".to_vec()),
        RedisResult::Nil,
        RedisResult::Status("FINE".to_owned()),
    ];
    assert_eq!(format!("{answer:?}"), format!("{expected:?}"));
    let answer = redis
        .execute("set", vec![bytes("any:a"), bytes("b")])
        .await
        .unwrap();
    assert!(matches!(&answer[..], [RedisResult::Status(ok)] if ok == "OK"));
}

#[tokio::test]
async fn guests_share_one_connection() {
    let proxy = Proxy::to(testing::shared_redis()).await;
    let servers = servers();
    let guests = (0..100).map(async |_| {
        let redis = open(&servers, proxy.port).await;
        redis.incr("shared:n").await.unwrap();
    });
    join_all(guests).await;
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_transaction_has_a_dedicated_connection() {
    let servers = servers();
    let (writer, reader) = (
        open(&servers, testing::shared_redis()).await,
        open(&servers, testing::shared_redis()).await,
    );
    writer.execute("multi", vec![]).await.unwrap();
    let queued = writer
        .execute("SET", vec![bytes("own:a"), bytes("1")])
        .await
        .unwrap();
    assert!(matches!(&queued[..], [RedisResult::Status(text)] if text == "QUEUED"));
    assert_eq!(reader.get("own:a").await.unwrap(), None);
    writer.execute("EXEC", vec![]).await.unwrap();
    assert_eq!(reader.get("own:a").await.unwrap(), Some(b"1".to_vec()));
}

#[tokio::test]
async fn a_blocking_command_does_not_delay_other_guests() {
    let servers = servers();
    let (waiter, other) = (
        open(&servers, testing::shared_redis()).await,
        open(&servers, testing::shared_redis()).await,
    );
    let wait = waiter.execute("BLPOP", vec![bytes("blocking:l"), RedisParameter::Int64(0)]);
    let push = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let started = Instant::now();
        other.incr("blocking:n").await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(4));
        other
            .execute("RPUSH", vec![bytes("blocking:l"), bytes("x")])
            .await
            .unwrap();
    };
    let (popped, ()) = tokio::join!(wait, push);
    assert_eq!(popped.unwrap().len(), 2);
}

#[tokio::test]
async fn an_address_without_a_grant_is_invalid() {
    let allowed = AllowedHosts::parse(&["redis://127.0.0.1:1".to_owned()]).unwrap();
    let egress = Egress::new(allowed, BlockedNetworks::default(), Arc::new(|_| ()));
    let servers = Servers::new(Arc::new(egress), Arc::new(RootCertStore::empty()));
    for address in [
        format!("redis://127.0.0.1:{}", testing::shared_redis()),
        "redis+unix:///tmp/redis".to_owned(),
        "rediss://127.0.0.1:1".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        "nonsense".to_owned(),
    ] {
        let failed = servers.open(&address).await.err().unwrap();
        assert!(
            matches!(failed, Error::InvalidAddress),
            "{address}: {failed:?}"
        );
    }
}

#[tokio::test]
async fn an_unreachable_server_fails_callers_fast_and_is_used_again_once_it_is_back() {
    let port = free_port();
    let servers = servers();
    let address = format!("redis://127.0.0.1:{port}");
    let started = Instant::now();
    for _ in 0..100 {
        assert!(servers.open(&address).await.is_err());
    }
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );

    let start = move || testing::start_redis(port);
    let server = tokio::task::spawn_blocking(start).await.unwrap();
    wait_until("the server is reachable again", async || {
        servers.open(&address).await.is_ok()
    })
    .await;
    let redis = open(&servers, port).await;
    redis.set("a", b"1").await.unwrap();

    tokio::task::spawn_blocking(move || server.stop())
        .await
        .unwrap();
    assert!(redis.get("a").await.is_err());
    let _server = tokio::task::spawn_blocking(start).await.unwrap();
    wait_until("the same connection works again", async || {
        redis.get("a").await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn only_the_first_caller_waits_for_a_server_that_never_answers() {
    // Accepts connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let servers = servers();
    let started = Instant::now();
    assert!(servers.open(&address).await.is_err());
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    assert!(servers.open(&address).await.is_err());
    assert!(started.elapsed() < Duration::from_millis(500));
}

#[tokio::test]
async fn a_restart_between_two_commands_is_transparent() {
    let port = free_port();
    let start = move || testing::start_redis(port);
    let server = tokio::task::spawn_blocking(start).await.unwrap();
    let redis = open(&servers(), port).await;
    redis.set("a", b"1").await.unwrap();
    tokio::task::spawn_blocking(move || server.stop())
        .await
        .unwrap();
    let _server = tokio::task::spawn_blocking(start).await.unwrap();
    redis.set("a", b"1").await.unwrap();
}
