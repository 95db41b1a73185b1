//! Measures the time from starting the host to its first response.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::connection::Connection;
use crate::scenario::get;
use crate::stage::{Manifest, Server, Stage};

const STARTS: usize = 5;

/// With running stores and compiled components: the median of several starts.
pub async fn measure_warm(stage: &Stage, manifest: Manifest, path: &str) -> Result<Duration> {
    eprintln!("warm starts");
    let mut took = Vec::new();
    for _ in 0..STARTS {
        let command = stage.host_command(manifest)?;
        let began = Instant::now();
        let host = stage.launch(command).await?;
        took.push(first_response(began, &host, path).await?);
        host.stop().await?;
    }
    took.sort();
    Ok(took.get(STARTS / 2).copied().unwrap_or_default())
}

/// From an empty data folder, again from the folder that the first start left, and from one in which `wharf build` has
/// compiled the components.
pub async fn measure_cold(stage: &Stage) -> Result<Vec<(&'static str, Duration)>> {
    stage.compile_ahead("built")?;
    let mut starts = Vec::new();
    for (folder, name) in [
        ("alone", "the product with stores of its own, from nothing"),
        ("alone", "the same, again"),
        ("built", "the same, for the first time once it is built"),
    ] {
        eprintln!("{name}");
        let began = Instant::now();
        let host = stage.host_alone(folder).await?;
        starts.push((
            name,
            first_response(began, &host, "/parking?city=City-1").await?,
        ));
        host.stop().await?;
    }
    Ok(starts)
}

async fn first_response(began: Instant, host: &Server, path: &str) -> Result<Duration> {
    Connection::open(host.target().at)
        .await?
        .send(&get(path, ""))
        .await?;
    Ok(began.elapsed())
}
