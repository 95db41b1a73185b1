//! The load: some connections, each asking again as soon as it was answered, for a while.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::{JoinSet, LocalSet};

use crate::line::Line;
use crate::machine;
use crate::scenario::{Request, Scenario};
use crate::stage::sql;

/// A server under load: where it answers, and whose processor time counts.
#[derive(Clone, Copy)]
pub struct Target {
    pub at: SocketAddr,
    pub pid: u32,
}

/// What came of one load.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Of the server's process alone.
    pub cpu_us: f64,
}

/// Before the clock runs: connections made, pools filled, caches warm.
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
    ask(target.at, scenario, connections, WARM_UP).await?;
    let (cpu, began) = (machine::cpu(target.pid)?, Instant::now());
    let mut latencies = ask(target.at, scenario, connections, during).await?;
    let (took, cpu) = (
        began.elapsed(),
        machine::cpu(target.pid)?.saturating_sub(cpu),
    );
    latencies.sort_unstable();
    let answers = u32::try_from(latencies.len())?;
    ensure!(
        answers > 0,
        "{}: no answer within {during:?}",
        scenario.name
    );
    Ok(Measured {
        per_second: f64::from(answers) / took.as_secs_f64(),
        p50_us: quantile(&latencies, 50),
        p99_us: quantile(&latencies, 99),
        cpu_us: cpu.as_secs_f64() * 1e6 / f64::from(answers),
    })
}

fn quantile(sorted_ns: &[u32], percent: usize) -> f64 {
    let at = sorted_ns
        .get(sorted_ns.len() * percent / 100)
        .or(sorted_ns.last());
    at.map_or(0.0, |it| f64::from(*it) / 1e3)
}

/// How long each answer took, in nanoseconds.
async fn ask(
    at: SocketAddr,
    scenario: &Scenario,
    connections: usize,
    during: Duration,
) -> Result<Vec<u32>> {
    // All connections stand before the first asks.
    let mut lines = Vec::new();
    for _ in 0..connections {
        lines.push(Line::to(at).await?);
    }
    let until = Instant::now() + during;
    let mut asking = JoinSet::new();
    let tasks = LocalSet::new();
    for line in lines {
        let (request, number) = (Rc::clone(&scenario.request), Rc::clone(&scenario.asked));
        asking.spawn_local_on(ask_on(line, request, number, until), &tasks);
    }
    tasks
        .run_until(async {
            let mut latencies = Vec::new();
            while let Some(of_one) = asking.join_next().await {
                latencies.extend(of_one??);
            }
            Ok(latencies)
        })
        .await
}

async fn ask_on(
    mut line: Line,
    write: Rc<Request>,
    asked: Rc<Cell<u64>>,
    until: Instant,
) -> Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut request = Vec::new();
    loop {
        let number = asked.replace(asked.get() + 1);
        request.clear();
        write(number, &mut request);
        let began = Instant::now();
        if began >= until {
            return Ok(latencies);
        }
        line.ask(&request).await?;
        latencies.push(u32::try_from(began.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
}
