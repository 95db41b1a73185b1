//! `wharf compile`: compiles the components ahead into the cache of a data folder.
//!
//! `wharf up` runs it as a process of its own for what is not in its cache: a compiler takes hundreds of megabytes, which
//! its process would keep.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use wasmtime::Engine;
use wharf_manifest::manifest::{Component, Manifest};
use wharf_stores::set_parent_death_signal;

use crate::cli::{self, ManifestArgs};
use crate::code;
use crate::engine::cache::Cache;
use crate::engine::{self, Capacity};
use crate::failure::{Failure, Result};

pub fn run(args: &cli::Compile) -> Result<()> {
    let manifest = super::load(&args.manifest)?;
    compile(&manifest, &args.data_dir)
}

pub fn compile(manifest: &Manifest, data_dir: &Path) -> Result<()> {
    let components: Vec<&Component> = manifest.triggered().collect();
    let engine = engine_for(manifest)?;
    let cache = Cache::open(&engine, &data_dir.join("cache"))?;
    code::compile(&components, &cache, &|line| println!("{line}")).map_err(failure)
}

/// `wharf compile` as a process that ends with the calling thread.
pub fn run_apart(
    manifest: &ManifestArgs,
    data_dir: &Path,
    say: impl Fn(&str),
) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("compile").arg("--from").arg(&manifest.path);
    if let Some(profile) = &manifest.profile {
        command.args(["--profile", profile]);
    }
    command
        .arg("--data-dir")
        .arg(data_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // The caller finds the same warnings and errors.
        .stderr(Stdio::null());
    set_parent_death_signal(&mut command, Signal::KILL);
    let mut child = command.spawn().context("start the compiler")?;
    let lines = child.stdout.take().map(BufReader::new);
    for line in lines.into_iter().flat_map(BufRead::lines) {
        say(&line?);
    }
    let status = child.wait()?;
    ensure!(status.success(), "the compiler: {status}");
    Ok(())
}

pub fn failure(faults: Vec<anyhow::Error>) -> Failure {
    let faults: Vec<String> = faults.iter().map(|fault| format!("{fault:#}")).collect();
    Failure::Usage(faults.join("\n"))
}

/// The engine that runs the application. What it compiles fits the same engine only.
pub fn engine_for(manifest: &Manifest) -> anyhow::Result<Engine> {
    engine::build(needed_capacity(manifest))
}

fn needed_capacity(manifest: &Manifest) -> Capacity {
    let components: Vec<&Component> = manifest.triggered().collect();
    // A component has a pool of instances per kind of trigger: HTTP, messages.
    let triggers = |component: &Component| {
        let has_redis_trigger = manifest
            .redis
            .iter()
            .any(|trigger| trigger.component == component.id);
        let has_http_trigger = manifest
            .http
            .iter()
            .any(|trigger| trigger.answer.component() == Some(&component.id));
        u32::from(has_redis_trigger) + u32::from(has_http_trigger)
    };
    let instances = components
        .iter()
        .map(|component| component.wharf.max_instances * triggers(component))
        .sum::<u32>();
    let parts = components
        .iter()
        .map(|component| component.dependencies.len() + 1)
        .max();
    Capacity {
        instances: instances.max(1),
        memory_bytes: components
            .iter()
            .map(|component| component.wharf.memory_bytes)
            .max()
            .unwrap_or(1 << 20),
        parts: parts
            .and_then(|parts| u32::try_from(parts).ok())
            .unwrap_or(1),
    }
}
