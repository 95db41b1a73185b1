//! `wharf up`: starts the stores, compiles the components, serves until a signal, and shuts down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use wasmtime::component::{Component as Code, InstancePre};
use wharf_manifest::manifest::{Component, ConnectionLimits, Manifest};
use wharf_stores::Stores;

use crate::application::{self, Application, Parts};
use crate::cli::{self, Format};
use crate::commands::{self, compile};
use crate::engine::cache::Cache;
use crate::failure::{Failure, Result};
use crate::guest::Guest;
use crate::http::connections;
use crate::http::server::{self, Stop};
use crate::journal::Journal;
use crate::scheduler::Scheduler;
use crate::{announce, code, cron, link, memory, redis_trigger, stop, stores, values};

/// Time for requests and messages in progress to finish after a stop signal.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

pub async fn run(args: &cli::Up, journal: Arc<Journal>) -> Result<()> {
    let stopped = stop::on_signal()?;
    let max_descriptors = connections::raise_descriptor_limit();
    let manifest = Arc::new(super::load(&args.manifest)?);
    if args.build {
        let built = commands::build::build(&manifest, &stopped, |_| true).await;
        if stopped.is_cancelled() {
            return Ok(());
        }
        built?;
    }
    let (running, application) = tokio::select! {
        started = start(args, &manifest, &journal) => started?,
        () = stopped.cancelled() => return Ok(()),
    };
    let limits = manifest.wharf.connections;
    let stop = Stop {
        requested: stopped,
        delay: Duration::from_millis(args.stop_delay_ms),
        drain_timeout: DRAIN_TIMEOUT,
    };
    serve(application, running.listener, limits, max_descriptors, stop).await;
    running.stores.stop().await;
    Ok(())
}

/// Kept while the application is served.
struct Running {
    listener: TcpListener,
    stores: Stores,
}

async fn start(
    args: &cli::Up,
    manifest: &Arc<Manifest>,
    journal: &Journal,
) -> Result<(Running, Application)> {
    let environment = parse_environment(&args.env)?;
    let (runtime_config, sources) = values::read_sources(manifest, &args.values)?;
    let options = values::store_options(manifest, &sources, &args.stores);
    let host_values = values::open_host_values(manifest, &sources, &options)?;
    // Listen first: a taken port is the most common failure.
    let listener = TcpListener::bind(args.listen).await.with_context(|| {
        format!(
            "cannot listen on {} (choose another with --listen)",
            args.listen
        )
    })?;
    let base_url = format!(
        "http://{}",
        listener.local_addr().context("the address listened on")?
    );

    let console = (!args.quiet).then(|| journal.console());
    let say = move |line: &str| {
        if let Some(console) = &console {
            console.append(format!("{line}\n").as_bytes());
        }
    };
    // The stores start while components are compiled or loaded.
    let (compiled, compiling) = oneshot::channel();
    // Not a task of the runtime: shutting the runtime down would wait for it.
    thread::Builder::new()
        .name("compile".into())
        .spawn({
            let (manifest, args, say) = (manifest.clone(), args.clone(), say.clone());
            move || {
                // Fails if the host was stopped meanwhile.
                let _ = compiled.send(compile(&manifest, &args, &say));
            }
        })
        .context("compile the components")?;
    let (stores, compiled) = tokio::join!(
        stores::start(manifest, options, &host_values, say),
        compiling
    );
    let (stores, compiled) = (stores?, compiled.context("compile the components")??);

    let resolved = values::resolve(
        manifest,
        &sources,
        &host_values,
        stores.addresses(),
        &base_url,
    )?;
    let parts = Parts {
        manifest,
        runtime_config: &runtime_config,
        variables: &resolved.variables,
        redis_url: stores.addresses().redis_url.as_deref(),
        environment: &environment,
        data_dir: &args.stores.data_dir,
        sqlite_statements: &args.sqlite,
        scheduler: &compiled.scheduler,
        journal,
        is_quiet: args.quiet,
        is_as_spin: args.as_spin,
    };
    let application = application::assemble(&parts, compiled.linked(manifest))
        .map_err(|fault| Failure::Usage(format!("{fault:#}")))?;
    match args.format {
        Format::Plain if args.quiet => {}
        Format::Plain => announce::print_text(
            manifest,
            &base_url,
            &resolved.fresh_passwords,
            &args.stores.data_dir,
        ),
        Format::Json => {
            let file = args.stores.data_dir.join("stores.json");
            announce::write_stores(stores.addresses(), &file)
                .with_context(|| format!("write {}", file.display()))?;
            announce::print_json(manifest, &base_url, &file);
        }
    }
    Ok((Running { listener, stores }, application))
}

fn parse_environment(flags: &[String]) -> Result<BTreeMap<String, String>> {
    let pairs = flags.iter().map(|flag| match flag.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Failure::Usage(format!("--env {flag}: write NAME=VALUE"))),
    });
    pairs.collect()
}

struct Compiled {
    scheduler: Arc<Scheduler>,
    /// By the ids of the components.
    linked: Vec<(String, InstancePre<Guest>)>,
}

impl Compiled {
    fn linked<'a>(&self, manifest: &'a Manifest) -> Vec<(&'a Component, InstancePre<Guest>)> {
        let known = self
            .linked
            .iter()
            .filter_map(|(id, pre)| Some((manifest.components.get(id)?, pre.clone())));
        known.collect()
    }
}

fn compile(manifest: &Manifest, args: &cli::Up, say: &(impl Fn(&str) + Sync)) -> Result<Compiled> {
    let components: Vec<&Component> = manifest.triggered().collect();
    let engine = compile::engine_for(manifest)?;
    let scheduler = Scheduler::start(&engine)?;
    let cache = Cache::open(&engine, &args.stores.data_dir.join("cache"))?;
    let linker = link::build_linker(&engine)?;
    let elsewhere = || compile::run_apart(&args.manifest, &args.stores.data_dir, say);
    let link = |code: &Code| link::link(&linker, code);
    let linked = code::load(&components, &cache, elsewhere, link, say).map_err(compile::failure)?;
    cache.remove_unused();
    let ids = components.iter().map(|component| component.id.clone());
    Ok(Compiled {
        scheduler,
        linked: ids.zip(linked).collect(),
    })
}

/// Serves until a stop is requested, then accepts no new work and finishes what is in progress.
async fn serve(
    application: Application,
    listener: TcpListener,
    limits: ConnectionLimits,
    max_descriptors: Option<u64>,
    stop: Stop,
) {
    // Linking leaves free memory behind.
    tokio::task::spawn_blocking(memory::give_back);
    let stopped = stop.requested.clone();
    let triggers = TaskTracker::new();
    for subscription in application.subscriptions {
        triggers.spawn(redis_trigger::run(
            subscription,
            application.metrics.clone(),
            stopped.clone(),
        ));
    }
    for entry in application.cron {
        triggers.spawn(cron::run(entry, application.work.clone(), stopped.clone()));
    }
    let messages = async {
        stopped.cancelled().await;
        triggers.close();
        triggers.wait().await;
    };
    let service = application.service;
    let requests = server::serve(listener, service, limits, max_descriptors, stop);
    tokio::join!(requests, messages);
    application.work.close();
    let finished = timeout(DRAIN_TIMEOUT, application.work.wait()).await;
    if finished.is_err() {
        tracing::warn!("components were still working after {DRAIN_TIMEOUT:?}");
    }
}
