//! `cargo run --release -p wharf-bench`: the host beside a native server that runs the same SQL against
//! the same PostgreSQL, in turns, and one table of what came of it.
//!
//! Reading order: `compare` (what is measured, and how), `scenario` (what is asked), `native` (whom the
//! host is compared with), `load` and `line` (who asks), `stage` (what has to run for it), `start`
//! (how long until the first answer), `transfer` and `events` (two things beside requests), `report`.
//!
//! Client, servers and PostgreSQL share the machine, so the numbers are of this machine only and the
//! ratios are what counts: they come from neighbouring moments, and the median of several.

mod compare;
mod events;
mod line;
mod load;
mod machine;
mod native;
mod people;
mod report;
mod scenario;
mod stage;
mod start;
mod token;
mod transfer;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::compare::Pace;
use crate::report::Report;
use crate::stage::{Manifest, Stage};

/// Measures the host beside a native axum + tokio-postgres server, and prints one table.
#[derive(Parser)]
struct Command {
    #[command(subcommand)]
    part: Option<Part>,
    /// How often each server is loaded by each scenario; the medians are printed
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long one load lasts
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Connections of a load, each asking again as soon as it is answered
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Only scenarios with this word in their name, and nothing but scenarios
    #[arg(long)]
    only: Option<String>,
    /// PostgreSQL forces what it commits to disk: writes then cost the disk above all
    #[arg(long)]
    durable: bool,
    /// Measure what is built, as it is
    #[arg(long)]
    no_build: bool,
    /// The host to measure [default: target/release/wharf]
    #[arg(long)]
    wharf: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Part {
    /// The native server, alone: what the benchmark starts
    #[command(hide = true)]
    Native(native::Options),
}

fn main() -> Result<()> {
    let command = Command::parse();
    if let Some(Part::Native(options)) = command.part {
        return native::run(&options);
    }
    // One thread: the client leaves the rest of the machine to the servers.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(measured(&command))?;
    println!("{report}");
    Ok(())
}

async fn measured(command: &Command) -> Result<Report> {
    let wharf = command
        .wharf
        .clone()
        .unwrap_or_else(wharf_launch::built_wharf);
    if !command.no_build {
        stage::build(&wharf)?;
    }
    let pace = Pace {
        rounds: command.rounds,
        seconds: Duration::from_secs_f64(command.seconds),
        connections: command.connections,
        only: command.only.clone(),
    };
    let stage = Stage::set(wharf, command.durable).await?;
    let mut report = Report::new(&pace, command.durable);

    let host = stage.host(Manifest::Bench).await?;
    let native = stage.native().await?;
    let scenarios = scenario::plain(&stage.keys)?;
    report.rows = compare::all(&scenarios, &native, &host, &pace).await?;
    report.memory("the small function, after load", &host, &native)?;
    host.stop().await?;

    let host = stage.host(Manifest::Quiet).await?;
    report.memory("the product, before load", &host, &native)?;
    let people = people::seed(&stage.keys, host.target().at).await?;
    let scenarios = scenario::product(&people);
    report
        .rows
        .extend(compare::all(&scenarios, &native, &host, &pace).await?);
    report.memory("the product, after load", &host, &native)?;
    host.stop().await?;

    let host = stage.host(Manifest::Product).await?;
    let scenarios = [scenario::booking_and_notices(&people, &stage.product_url)];
    report
        .rows
        .extend(compare::all(&scenarios, &native, &host, &pace).await?);
    if pace.only.is_none() {
        report.transfers = transfer::rate(&stage.product_url, &pace).await?;
        report.events = Some(events::measured(&stage).await?);
    }
    host.stop().await?;

    if pace.only.is_none() {
        let warm = start::warm(&stage, Manifest::Bench, "/hello").await?;
        report
            .starts
            .push(("the small function, stores running", warm));
        let warm = start::warm(&stage, Manifest::Product, "/parking?city=City-1").await?;
        report.starts.push(("the product, stores running", warm));
        report.starts.extend(start::cold(&stage).await?);
        report.sizes = stage.sizes()?;
    }
    native.stop().await?;
    Ok(report)
}
