//! `wharf up`: the whole application, from a manifest to answers, and back to nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime::component::{Component as Code, Linker};
use wharf_manifest::manifest::{Component, Manifest};
use wharf_stores::Stores;

use crate::application::{self, Application, Parts};
use crate::cli::{self, Format};
use crate::engine::cache::Cache;
use crate::engine::{self, Capacity};
use crate::failure::{Failure, Result};
use crate::guest::Guest;
use crate::http::server;
use crate::journal::Journal;
use crate::turns::Turns;
use crate::{announce, code, commands, cron, link, redis_trigger, stop, stores, values};

/// What requests and messages under way get to finish once the host is told to stop.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn run(args: &cli::Up, journal: Arc<Journal>) -> Result<()> {
    let stopped = stop::signalled()?;
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
    serve(application, running.listener, stopped).await;
    running.stores.stop().await;
    Ok(())
}

/// What has to stay while the application is served.
struct Running {
    listener: TcpListener,
    stores: Stores,
}

async fn start(
    args: &cli::Up,
    manifest: &Arc<Manifest>,
    journal: &Journal,
) -> Result<(Running, Application)> {
    let environment = environment(&args.env)?;
    let (runtime_config, sources) = values::given(manifest, &args.values)?;
    let options = values::stores(manifest, &sources, &args.stores);
    let kept = values::kept(manifest, &sources, &options)?;
    // First of all, since it is what fails most often.
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
    // Databases start while machine code is read or made.
    let (compiled, compiling) = oneshot::channel();
    // Not a thread of the runtime, which would wait for it when the host is told to stop.
    thread::Builder::new()
        .name("compile".into())
        .spawn({
            let (manifest, data_dir) = (manifest.clone(), args.stores.data_dir.clone());
            let say = say.clone();
            move || {
                // Nobody is there to take it when the host was told to stop.
                let _ = compiled.send(compile(&manifest, &data_dir, &say));
            }
        })
        .context("compile the components")?;
    let (stores, compiled) = tokio::join!(stores::start(manifest, options, &kept, say), compiling);
    let (stores, compiled) = (stores?, compiled.context("compile the components")??);

    let resolved = values::resolve(manifest, &sources, &kept, stores.addresses(), &base_url)?;
    let parts = Parts {
        manifest,
        runtime_config: &runtime_config,
        variables: &resolved.variables,
        redis_url: stores.addresses().redis_url.as_deref(),
        environment: &environment,
        data_dir: &args.stores.data_dir,
        turns: &compiled.turns,
        journal,
        is_quiet: args.quiet,
    };
    let application = application::assemble(&parts, &compiled.linker, compiled.codes(manifest))
        .map_err(|fault| Failure::Usage(format!("{fault:#}")))?;
    match args.format {
        Format::Plain if args.quiet => {}
        Format::Plain => announce::plain(
            manifest,
            &base_url,
            &resolved.fresh_passwords,
            &args.stores.data_dir,
        ),
        Format::Json => announce::json(manifest, &base_url, stores.addresses()),
    }
    Ok((Running { listener, stores }, application))
}

fn environment(flags: &[String]) -> Result<BTreeMap<String, String>> {
    let pairs = flags.iter().map(|flag| match flag.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Failure::Usage(format!("--env {flag}: write NAME=VALUE"))),
    });
    pairs.collect()
}

struct Compiled {
    linker: Linker<Guest>,
    turns: Arc<Turns>,
    codes: Vec<(String, Code)>,
}

impl Compiled {
    fn codes<'a>(&self, manifest: &'a Manifest) -> Vec<(&'a Component, Code)> {
        let known = self
            .codes
            .iter()
            .filter_map(|(id, code)| Some((manifest.components.get(id)?, code.clone())));
        known.collect()
    }
}

fn compile(manifest: &Manifest, data_dir: &Path, say: &(impl Fn(&str) + Sync)) -> Result<Compiled> {
    let components: Vec<&Component> = manifest.triggered().collect();
    let engine = engine::build(capacity(manifest, &components))?;
    let turns = Turns::start(&engine)?;
    let cache = Cache::open(&engine, &data_dir.join("cache"))?;
    let codes = code::compile(&components, &cache, say).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{fault:#}")).collect();
        Failure::Usage(faults.join("\n"))
    })?;
    cache.forget_unused();
    let ids = components.iter().map(|component| component.id.clone());
    Ok(Compiled {
        linker: link::linker(&engine)?,
        turns,
        codes: ids.zip(codes).collect(),
    })
}

fn capacity(manifest: &Manifest, components: &[&Component]) -> Capacity {
    // A component that answers HTTP and hears messages has its instances twice.
    let triggers = |component: &Component| {
        let is_heard = manifest
            .redis
            .iter()
            .any(|trigger| trigger.component == component.id);
        let is_served = manifest
            .http
            .iter()
            .any(|trigger| trigger.answer.component() == Some(&component.id));
        u32::from(is_heard) + u32::from(is_served)
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

/// Serves until `stopped`, then takes no new work and finishes what has begun.
async fn serve(application: Application, listener: TcpListener, stopped: CancellationToken) {
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
    let requests = server::serve(listener, application.service, stopped.clone(), PATIENCE);
    let messages = async {
        stopped.cancelled().await;
        triggers.close();
        triggers.wait().await;
        application.work.close();
        if timeout(PATIENCE, application.work.wait()).await.is_err() {
            tracing::warn!("messages were still being handled after {PATIENCE:?}");
        }
    };
    tokio::join!(requests, messages);
}

/// For `Failure::Other`.
impl From<wasmtime::Error> for Failure {
    fn from(cause: wasmtime::Error) -> Self {
        Self::Other(anyhow!(cause))
    }
}
