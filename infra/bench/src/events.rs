//! How long an event waits between its commit and the moment its consumer settled it.

use std::fmt::{Display, Formatter, Result as Written};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};

use crate::stage::Stage;

/// Asked for by the contract.
const MANY: i64 = 10_000;
const ALONE: i64 = 50;
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Events {
    idle: Waited,
    many: Waited,
}

/// Milliseconds from commit to settlement, and the seconds until the last one.
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
    // What the load left is not what is measured.
    client.execute("DELETE FROM events.outbox", &[]).await?;
    let mut wake = async || {
        redis::cmd("PUBLISH")
            .arg("outbox")
            .arg("")
            .query_async::<i64>(&mut redis)
            .await
    };
    for number in 0..ALONE {
        told(&client, "alone", number, 1).await?;
        wake().await?;
        settled(&client, "alone").await?;
        sleep(Duration::from_millis(20)).await;
    }
    told(&client, "many", 0, MANY).await?;
    wake().await?;
    settled(&client, "many").await?;
    let events = Events {
        idle: waited(&client, "alone").await?,
        many: waited(&client, "many").await?,
    };
    drop(client);
    connection.await??;
    Ok(events)
}

/// Notices to people who want none: the relay's whole way without a network at its end.
async fn told(client: &Client, about: &str, first: i64, count: i64) -> Result<()> {
    let sql = "INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'notify', $1 || ':' || number, jsonb_build_object('user_id', gen_random_uuid(),
            'template', 'booking_created_driver', 'params', jsonb_build_object('booking_id', number,
            'place', 'Central', 'address', 'Red Square 1', 'date_from', '2026-01-01 10:00',
            'date_to', '2026-01-01 11:00', 'amount_cents', 1, 'currency', 'USD'))
        FROM generate_series($2::bigint, $2 + $3 - 1) AS number";
    client.execute(sql, &[&about, &first, &count]).await?;
    Ok(())
}

async fn settled(client: &Client, about: &str) -> Result<()> {
    let sql =
        "SELECT count(*) FROM events.outbox WHERE aggregate LIKE $1 || ':%' AND settled_at IS NULL";
    let until = Instant::now() + PATIENCE;
    loop {
        let left: i64 = client.query_one(sql, &[&about]).await?.try_get(0)?;
        if left == 0 {
            return Ok(());
        }
        ensure!(Instant::now() < until, "{left} events are not settled");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn waited(client: &Client, about: &str) -> Result<Waited> {
    let sql = "SELECT
            percentile_cont(0.5) WITHIN GROUP (ORDER BY took), percentile_cont(0.99) WITHIN GROUP (ORDER BY took),
            extract(epoch FROM max(settled_at) - min(created_at))::float8
        FROM events.outbox, LATERAL (SELECT extract(epoch FROM settled_at - created_at)::float8 * 1000 AS took) AS it
        WHERE aggregate LIKE $1 || ':%'";
    let row = client.query_one(sql, &[&about]).await?;
    Ok(Waited {
        p50_ms: row.try_get(0)?,
        p99_ms: row.try_get(1)?,
        seconds: row.try_get(2)?,
    })
}

impl Display for Events {
    fn fmt(&self, out: &mut Formatter<'_>) -> Written {
        let (idle, many) = (&self.idle, &self.many);
        write!(
            out,
            "- Events, from commit to settled: p50 {:.0} ms, p99 {:.0} ms while idle; {MANY} at once drained in {:.1} s \
             ({:.0}/s), p99 {:.0} ms.",
            idle.p50_ms,
            idle.p99_ms,
            many.seconds,
            10_000.0 / many.seconds,
            many.p99_ms
        )
    }
}
