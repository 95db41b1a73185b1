//! How long it takes from starting the host to having its first answer.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::line::Line;
use crate::scenario::get;
use crate::stage::{Manifest, Server, Stage};

const TIMES: usize = 5;

/// With stores that run and components that were compiled before: the median of several.
pub async fn warm(stage: &Stage, manifest: Manifest, path: &str) -> Result<Duration> {
    eprintln!("warm starts");
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        let host = stage.host(manifest).await?;
        took.push(first_answer(began, &host, path).await?);
        host.stop().await?;
    }
    took.sort();
    Ok(took.get(TIMES / 2).copied().unwrap_or_default())
}

/// With nothing, and again with what the first time left.
pub async fn cold(stage: &Stage) -> Result<Vec<(&'static str, Duration)>> {
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
            first_answer(began, &host, "/parking?city=City-1").await?,
        ));
        host.stop().await?;
    }
    Ok(starts)
}

async fn first_answer(began: Instant, host: &Server, path: &str) -> Result<Duration> {
    Line::to(host.target().at)
        .await?
        .ask(&get(path, ""))
        .await?;
    Ok(began.elapsed())
}
