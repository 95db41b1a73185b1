//! The generator: some connections, each asking again as soon as it was answered, for a while.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant as Deadline, timeout, timeout_at};

use crate::scenario::Scenario;
use crate::server;

pub struct Load<'a> {
    pub scenario: &'a Scenario,
    pub connections: usize,
    pub during: Duration,
}

/// What came of one load.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub per_second: f64,
    pub p50_us: u64,
    pub p99_us: u64,
    /// Of the server's process alone.
    pub cpu_us: f64,
}

/// Before the clock runs: connections made, pools filled, caches warm.
const WARM_UP: Duration = Duration::from_millis(500);
/// An answer that takes longer means that something is broken.
const PATIENCE: Duration = Duration::from_secs(10);

impl Load<'_> {
    /// Loads `server`, whose process is `pid`.
    pub async fn measure(&self, server: SocketAddr, pid: u32) -> Result<Measured> {
        self.ask(server, WARM_UP).await?;
        let before = server::cpu(pid)?;
        let began = Instant::now();
        let latencies = self.ask(server, self.during).await?;
        let took = began.elapsed();
        let cpu = server::cpu(pid)?.saturating_sub(before);
        let answers = latencies.len();
        ensure!(answers > 0, "no answers");
        #[allow(clippy::cast_precision_loss, reason = "counts of a few seconds")]
        let answers = answers as f64;
        Ok(Measured {
            per_second: answers / took.as_secs_f64(),
            p50_us: latencies.value_at_quantile(0.5),
            p99_us: latencies.value_at_quantile(0.99),
            cpu_us: cpu.as_secs_f64() * 1e6 / answers,
        })
    }

    async fn ask(&self, server: SocketAddr, during: Duration) -> Result<Histogram<u64>> {
        // All connections stand before the first asks.
        let mut lines = Vec::new();
        for _ in 0..self.connections {
            lines.push(Line::to(server).await?);
        }
        let until = Deadline::now() + during;
        let asking = lines.into_iter().map(|line| self.ask_one(line, until));
        let mut all = histogram()?;
        for latencies in join_all(asking).await? {
            all.add(latencies)?;
        }
        Ok(all)
    }

    async fn ask_one(&self, mut line: Line, until: Deadline) -> Result<Histogram<u64>> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let mut latencies = histogram()?;
        while Deadline::now() < until {
            let request = (self.scenario.request)(NUMBER.fetch_add(1, Ordering::Relaxed));
            let began = Instant::now();
            line.ask(&request).await?;
            let took = u64::try_from(began.elapsed().as_micros())?;
            latencies.saturating_record(took);
        }
        Ok(latencies)
    }
}

impl Measured {
    /// Each figure's median over the rounds.
    pub fn median(rounds: Vec<Self>) -> Result<Self> {
        let of = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<_> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().context("no rounds")
        };
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let micros = |figure: fn(&Self) -> u64| {
            let mut figures: Vec<_> = rounds.iter().map(figure).collect();
            figures.sort_unstable();
            figures.get(figures.len() / 2).copied().context("no rounds")
        };
        Ok(Self {
            per_second: of(|it| it.per_second)?,
            p50_us: micros(|it| it.p50_us)?,
            p99_us: micros(|it| it.p99_us)?,
            cpu_us: of(|it| it.cpu_us)?,
        })
    }
}

/// Up to a minute in microseconds, three digits.
fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

async fn join_all<T>(work: impl Iterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    // All in one task: the generator takes one processor at most, and every server meets it alike.
    let mut work: Vec<_> = work.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = work.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut is_over = true;
        for (work, done) in work.iter_mut().zip(&mut done) {
            if done.is_none() {
                match work.as_mut().poll(context) {
                    std::task::Poll::Ready(Ok(it)) => *done = Some(it),
                    std::task::Poll::Ready(Err(error)) => return std::task::Poll::Ready(Err(error)),
                    std::task::Poll::Pending => is_over = false,
                }
            }
        }
        match is_over {
            true => std::task::Poll::Ready(Ok(done.drain(..).flatten().collect())),
            false => std::task::Poll::Pending,
        }
    })
    .await
}
