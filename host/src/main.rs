//! `wharf` runs the application of a `spin.toml`: its components, its stores, its triggers.
//!
//! Reading order: `cli` (commands and flags), `commands::up` (from a manifest to a running server),
//! `application` (what that server is made of), then the triggers: `http`, and `listener` with `redis_trigger` and
//! `cron`. Other crates: `wharf-manifest` (the manifest), `wharf-imports` (interfaces that components import),
//! `wharf-stores` (embedded stores, migrations, keys).

mod announce;
mod application;
mod cli;
mod code;
mod commands;
mod compose;
mod core_module;
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
mod memory;
mod metrics;
mod redis_trigger;
mod request_id;
mod scheduler;
mod sqlite;
mod stop;
mod stores;
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
        Command::Build(args) => block_on(commands::build::run(&args)),
        Command::Compile(args) => commands::compile::run(&args),
        Command::Migrate(args) => block_on(commands::migrate::run(&args)),
        Command::Services(args) => block_on(commands::services::run(&args)),
        Command::Up(args) => {
            memory::limit_heaps();
            // Dropped last, so that lines logged during shutdown are still written.
            let journal = Arc::new(Journal::start().context("start the journal")?);
            init_logging(&journal, args.quiet);
            block_on(commands::up::run(&args, journal.clone()))
        }
    }
}

/// Time for tasks that a stopped command left running (a store that is still starting) to end in order.
/// Tasks that take longer end with the process.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

fn block_on(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = build_runtime()?;
    let result = runtime.block_on(command);
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    result
}

/// Twice as many threads as processors: a guest that computes holds a thread for a time slice, and the
/// health check must still find a free one.
fn build_runtime() -> Result<Runtime> {
    let threads = thread::available_parallelism().map_or(2, usize::from) * 2;
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        // Sockets are polled after this many tasks, each of which may be a guest that uses up a time slice.
        .event_interval(11)
        .enable_all()
        .build();
    Ok(runtime.context("start the threads")?)
}

/// `RUST_LOG` overrides the default log level.
fn init_logging(journal: &Journal, is_quiet: bool) {
    // s3s logs every refused request as an error. Errors of our own S3 store are logged separately.
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
