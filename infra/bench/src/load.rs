//! The load: connections that each send the next request as soon as the response has arrived.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::{JoinSet, LocalSet};

use crate::connection::Connection;
use crate::machine;
use crate::scenario::{Request, Scenario};
use crate::stage::sql;

/// A server under load: its address, and the process whose CPU time counts.
#[derive(Clone, Copy)]
pub struct Target {
    pub at: SocketAddr,
    pub pid: u32,
}

/// The result of one load.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// CPU time of the server's process per request.
    pub cpu_us: f64,
}

/// Time before the measurement, to open connections, fill pools and warm caches.
const WARM_UP: Duration = Duration::from_millis(200);

pub async fn measure(
    target: Target,
    scenario: &Scenario,
    connections: usize,
    during: Duration,
) -> Result<Measured> {
    if let Some((url, statement)) = &scenario.before {
        sql(url, statement).await?;
    }
    run(target.at, scenario, connections, WARM_UP).await?;
    let (cpu, began) = (machine::cpu_time(target.pid)?, Instant::now());
    let mut latencies = run(target.at, scenario, connections, during).await?;
    let (took, cpu) = (
        began.elapsed(),
        machine::cpu_time(target.pid)?.saturating_sub(cpu),
    );
    latencies.sort_unstable();
    let responses = u32::try_from(latencies.len())?;
    ensure!(
        responses > 0,
        "{}: no response within {during:?}",
        scenario.name
    );
    Ok(Measured {
        per_second: f64::from(responses) / took.as_secs_f64(),
        p50_us: quantile(&latencies, 50),
        p99_us: quantile(&latencies, 99),
        cpu_us: cpu.as_secs_f64() * 1e6 / f64::from(responses),
    })
}

fn quantile(sorted_ns: &[u32], percent: usize) -> f64 {
    let at = sorted_ns
        .get(sorted_ns.len() * percent / 100)
        .or(sorted_ns.last());
    at.map_or(0.0, |it| f64::from(*it) / 1e3)
}

/// Loads the server; returns the latency of each response in nanoseconds.
async fn run(
    at: SocketAddr,
    scenario: &Scenario,
    connections: usize,
    during: Duration,
) -> Result<Vec<u32>> {
    // All connections are open before the first request.
    let mut opened = Vec::new();
    for _ in 0..connections {
        opened.push(Connection::open(at).await?);
    }
    let until = Instant::now() + during;
    let mut senders = JoinSet::new();
    let tasks = LocalSet::new();
    for connection in opened {
        let (request, counter) = (Rc::clone(&scenario.request), Rc::clone(&scenario.counter));
        senders.spawn_local_on(send_until(connection, request, counter, until), &tasks);
    }
    tasks
        .run_until(async {
            let mut latencies = Vec::new();
            while let Some(of_one) = senders.join_next().await {
                latencies.extend(of_one??);
            }
            Ok(latencies)
        })
        .await
}

async fn send_until(
    mut connection: Connection,
    write: Rc<Request>,
    counter: Rc<Cell<u64>>,
    until: Instant,
) -> Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut request = Vec::new();
    loop {
        let number = counter.replace(counter.get() + 1);
        request.clear();
        write(number, &mut request);
        let began = Instant::now();
        if began >= until {
            return Ok(latencies);
        }
        connection.send(&request).await?;
        latencies.push(u32::try_from(began.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
}
