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

/// From an empty data folder, and again from the folder that the first start left.
pub async fn measure_cold(stage: &Stage) -> Result<Vec<(&'static str, Duration)>> {
    let mut starts = Vec::new();
    for name in [
        "the product with stores of its own, from nothing",
        "the same, again",
    ] {
        eprintln!("{name}");
        let began = Instant::now();
        let host = stage.host_alone("alone").await?;
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
