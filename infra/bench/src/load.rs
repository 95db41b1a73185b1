//! The generator: some connections, each asking again as soon as it was answered, for a while.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::scenario::Scenario;
use crate::server;

pub struct Load {
    pub scenario: Arc<Scenario>,
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

impl Load {
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
        let until = Instant::now() + during;
        let asking: JoinSet<_> = lines
            .into_iter()
            .map(|line| ask_until(Arc::clone(&self.scenario), line, until))
            .collect();
        let mut all = histogram()?;
        for latencies in asking.join_all().await {
            all.add(latencies?)?;
        }
        Ok(all)
    }
}

async fn ask_until(
    scenario: Arc<Scenario>,
    mut line: Line,
    until: Instant,
) -> Result<Histogram<u64>> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut latencies = histogram()?;
    let mut began = Instant::now();
    while began < until {
        let request = (scenario.request)(NUMBER.fetch_add(1, Ordering::Relaxed));
        line.ask(&request).await?;
        let now = Instant::now();
        latencies.saturating_record(u64::try_from((now - began).as_micros())?);
        began = now;
    }
    Ok(latencies)
}

/// Both servers have to do what is asked before it counts how fast they do it.
pub async fn answer(server: SocketAddr, scenario: &Scenario) -> Result<String> {
    let mut line = Line::to(server).await?;
    line.ask(&(scenario.request)(0)).await?;
    Ok(String::from_utf8_lossy(&line.body).into_owned())
}

/// One connection that is kept.
struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: Vec<u8>,
}

/// No answer here is larger.
const LARGEST: usize = 64 << 10;

impl Line {
    async fn to(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; LARGEST],
            body: Vec::new(),
        })
    }

    /// Sends it and reads the whole answer, which has to be a success.
    async fn ask(&mut self, request: &[u8]) -> Result<()> {
        let exchange = async {
            self.stream.write_all(request).await?;
            let mut filled = 0;
            loop {
                let room = self.buffer.get_mut(filled..).unwrap_or_default();
                let read = self.stream.read(room).await?;
                ensure!(
                    read > 0,
                    "the connection was closed, or the answer is too large"
                );
                filled += read;
                let answer = self.buffer.get(..filled).unwrap_or_default();
                if let Some(body) = complete(answer)? {
                    self.body.clear();
                    self.body.extend_from_slice(body);
                    return Ok(());
                }
            }
        };
        timeout(PATIENCE, exchange).await.context("no answer")?
    }
}

/// The body of an answer that has arrived whole.
fn complete(answer: &[u8]) -> Result<Option<&[u8]>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(answer)? else {
        return Ok(None);
    };
    let body = answer.get(length..).unwrap_or_default();
    let header = |name: &str| {
        let found = head
            .headers
            .iter()
            .find(|it| it.name.eq_ignore_ascii_case(name));
        found.map(|it| String::from_utf8_lossy(it.value))
    };
    let is_whole = match header("content-length") {
        Some(length) => body.len() >= length.parse()?,
        None if header("transfer-encoding").is_some() => body.ends_with(b"0\r\n\r\n"),
        None => bail!("an answer without a length"),
    };
    if !is_whole {
        return Ok(None);
    }
    let status = head.code.unwrap_or_default();
    ensure!(
        (200..300).contains(&status),
        "{status}: {}",
        String::from_utf8_lossy(body)
    );
    Ok(Some(body))
}

impl Measured {
    /// Each figure's median over the rounds.
    pub fn median(rounds: &[Self]) -> Result<Self> {
        Ok(Self {
            per_second: median(rounds.iter().map(|it| it.per_second))?,
            p50_us: median(rounds.iter().map(|it| it.p50_us))?,
            p99_us: median(rounds.iter().map(|it| it.p99_us))?,
            cpu_us: median(rounds.iter().map(|it| it.cpu_us))?,
        })
    }
}

/// The one in the middle.
pub fn median<T: PartialOrd + Copy>(figures: impl Iterator<Item = T>) -> Result<T> {
    let mut figures: Vec<T> = figures.collect();
    figures.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    figures.get(figures.len() / 2).copied().context("no rounds")
}

/// Up to a minute in microseconds, three digits.
fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}
