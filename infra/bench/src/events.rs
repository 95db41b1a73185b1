//! Measures the time from the commit of a notice to its delivery: claimed, planned for its user, claimed again, sent.
//! The messenger is part of the benchmark and responds at once.

use std::fmt::{Display, Formatter, Result as Written};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::extract::State;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, NoTls};

use crate::machine;
use crate::stage::Stage;

/// Required by the contract.
const MANY: u16 = 10_000;
const REQUIRED_P50_MS: f64 = 20.0;

const SINGLE: u16 = 50;
/// Notices of one chat are sent one after the other; with this many chats none waits for its own.
const USERS: i64 = 1_000;
/// A delivery that takes longer fails the benchmark.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(120);

/// A stand-in for Telegram.
pub struct Messenger {
    pub url: String,
    deliveries: Mutex<UnboundedReceiver<(u16, Instant)>>,
}

impl Messenger {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (sender, deliveries) = unbounded_channel();
        let router = Router::new().fallback(receive).with_state(sender);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url,
            deliveries: Mutex::new(deliveries),
        })
    }
}

async fn receive(
    State(sender): State<UnboundedSender<(u16, Instant)>>,
    Json(message): Json<Value>,
) -> Json<Value> {
    let now = Instant::now();
    // `Booking 17 is confirmed`.
    let text = message.get("text").and_then(Value::as_str);
    let number = text.and_then(|it| it.split(' ').nth(1)?.parse().ok());
    if let Some(number) = number {
        // Fails once the measurement is over.
        let _ = sender.send((number, now));
    }
    Json(json!({ "ok": true }))
}

