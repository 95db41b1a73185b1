//! The statement of `POST /payments/send` alone, measured by `pgbench`: the rate that PostgreSQL allows without a server
//! in between.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::compare::{Settings, median};
use crate::users::USERS;

/// The same statement over the same accounts; only the parameters are passed differently.
const SEND: &str = include_str!("transfer.pgbench");

/// Transfers per second; `None` if `pgbench` is not installed.
pub async fn measure(url: &str, settings: &Settings) -> Result<Option<f64>> {
    let Some(pgbench) = find_pgbench() else {
        return Ok(None);
    };
    eprintln!("pgbench");
    let script = tempfile::NamedTempFile::new()?;
    std::fs::write(script.path(), SEND)?;
    let mut rates = Vec::new();
    for _ in 0..settings.rounds.min(3) {
        let output = Command::new(&pgbench)
            .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "1"])
            .args(["--client", &settings.connections.to_string()])
            .args(["--time", &settings.seconds.as_secs().max(1).to_string()])
            .args(["--define", &format!("users={USERS}"), "--file"])
            .arg(script.path())
            .arg(format!(
                "{url}?options=-csearch_path%3Dpayments%20-crole%3Dwharf_payments"
            ))
            .stdin(Stdio::null())
            .output()
            .await?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let rate = output
            .lines()
            .find_map(|it| it.strip_prefix("tps = "))
            .and_then(|it| it.split(' ').next());
        rates.push(
            rate.context("a line `tps = ` in the output of pgbench")?
                .parse()?,
        );
    }
    Ok(Some(median(&rates, |it| *it)))
}

/// Debian keeps it out of PATH, beside the server.
fn find_pgbench() -> Option<PathBuf> {
    let beside = std::fs::read_dir("/usr/lib/postgresql")
        .ok()
        .into_iter()
        .flatten()
        .flatten();
    let beside = beside.map(|it| it.path().join("bin"));
    let in_path = std::env::var_os("PATH")?;
    beside
        .chain(std::env::split_paths(&in_path))
        .map(|it| it.join("pgbench"))
        .find(|it| it.exists())
}
