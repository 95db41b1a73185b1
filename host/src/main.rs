//! `wharf` runs the application of a `spin.toml`: its components, its stores, its triggers.
//!
//! Reading order: `cli` (what can be said), `commands::up` (from a manifest to answers), `application`
//! (what that is), then a trigger: `http`, `listener` with `redis_trigger` and `cron`. What a component
//! may import is the crate `wharf-imports`; what a manifest may say, `wharf-manifest`; stores, `wharf-stores`.

mod announce;
mod application;
mod cli;
mod code;
mod commands;
mod compose;
mod cron;
mod engine;
mod failure;
mod files;
mod function;
mod guest;
mod http;
mod instances;
mod journal;
mod link;
mod listener;
mod metrics;
mod redis_trigger;
mod request_id;
mod stop;
mod stores;
mod turns;
mod values;

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command};
use crate::failure::Result;
use crate::journal::Journal;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Routes(args) => commands::routes::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Keys(args) => commands::keys::run(&args),
        Command::Build(args) => complete(commands::build::run(&args)),
        Command::Migrate(args) => complete(commands::migrate::run(&args)),
        Command::Services(args) => complete(commands::services::run(&args)),
        Command::Up(args) => {
            // Dropped last, so that what is said at the end is still carried out.
            let journal = Arc::new(Journal::start().context("start the journal")?);
            log_to(&journal, args.quiet);
            complete(commands::up::run(&args, journal.clone()))
        }
    }
}

/// What a command that was told to stop may have left under way (a store that is still starting) has
/// this long to be stopped in order; what is left then dies with the process.
const PATIENCE: Duration = Duration::from_secs(3);

fn complete(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = runtime()?;
    let result = runtime.block_on(command);
    runtime.shutdown_timeout(PATIENCE);
    result
}

/// More threads than processors: a guest that computes holds one for its turn, and the health check
/// must find another.
fn runtime() -> Result<Runtime> {
    let threads = thread::available_parallelism().map_or(2, usize::from) * 2;
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        // Sockets are looked at after this many tasks, each of which may be a guest that takes its turn.
        .event_interval(11)
        .enable_all()
        .build();
    Ok(runtime.context("start the threads")?)
}

/// `RUST_LOG` decides what is said; by default what an operator wants to know.
fn log_to(journal: &Journal, is_quiet: bool) {
    // s3s calls every refused request an error; our own errors of S3 are told apart from it.
    let default = if is_quiet {
        "warn,s3s=off"
    } else {
        "info,s3s=off"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let console = journal.console();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_target(false)
        .with_writer(move || console.clone())
        .init();
}
