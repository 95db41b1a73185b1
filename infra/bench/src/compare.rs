//! The comparison: both servers are loaded alternately, for about a second each, over several rounds, so that other
//! activity on the machine affects both. A ratio compares two adjacent loads; the median over the rounds is reported.

use std::time::Duration;

use anyhow::Result;

use crate::load::{Measured, Target, measure};
use crate::machine::{Profiler, Split};
use crate::scenario::Scenario;
use crate::stage::Server;

/// The extent of a measurement.
pub struct Settings {
    pub rounds: usize,
    pub seconds: Duration,
    pub connections: usize,
    /// Measure only scenarios with this word in their name.
    pub only: Option<String>,
}

impl Settings {
    pub fn wants(&self, name: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|word| name.contains(word))
    }

    pub fn wants_any(&self, names: &[&str]) -> bool {
        names.iter().any(|it| self.wants(it))
    }
}

/// One scenario on both servers: medians over the rounds.
pub struct Row {
    pub name: &'static str,
    pub statements: u32,
    pub required: Option<f64>,
    pub within: Option<Duration>,
    pub native: Measured,
    pub host: Measured,
    /// Requests per second, host over native.
    pub ratio: f64,
    /// Latency over a single connection.
    pub native_single_us: f64,
    pub host_single_us: f64,
    pub overhead_us: f64,
    /// Requests per second over [`CROWD`] connections, native and host.
    pub crowd: (f64, f64),
    /// Of the host; `None` without `perf`.
    pub split: Option<Split>,
}

/// Many more connections than a component has instances.
pub const CROWD: usize = 256;
/// Longer than the host goes on with requests whose clients have gone.
const AFTER_CROWD: Duration = Duration::from_secs(6);

pub async fn compare_all(
    scenarios: &[Scenario],
    native: &Server,
    host: &Server,
    settings: &Settings,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in scenarios.iter().filter(|it| settings.wants(it.name)) {
        eprintln!("{}", scenario.name);
        rows.push(compare(scenario, native.target(), host.target(), settings).await?);
    }
    Ok(rows)
}

/// The results of both servers in one round.
struct Round {
    native: Measured,
    host: Measured,
}

async fn compare(
    scenario: &Scenario,
    native: Target,
    host: Target,
    settings: &Settings,
) -> Result<Row> {
    let (mut loaded, mut single, mut crowd) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..settings.rounds {
        loaded.push(
            run_round(
                scenario,
                native,
                host,
                round,
                settings.connections,
                settings.seconds,
            )
            .await?,
        );
        let shorter = settings.seconds / 2;
        single.push(run_round(scenario, native, host, round, 1, shorter).await?);
    }
    let split = profile(scenario, host, settings).await?;
    for round in 0..settings.rounds {
        let shorter = settings.seconds / 2;
        match run_round(scenario, native, host, round, CROWD, shorter).await {
            Ok(both) => crowd.push(both),
            // Some requests were refused. The others go on for a while without their clients.
            Err(_) => tokio::time::sleep(AFTER_CROWD).await,
        }
    }
    let row = Row {
        name: scenario.name,
        statements: scenario.statements,
        required: scenario.required,
        within: scenario.within,
        native: medians(&loaded, |it| it.native),
        host: medians(&loaded, |it| it.host),
        ratio: median(&loaded, |it| it.host.per_second / it.native.per_second),
        native_single_us: median(&single, |it| it.native.p50_us),
        host_single_us: median(&single, |it| it.host.p50_us),
        overhead_us: median(&single, |it| it.host.p50_us - it.native.p50_us),
        crowd: (
            median(&crowd, |it| it.native.per_second),
            median(&crowd, |it| it.host.per_second),
        ),
        split,
    };
    eprintln!(
        "    {:.0}/s of {:.0}/s: {:.2}×, {:+.0} µs over one connection",
        row.host.per_second, row.native.per_second, row.ratio, row.overhead_us
    );
    Ok(row)
}

/// Once more, and not for its speed: being sampled costs some.
async fn profile(scenario: &Scenario, host: Target, settings: &Settings) -> Result<Option<Split>> {
    let Some(profiler) = Profiler::start(host.pid) else {
        return Ok(None);
    };
    measure(host, scenario, settings.connections, settings.seconds).await?;
    let split = profiler.finish();
    if let Err(why) = &split {
        eprintln!("    {why}");
    }
    Ok(split.ok())
}

/// Loads one server after the other; the order alternates between rounds.
async fn run_round(
    scenario: &Scenario,
    native: Target,
    host: Target,
    round: usize,
    connections: usize,
    during: Duration,
) -> Result<Round> {
    if round.is_multiple_of(2) {
        let native = measure(native, scenario, connections, during).await?;
        let host = measure(host, scenario, connections, during).await?;
        Ok(Round { native, host })
    } else {
        let host = measure(host, scenario, connections, during).await?;
        let native = measure(native, scenario, connections, during).await?;
        Ok(Round { native, host })
    }
}

fn medians(rounds: &[Round], side: impl Fn(&Round) -> Measured) -> Measured {
    Measured {
        per_second: median(rounds, |it| side(it).per_second),
        p50_us: median(rounds, |it| side(it).p50_us),
        p99_us: median(rounds, |it| side(it).p99_us),
        cpu_us: median(rounds, |it| side(it).cpu_us),
    }
}

pub fn median<T>(of: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut figures: Vec<_> = of.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
