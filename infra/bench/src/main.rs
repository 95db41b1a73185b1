//! `cargo run --release -p wharf-bench`: compares the host with a native server that runs the same SQL against the same
//! PostgreSQL, and prints one table.
//!
//! Reading order: `compare` (the method), `scenario` (the requests), `native` (the server to compare with), `load` and
//! `connection` (the client), `balancer` (two hosts), `stage` (stores and processes), `start` (time to the first response), `transfer` and
//! `events` (the bare SQL of a transfer; delivery of notices), `report`.
//!
//! Client, servers and PostgreSQL share the machine, so absolute numbers hold only for this machine. The ratios count:
//! each compares adjacent loads, and the median of several is reported.

mod balancer;
mod city;
mod compare;
mod connection;
mod events;
mod load;
mod machine;
mod modpacks;
mod native;
mod report;
mod scenario;
mod shops;
mod stage;
mod start;
mod token;
mod transfer;
mod users;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::compare::Settings;
use crate::report::Report;
use crate::stage::{Manifest, Stage};

/// Compares the host with a native axum + tokio-postgres server, and prints one table.
#[derive(Parser)]
struct Command {
    #[command(subcommand)]
    part: Option<Part>,
    /// Loads per server and scenario; the medians are printed
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Duration of one load, in seconds
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Connections of a load; each sends its next request when the response arrives
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Measure only scenarios with this word in their name, and nothing else; `notices`: their delivery; `starts`: how
    /// long they take
    #[arg(long)]
    only: Option<String>,
    /// Flush commits of PostgreSQL to disk: writes then mostly measure the disk
    #[arg(long)]
    durable: bool,
    /// Measure the existing build
    #[arg(long)]
    no_build: bool,
    /// Host binary to measure; it is not built [default: target/release/wharf]
    #[arg(long)]
    wharf: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Part {
    /// Run the native server; the benchmark starts it
    #[command(hide = true)]
    Native(native::Options),
}

fn main() -> Result<()> {
    let command = Command::parse();
    if let Some(Part::Native(options)) = command.part {
        return native::run(&options);
    }
    // One thread, to leave the rest of the machine to the servers.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(measure(&command))?;
    println!("{report}");
    Ok(())
}

/// A read and a story of three statements.
const BALANCED: [&str; 2] = ["GET /payment/balance, 64 callers", "POST /booking"];

async fn measure(command: &Command) -> Result<Report> {
    if command.wharf.is_none() && !command.no_build {
        stage::build_host()?;
    }
    let wharf = command
        .wharf
        .clone()
        .unwrap_or_else(wharf_launch::built_wharf);
    if !command.no_build {
        stage::build_functions(&wharf)?;
    }
    let settings = Settings {
        rounds: command.rounds,
        seconds: Duration::from_secs_f64(command.seconds),
        connections: command.connections,
        only: command.only.clone(),
    };
    let stage = Stage::set(wharf, command.durable).await?;
    let mut report = Report::new(&settings, command.durable);

    let host = stage.host(Manifest::Bench).await?;
    let native = stage.native().await?;
    let scenarios = scenario::small_function(&stage.keys)?;
    report.rows = compare::compare_all(&scenarios, &native, &host, &settings).await?;
    report.add_memory("the small function, after load", &host, &native)?;
    host.stop().await?;

    let host = stage.host(Manifest::Quiet).await?;
    report.add_memory("the product, before load", &host, &native)?;
    let users = users::seed(&stage.keys, host.target().at).await?;
    let shops = shops::seed(&stage.product_url).await?;
    let mut scenarios = scenario::product(&users);
    scenarios.extend(scenario::orders(&users, &shops)?);
    if settings.wants_any(&scenario::FINES) {
        let city = city::seed(&stage.product_url).await?;
        scenarios.extend(scenario::fines(&users, &city));
    }
    let packs = modpacks::seed(&stage.product_url).await?;
    scenarios.extend(scenario::modpacks(&packs));
    report
        .rows
        .extend(compare::compare_all(&scenarios, &native, &host, &settings).await?);
    report.add_memory("the product, after load", &host, &native)?;
    let second = stage.second_host().await?;
    for scenario in scenarios.iter().filter(|it| BALANCED.contains(&it.name)) {
        if settings.wants(scenario.name) {
            let hosts = [host.target(), second.target()];
            let (one, two) = balancer::measure_two(scenario, hosts, &settings).await?;
            report.balanced.push((scenario.name, one, two));
        }
    }
    second.stop().await?;
    host.stop().await?;

    let host = stage.host(Manifest::Product).await?;
    let scenarios = [scenario::booking_and_notices(&users, &stage.product_url)];
    report
        .rows
        .extend(compare::compare_all(&scenarios, &native, &host, &settings).await?);
    if settings.wants(scenario::SEND) {
        report.transfers = transfer::measure(&stage.product_url, &settings).await?;
    }
    if settings
        .only
        .as_deref()
        .is_none_or(|only| only == "notices")
    {
        report.events = Some(events::measure(&stage, host.target().pid, command.durable).await?);
    }
    host.stop().await?;

    if settings.only.as_deref().is_none_or(|only| only == "starts") {
        let warm = start::measure_warm(&stage, Manifest::Bench, "/hello").await?;
        report
            .starts
            .push(("the small function, stores running", warm));
        let warm = start::measure_warm(&stage, Manifest::Product, "/parking?city=City-1").await?;
        report.starts.push(("the product, stores running", warm));
        report.starts.extend(start::measure_cold(&stage).await?);
        report.sizes = stage.sizes()?;
    }
    native.stop().await?;
    Ok(report)
}
