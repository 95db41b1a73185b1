//! `wharf doctor`: checks for everything that commonly keeps an application from starting, without starting
//! it. Each finding says what to do.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::anyhow;
use wharf_manifest::manifest::{Build, Component, HostValue, Manifest};
use wharf_stores::{MIN_REDIS_FOR_LOGINS, Migrations, Store, redis_version};

use crate::cli;
use crate::failure::Result;

pub fn run(args: &cli::Doctor) -> Result<()> {
    println!("wharf {}", env!("CARGO_PKG_VERSION"));
    let manifest = super::load(&args.manifest)?;
    let mut findings = Findings::default();
    findings.pass(format!("{} has no faults", manifest.path.display()));
    check_artifacts(&manifest, &mut findings);
    check_toolchain(&manifest, &mut findings);
    check_stores(&manifest, &mut findings);
    check_migrations(&manifest, &mut findings);
    check_data_dir(&args.data_dir, &mut findings);
    check_port(args.listen, &mut findings);
    print_limits(&manifest);
    match findings.failed {
        0 => Ok(()),
        1 => Err(anyhow!("1 problem found").into()),
        many => Err(anyhow!("{many} problems found").into()),
    }
}

/// Every limit that holds, whether the manifest sets it or not.
fn print_limits(manifest: &Manifest) {
    let settings = &manifest.wharf;
    let connections = &settings.connections;
    println!(
        "  limit  {} connections, {} per client; idle {:?}, stalled {:?}",
        connections.max,
        connections.max_per_client,
        connections.idle_timeout,
        connections.stall_timeout
    );
    println!(
        "  limit  key-value store {} MB, SQLite database {} MB",
        settings.key_value_limit_bytes >> 20,
        settings.sqlite_limit_bytes >> 20
    );
    for component in manifest.triggered() {
        let limits = &component.wharf;
        println!(
            "  limit  {}: {} instances of {} MB, requests of {:?} with {} kB, {} MB of them pending, {} MB of messages waiting, {} outgoing connections, {} of them to one PostgreSQL, statements of {:?}, {} MB of answers",
            component.id,
            limits.max_instances,
            limits.memory_bytes >> 20,
            limits.request_timeout,
            limits.body_limit_bytes >> 10,
            limits.pending_bodies_bytes >> 20,
            limits.waiting_messages_bytes >> 20,
            limits.outbound_connections,
            limits.postgres.connections,
            limits.postgres.statement_timeout,
            limits.held_answers_bytes >> 20
        );
    }
}

#[derive(Default)]
struct Findings {
    failed: usize,
}

impl Findings {
    fn pass(&self, finding: String) {
        println!("  ok     {finding}");
    }

    fn fail(&mut self, finding: String) {
        self.failed += 1;
        println!("  wrong  {finding}");
    }
}

/// Checks that every component file exists and is not older than its sources.
fn check_artifacts(manifest: &Manifest, findings: &mut Findings) {
    let mut artifacts: BTreeMap<&Path, Option<&Build>> = BTreeMap::new();
    for component in manifest.triggered() {
        artifacts.insert(&component.source, component.build.as_ref());
        for dependency in &component.dependencies {
            let maker = manifest
                .components
                .values()
                .find(|other| other.source == dependency.source);
            artifacts
                .entry(&dependency.source)
                .or_insert(maker.and_then(|maker| maker.build.as_ref()));
        }
    }
    let mut is_complete = true;
    for (artifact, build) in artifacts {
        let Ok(built) = fs::metadata(artifact).and_then(|metadata| metadata.modified()) else {
            findings.fail(format!(
                "{} is not there: run `wharf build`",
                artifact.display()
            ));
            is_complete = false;
            continue;
        };
        if let Some(newer) = build.and_then(|build| find_newer_source(build, built)) {
            findings.fail(format!(
                "{} is older than {}: run `wharf build`",
                artifact.display(),
                newer.display()
            ));
            is_complete = false;
        }
    }
    if is_complete {
        findings.pass("every component is built".to_owned());
    }
}

fn find_newer_source(build: &Build, built: SystemTime) -> Option<PathBuf> {
    let patterns = build
        .watch
        .iter()
        .map(|pattern| build.workdir.join(pattern));
    let sources = patterns
        .filter_map(|pattern| glob::glob(&pattern.to_string_lossy()).ok())
        .flatten()
        .flatten();
    let mut newer = sources.filter(|source| {
        let changed = fs::metadata(source).and_then(|metadata| metadata.modified());
        source.is_file() && changed.is_ok_and(|changed| changed > built)
    });
    newer.next()
}

