//! The comparison: both servers take turns of a second or so, over several rounds, so that whatever else
//! the machine does meets both. A ratio is that of two neighbouring turns, and the median over the rounds.

use std::time::Duration;

use anyhow::Result;

use crate::load::{Measured, Target, measure};
use crate::scenario::Scenario;
use crate::stage::Server;

/// How much is measured.
pub struct Pace {
    pub rounds: usize,
    pub seconds: Duration,
    pub connections: usize,
    /// A word in the names of the scenarios that are measured.
    pub only: Option<String>,
}

/// One scenario on both servers, medians.
pub struct Row {
    pub name: &'static str,
    pub statements: u32,
    pub owed: Option<f64>,
    pub native: Measured,
    pub host: Measured,
    /// Requests per second, host over native.
    pub ratio: f64,
    /// Over a single connection: what one request waits for.
    pub native_alone_us: f64,
    pub host_alone_us: f64,
    pub overhead_us: f64,
}

pub async fn all(
    scenarios: &[Scenario],
    native: &Server,
    host: &Server,
    pace: &Pace,
) -> Result<Vec<Row>> {
    let is_wanted = |it: &&Scenario| {
        pace.only
            .as_ref()
            .is_none_or(|word| it.name.contains(word.as_str()))
    };
    let mut rows = Vec::new();
    for scenario in scenarios.iter().filter(is_wanted) {
        eprintln!("{}", scenario.name);
        rows.push(one(scenario, native.target(), host.target(), pace).await?);
    }
    Ok(rows)
}

/// What one turn of both gave.
struct Round {
    native: Measured,
    host: Measured,
}

async fn one(scenario: &Scenario, native: Target, host: Target, pace: &Pace) -> Result<Row> {
    let (mut crowded, mut alone) = (Vec::new(), Vec::new());
    for round in 0..pace.rounds {
        crowded.push(
            turns(
                scenario,
                native,
                host,
                round,
                pace.connections,
                pace.seconds,
            )
            .await?,
        );
        alone.push(turns(scenario, native, host, round, 1, pace.seconds / 2).await?);
    }
    let row = Row {
        name: scenario.name,
        statements: scenario.statements,
        owed: scenario.owed,
        native: medians(&crowded, |it| it.native),
        host: medians(&crowded, |it| it.host),
        ratio: median(&crowded, |it| it.host.per_second / it.native.per_second),
        native_alone_us: median(&alone, |it| it.native.p50_us),
        host_alone_us: median(&alone, |it| it.host.p50_us),
        overhead_us: median(&alone, |it| it.host.p50_us - it.native.p50_us),
    };
    eprintln!(
        "    {:.0}/s of {:.0}/s: {:.2}×, {:.0} µs more alone",
        row.host.per_second, row.native.per_second, row.ratio, row.overhead_us
    );
    Ok(row)
}

/// Whoever goes first goes second in the next round.
async fn turns(
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
