//! How long a notice waits between its commit and the moment a messenger has it: claimed, planned for its
//! person, claimed again, sent. The messenger is ours and answers at once.

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

use crate::stage::Stage;

/// Asked for by the contract.
const MANY: u16 = 10_000;
const OWED_P50_MS: f64 = 20.0;

const ALONE: u16 = 50;
/// A chat hears one thing after the other; so many chats are enough for nobody to wait for their own.
const PEOPLE: i64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(120);

/// Telegram, as far as the platform can tell.
pub struct Messenger {
    pub url: String,
    heard: Mutex<UnboundedReceiver<(u16, Instant)>>,
}

impl Messenger {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (tell, heard) = unbounded_channel();
        let router = Router::new().fallback(hear).with_state(tell);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url,
            heard: Mutex::new(heard),
        })
    }
}

async fn hear(
    State(tell): State<UnboundedSender<(u16, Instant)>>,
    Json(message): Json<Value>,
) -> Json<Value> {
    let now = Instant::now();
    // `Booking 17 is confirmed`.
    let text = message.get("text").and_then(Value::as_str);
    let number = text.and_then(|it| it.split(' ').nth(1)?.parse().ok());
    if let Some(number) = number {
        // Nobody listens any more: the measurement is over.
        let _ = tell.send((number, now));
    }
    Json(json!({ "ok": true }))
}

pub struct Events {
    idle: Waited,
    many: Waited,
}

/// Milliseconds from commit to delivery, and the seconds until the last one.
struct Waited {
    p50_ms: f64,
    p99_ms: f64,
    seconds: f64,
}

pub async fn measured(stage: &Stage) -> Result<Events> {
    eprintln!("events");
    let (client, connection) = tokio_postgres::connect(&stage.product_url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let mut redis = redis::Client::open(stage.redis_url.as_str())?
        .get_multiplexed_async_connection()
        .await?;
    forget_all(&client).await?;
    let people = "INSERT INTO signin.account (id, login, roles, telegram_id)
        SELECT gen_random_uuid(), 'told-' || number, '{driver}', number FROM generate_series(1, $1::bigint) AS number";
    client.execute(people, &[&PEOPLE]).await?;
    let mut wake = async || {
        redis::cmd("PUBLISH")
            .arg("outbox")
            .arg("")
            .query_async::<i64>(&mut redis)
            .await
    };
    let mut heard = stage.messenger.heard.lock().await;
    let mut alone = Vec::new();
    for number in 0..ALONE {
        told(&client, number, 1).await?;
        let committed = Instant::now();
        wake().await?;
        alone.extend(delivered(&mut heard, committed, number, 1).await?);
        sleep(Duration::from_millis(20)).await;
    }
    told(&client, ALONE, MANY).await?;
    let committed = Instant::now();
    wake().await?;
    let many = delivered(&mut heard, committed, ALONE, MANY).await?;
    drop(client);
    connection.await??;
    Ok(Events {
        idle: Waited::of(alone)?,
        many: Waited::of(many)?,
    })
}

/// Takes away what a load left, except what somebody is at.
pub const FORGET: &str = "DELETE FROM events.outbox WHERE id IN (
    SELECT id FROM events.outbox WHERE unsettled = 0 FOR UPDATE SKIP LOCKED)";

/// What the load left is not what is measured: nobody begins it any more, and what was begun ends.
async fn forget_all(client: &Client) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        client.execute(FORGET, &[]).await?;
        let left = client.query_one("SELECT count(*) FROM events.outbox", &[]);
        let left: i64 = left.await?.try_get(0)?;
        if left == 0 {
            return Ok(());
        }
        ensure!(
            Instant::now() < until,
            "{left} events of the load are still in hand"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

/// As a function tells of bookings, to one person after the other.
async fn told(client: &Client, first: u16, count: u16) -> Result<()> {
    let sql = "INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'notify', 'booking:' || notice, jsonb_build_object('user_id', account.id,
            'template', 'booking_created_driver', 'params', jsonb_build_object('booking_id', notice,
            'place', 'Central', 'address', 'Red Square 1', 'date_from', '2026-01-01 10:00',
            'date_to', '2026-01-01 11:00', 'amount_cents', 1, 'currency', 'USD'))
        FROM generate_series($1::bigint, $1 + $2 - 1) AS notice
        JOIN signin.account ON telegram_id = notice % $3 + 1 AND login = 'told-' || telegram_id
        ORDER BY notice";
    let params = (i64::from(first), i64::from(count));
    let written = client
        .execute(sql, &[&params.0, &params.1, &PEOPLE])
        .await?;
    ensure!(written == u64::from(count), "{written} of {count} notices");
    Ok(())
}

/// How long each took, every one of them once.
async fn delivered(
    heard: &mut UnboundedReceiver<(u16, Instant)>,
    committed: Instant,
    first: u16,
    count: u16,
) -> Result<Vec<Duration>> {
    let mut took = vec![None; usize::from(count)];
    for left in (1..=count).rev() {
        let next = timeout(PATIENCE, heard.recv()).await;
        let next = next.with_context(|| format!("{left} notices are not delivered"))?;
        let (number, at) = next.context("the messenger is gone")?;
        let place = number.checked_sub(first).map(usize::from);
        let place = place.and_then(|it| took.get_mut(it));
        let place = place.with_context(|| format!("notice {number} came late"))?;
        ensure!(place.is_none(), "notice {number} was delivered twice");
        *place = Some(at - committed);
    }
    Ok(took.into_iter().flatten().collect())
}

impl Waited {
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
        let verdict = if idle.p50_ms <= OWED_P50_MS {
            "met"
        } else {
            "**missed**"
        };
        write!(
            out,
            "- Notices, from commit to delivery: p50 {:.0} ms ({OWED_P50_MS:.0} ms owed: {verdict}), p99 {:.0} ms while \
             idle; {MANY} at once delivered in {:.1} s ({:.0}/s), p99 {:.0} ms.",
            idle.p50_ms,
            idle.p99_ms,
            many.seconds,
            f64::from(MANY) / many.seconds,
            many.p99_ms
        )
    }
}