pub struct Events {
    idle: Delays,
    many: Delays,
    cpu: [(&'static str, Duration); 3],
    is_durable: bool,
}

/// Time from commit to delivery, and until the last delivery.
struct Delays {
    p50_ms: f64,
    p99_ms: f64,
    seconds: f64,
}

pub async fn measure(stage: &Stage, host: u32, is_durable: bool) -> Result<Events> {
    eprintln!("events");
    let (client, connection) = tokio_postgres::connect(&stage.product_url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let mut redis = redis::Client::open(stage.redis_url.as_str())?
        .get_multiplexed_async_connection()
        .await?;
    clear_outbox(&client).await?;
    let users = "INSERT INTO signin.account (id, login, roles, telegram_id)
        SELECT gen_random_uuid(), 'bench-' || number, '{driver}', number FROM generate_series(1, $1::bigint) AS number";
    client.execute(users, &[&USERS]).await?;
    let mut wake = async || {
        redis::cmd("PUBLISH")
            .arg("outbox")
            .arg("")
            .query_async::<i64>(&mut redis)
            .await
    };
    let mut deliveries = stage.messenger.deliveries.lock().await;
    let mut single = Vec::new();
    for number in 0..SINGLE {
        insert_notices(&client, number, 1).await?;
        let committed = Instant::now();
        wake().await?;
        single.extend(receive_all(&mut deliveries, committed, number, 1).await?);
        sleep(Duration::from_millis(20)).await;
    }
    insert_notices(&client, SINGLE, MANY).await?;
    let committed = Instant::now();
    let before = cpu_times(&client, host).await?;
    wake().await?;
    let many = receive_all(&mut deliveries, committed, SINGLE, MANY).await?;
    let after = cpu_times(&client, host).await?;
    drop(client);
    connection.await??;
    let used = |((name, before), (_, after)): ((_, Duration), (_, Duration))| {
        (name, after.saturating_sub(before))
    };
    let [wharf, postgres, receiver] = before;
    let [wharf_after, postgres_after, receiver_after] = after;
    Ok(Events {
        idle: Delays::of(single)?,
        many: Delays::of(many)?,
        cpu: [
            used((wharf, wharf_after)),
            used((postgres, postgres_after)),
            used((receiver, receiver_after)),
        ],
        is_durable,
    })
}

/// CPU times so far. The receiver is this process.
async fn cpu_times(client: &Client, host: u32) -> Result<[(&'static str, Duration); 3]> {
    let servers = client
        .query(
            "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
            &[],
        )
        .await?;
    let servers = servers
        .iter()
        .filter_map(|it| u32::try_from(it.get::<_, i32>(0)).ok());
    Ok([
        ("wharf", machine::cpu_time(host)?),
        ("PostgreSQL", machine::cpu_time_of(servers)),
        ("the receiver", machine::cpu_time(std::process::id())?),
    ])
}

/// Deletes the events that a load left, except those being processed.
pub const DELETE_WAITING: &str = "WITH emitted AS (DELETE FROM events.outbox)
    DELETE FROM events.delivery WHERE id IN (
        SELECT id FROM events.delivery WHERE state <> 'running' FOR UPDATE SKIP LOCKED)";

/// Deletes the events of the load before the measurement, and waits until those in progress have ended.
async fn clear_outbox(client: &Client) -> Result<()> {
    let until = Instant::now() + DELIVERY_TIMEOUT;
    loop {
        client.execute(DELETE_WAITING, &[]).await?;
        let left = client.query_one("SELECT count(*) FROM events.delivery", &[]);
        let left: i64 = left.await?.try_get(0)?;
        if left == 0 {
            return Ok(());
        }
        ensure!(
            Instant::now() < until,
            "{left} events of the load are still being processed"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

/// Inserts notices about bookings as a function does, for one user after the other.
async fn insert_notices(client: &Client, first: u16, count: u16) -> Result<()> {
    let sql = "INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'notify', 'booking:' || notice, jsonb_build_object('user_id', account.id,
            'template', 'booking_created_driver', 'params', jsonb_build_object('booking_id', notice,
            'place', 'Central', 'address', 'Red Square 1', 'date_from', '2026-01-01 10:00',
            'date_to', '2026-01-01 11:00', 'amount_cents', 1, 'currency', 'USD'))
        FROM generate_series($1::bigint, $1 + $2 - 1) AS notice
        JOIN signin.account ON telegram_id = notice % $3 + 1 AND login = 'bench-' || telegram_id
        ORDER BY notice";
    let params = (i64::from(first), i64::from(count));
    let written = client.execute(sql, &[&params.0, &params.1, &USERS]).await?;
    ensure!(written == u64::from(count), "{written} of {count} notices");
    Ok(())
}

/// Receives each notice exactly once; returns how long each took.
async fn receive_all(
    deliveries: &mut UnboundedReceiver<(u16, Instant)>,
    committed: Instant,
    first: u16,
    count: u16,
) -> Result<Vec<Duration>> {
    let mut took = vec![None; usize::from(count)];
    for left in (1..=count).rev() {
        let next = timeout(DELIVERY_TIMEOUT, deliveries.recv()).await;
        let next = next.with_context(|| format!("{left} notices are not delivered"))?;
        let (number, at) = next.context("the messenger is gone")?;
        let slot = number.checked_sub(first).map(usize::from);
        let slot = slot.and_then(|it| took.get_mut(it));
        let slot = slot.with_context(|| format!("notice {number} was not expected"))?;
        ensure!(slot.is_none(), "notice {number} was delivered twice");
        *slot = Some(at - committed);
    }
    Ok(took.into_iter().flatten().collect())
}

impl Delays {
    fn of(mut took: Vec<Duration>) -> Result<Self> {
        took.sort_unstable();
        let ms = |percent: usize| {
            let at = took.len().saturating_sub(1) * percent / 100;
            took.get(at)
                .map(|it| it.as_secs_f64() * 1_000.0)
                .context("nothing was delivered")
        };
        Ok(Self {
            p50_ms: ms(50)?,
            p99_ms: ms(99)?,
            seconds: ms(100)? / 1_000.0,
        })
    }
}

impl Display for Events {
    fn fmt(&self, out: &mut Formatter<'_>) -> Written {
        let (idle, many) = (&self.idle, &self.many);
        let disk = if self.is_durable {
            "forced"
        } else {
            "not forced"
        };
        let [wharf, postgres, receiver] = self.cpu.map(|(name, used)| {
            format!("{name} {:.0}", used.as_secs_f64() * 1e6 / f64::from(MANY))
        });
        let verdict = if idle.p50_ms <= REQUIRED_P50_MS {
            "met"
        } else {
            "**missed**"
        };
        write!(
            out,
            "- Notices, PostgreSQL {disk} to disk, from commit to delivery: p50 {:.0} ms ({REQUIRED_P50_MS:.0} ms required: {verdict}), p99 {:.0} ms while \
             idle; {MANY} at once delivered in {:.1} s ({:.0}/s), p99 {:.0} ms; CPU µs of each: \
             {wharf}, {postgres}, {receiver}.",
            idle.p50_ms,
            idle.p99_ms,
            many.seconds,
            f64::from(MANY) / many.seconds,
            many.p99_ms
        )
    }
}