/// Checks the Rust toolchain, if cargo builds a component.
fn check_toolchain(manifest: &Manifest, findings: &mut Findings) {
    let uses_cargo = |component: &Component| {
        let build = component.build.as_ref();
        build.is_some_and(|build| {
            build
                .commands
                .iter()
                .any(|command| command.contains("cargo "))
        })
    };
    if !manifest.components.values().any(uses_cargo) {
        return;
    }
    match run_program(&manifest.dir, "cargo", &["--version"]) {
        Some(version) => findings.pass(version),
        None => findings.fail("cargo is not installed: see https://rustup.rs".to_owned()),
    }
    let folder = run_program(
        &manifest.dir,
        "rustc",
        &["--print", "target-libdir", "--target", "wasm32-wasip2"],
    );
    match folder {
        Some(folder) if Path::new(&folder).is_dir() => {
            findings.pass("the target wasm32-wasip2 is installed".to_owned());
        }
        _ => findings.fail(
            "the target wasm32-wasip2 is not installed: run `rustup target add wasm32-wasip2`"
                .to_owned(),
        ),
    }
}

/// The output of a program, run in the folder of the manifest because a toolchain may be pinned there.
fn run_program(dir: &Path, program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .output()
        .ok()?;
    let text = output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).ok())??;
    Some(text.trim().to_owned())
}

/// Checks that the programs of embedded stores are installed, and that Redis has what its logins need.
fn check_stores(manifest: &Manifest, findings: &mut Findings) {
    let values = manifest.wharf.variables.values();
    let uses = |wanted: fn(&HostValue) -> bool| values.clone().any(wanted);
    let uses_postgres =
        uses(|value| matches!(value, HostValue::Postgres { .. } | HostValue::PostgresHost));
    let uses_redis = uses(|value| {
        matches!(
            value,
            HostValue::Redis
                | HostValue::RedisLogin { .. }
                | HostValue::RedisHost
                | HostValue::RedisOrigin
        )
    }) || !manifest.redis.is_empty();
    for (store, is_used) in [(Store::Postgres, uses_postgres), (Store::Redis, uses_redis)] {
        if !is_used {
            continue;
        }
        match store.program() {
            Ok(Some(program)) => match find_old_redis(manifest, store, &program) {
                None => findings.pass(format!("{store} is at {}", program.display())),
                Some(version) => findings.fail(format!(
                    "{store} at {} has version {version}: the logins in `redis_logins` need {MIN_REDIS_FOR_LOGINS} or newer",
                    program.display()
                )),
            },
            Ok(None) => {}
            Err(missing) => findings.fail(missing.to_string()),
        }
    }
}

/// The version of an embedded Redis that is too old for its logins.
fn find_old_redis(manifest: &Manifest, store: Store, program: &Path) -> Option<u32> {
    let has_logins = store == Store::Redis && !manifest.wharf.redis_logins.is_empty();
    let version = has_logins.then(|| redis_version(program))??;
    (version < MIN_REDIS_FOR_LOGINS).then_some(version)
}

fn check_migrations(manifest: &Manifest, findings: &mut Findings) {
    let Some(folder) = &manifest.wharf.migrations else {
        return;
    };
    match Migrations::read(folder) {
        Ok(migrations) => {
            let schemas: Vec<&str> = migrations.schemas().collect();
            findings.pass(format!(
                "the migrations can be read ({})",
                schemas.join(", ")
            ));
        }
        Err(fault) => findings.fail(fault.to_string()),
    }
}

fn check_data_dir(folder: &Path, findings: &mut Findings) {
    let written = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    match written {
        Ok(_) => findings.pass(format!("{} can be written", folder.display())),
        Err(cause) => findings.fail(format!("{} cannot be written: {cause}", folder.display())),
    }
    for left in wharf_stores::find_abandoned_folders() {
        println!(
            "  note   {} belongs to a data folder that was not found; delete it if that folder is gone for good",
            left.display()
        );
    }
}

fn check_port(address: SocketAddr, findings: &mut Findings) {
    match TcpListener::bind(address) {
        Ok(_) => findings.pass(format!("{address} is free to listen on")),
        Err(cause) => findings.fail(format!(
            "cannot listen on {address} ({cause}): choose another with --listen"
        )),
    }
}
