//! Assembles the application: every component, linked with its grants, behind its routes and channels. `values`
//! resolves variables, `code` compiles, `commands::up` starts and stops.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use wasmtime::component::InstancePre;
use wharf_imports::key_value::Store;
use wharf_imports::sqlite::Database;
use wharf_imports::variables::Variables as ReadVariables;
use wharf_imports::{Budget, Grants, Imports, postgres};
use wharf_manifest::manifest::{Component, HttpAnswer, Manifest, StaticResponse, When};
use wharf_manifest::networks::Networks;
use wharf_manifest::routes::Router;
use wharf_manifest::runtime_config::{KeyValueStore, RuntimeConfig};
use wharf_manifest::template::Template;
use wharf_manifest::variables::Variables;

use crate::cron;
use crate::files;
use crate::function::{Function, Limits, MAX_UNSENT_FRAMES};
use crate::guest::Guest;
use crate::guest::output::Destination;
use crate::http::bearer::Bearer;
use crate::http::cors::Cors;
use crate::http::function::HttpFunction;
use crate::http::headers::RouteHeaders;
use crate::http::local::Local;
use crate::http::metrics_guard::MetricsGuard;
use crate::http::service::{LocalService, Route, Service, Target, match_all};
use crate::instances::FailureLog;
use crate::journal::{Allowance, Journal};
use crate::link;
use crate::listener::Listener;
use crate::metrics::Metrics;
use crate::redis_trigger::Subscription;
use crate::scheduler::Scheduler;
use crate::sqlite;

/// The inputs of `assemble`.
pub struct Parts<'a> {
    pub manifest: &'a Manifest,
    pub runtime_config: &'a RuntimeConfig,
    pub variables: &'a Variables,
    /// The Redis of triggers without an address.
    pub redis_url: Option<&'a str>,
    /// Added to the environment of every component.
    pub environment: &'a BTreeMap<String, String>,
    pub data_dir: &'a Path,
    /// `--sqlite`
    pub sqlite_statements: &'a [String],
    pub scheduler: &'a Arc<Scheduler>,
    pub journal: &'a Journal,
    pub is_quiet: bool,
    /// Whether components are called as Spin calls them.
    pub is_as_spin: bool,
}

pub struct Application {
    pub service: Arc<Service>,
    pub metrics: Arc<Metrics>,
    pub subscriptions: Vec<Subscription>,
    pub cron: Vec<cron::Entry>,
    /// Messages being handled, and what requests run on with after their response.
    pub work: TaskTracker,
}

/// Assembles the application from every triggered component, linked.
pub fn assemble(
    parts: &Parts,
    linked: Vec<(&Component, InstancePre<Guest>)>,
) -> Result<Application> {
    let mut metrics = Metrics::new();
    let shared = Shared {
        local: Local::default(),
        key_value_stores: open_key_value_stores(parts)?,
        sqlite_databases: sqlite::open_databases(parts)?,
        total_connections: parts
            .runtime_config
            .max_total_connections
            .map(|max| Arc::new(Semaphore::new(max))),
        work: TaskTracker::new(),
    };
    let mut functions = HashMap::new();
    for (component, pre) in linked {
        let function = build_function(parts, component, pre, &shared, &mut metrics);
        let function = function.with_context(|| format!("component \"{}\"", component.id))?;
        functions.insert(component.id.as_str(), Arc::new(function));
    }

    let mut listeners = HashMap::new();
    for trigger in &parts.manifest.redis {
        let id = trigger.component.as_str();
        if listeners.contains_key(id) {
            continue;
        }
        let function = functions.get(id).with_context(|| not_compiled(id))?;
        let listener = Listener::start(function.clone(), &shared.work)
            .with_context(|| format!("component \"{id}\""))?;
        listeners.insert(id.to_owned(), listener);
    }
    let (subscriptions, all_channels) = build_subscriptions(parts, &listeners)?;
    let cron = build_cron_entries(parts, &all_channels)?;
    let service = build_service(parts, &functions, metrics)?;
    shared.local.connect(&service);
    Ok(Application {
        metrics: service.metrics.clone(),
        service,
        subscriptions,
        cron,
        work: shared.work,
    })
}

fn not_compiled(id: &str) -> String {
    format!("component \"{id}\" was not compiled")
}

fn build_function(
    parts: &Parts,
    component: &Component,
    pre: InstancePre<Guest>,
    shared: &Shared,
    metrics: &mut Metrics,
) -> Result<Function> {
    let id: Arc<str> = component.id.as_str().into();
    let logs = parts.data_dir.join("logs");
    std::fs::create_dir_all(&logs).with_context(|| format!("create {}", logs.display()))?;
    let allowance = Allowance::for_files();
    let terminal = (!parts.is_quiet)
        .then(|| parts.journal.component_console(&id))
        .transpose()?;
    let destination = |stream: &str| -> Result<Destination> {
        let path = logs.join(format!("{id}_{stream}.txt"));
        let file = parts
            .journal
            .file(&path, &allowance)
            .with_context(|| format!("open {}", path.display()))?;
        Ok(Destination {
            label: id.clone(),
            file,
            terminal: terminal.clone(),
        })
    };
    let stderr = destination("stderr")?;
    let imports = build_imports(parts, component, shared, stderr.clone())?;
    let mut environment = component.environment.clone();
    environment.extend(parts.environment.clone());
    if parts.manifest.wharf.request_id_in_sql {
        // Tells the guest that it may name the request of a statement.
        environment.insert("WHARF_REQUEST_ID_IN_SQL".to_owned(), "1".to_owned());
    }
    let limits = Limits::from(&component.wharf);
    Ok(Function {
        limits,
        is_as_spin: parts.is_as_spin,
        meter: metrics.add_component(&id),
        pre,
        scheduler: parts.scheduler.clone(),
        imports: Arc::new(imports),
        environment: environment.into_iter().collect(),
        files: files::copy_files(component, &parts.manifest.dir, &files_dir(parts, &id))?,
        stdout: destination("stdout")?,
        stderr,
        failure_log: FailureLog::default(),
        unsent_frames: Arc::new(Semaphore::new(MAX_UNSENT_FRAMES)),
        work: shared.work.clone(),
        id,
    })
}

fn files_dir(parts: &Parts, id: &str) -> PathBuf {
    parts.data_dir.join("files").join(id)
}

fn build_imports(
    parts: &Parts,
    component: &Component,
    shared: &Shared,
    stderr: Destination,
) -> Result<Imports> {
    let allowed_hosts = parts.variables.allowed_hosts(parts.manifest, component);
    let given = parts.variables.of_component(component)?;
    let all: BTreeMap<String, String> = component
        .variables
        .keys()
        .filter_map(|name| Some((name.clone(), given.get(name)?.to_owned())))
        .collect();
    let files = component.dependency_files().into_iter();
    let dependency_variables = files
        .map(|file| variables_of_dependency(parts.manifest, component, file, &all))
        .collect();
    let mut variables = all;
    variables.retain(|name, _| !component.wharf.dependency_variables.contains(name));
    let key_value_stores = granted(&shared.key_value_stores, &component.key_value_stores)
        .context("a key-value store")?;
    let sqlite_databases = granted(&shared.sqlite_databases, &component.sqlite_databases)
        .context("a SQLite database")?;
    let limits = &component.wharf.postgres;
    Ok(Imports::new(Grants {
        component: component.id.clone(),
        allowed_hosts: allowed_hosts.map_err(|faults| anyhow!(faults.join("\n")))?,
        blocked_networks: parts.runtime_config.blocked_networks.clone(),
        variables: Arc::new(variables),
        dependency_variables,
        key_value_stores,
        sqlite_databases,
        postgres: postgres::Settings {
            connections: usize::try_from(limits.connections)?,
            wait: limits.wait,
            statement_timeout: limits.statement_timeout,
            refuses_empty_results: parts.is_as_spin,
            names_requests: parts.manifest.wharf.request_id_in_sql,
            ..Default::default()
        },
        budget: Budget::new(
            usize::try_from(component.wharf.outbound_connections)?,
            component.wharf.held_answers_bytes,
            shared.total_connections.clone(),
        ),
        local: Arc::new(shared.local.clone()),
        stderr: Arc::new(move |line| stderr.write_line(line)),
    })?)
}

/// What a dependency from `file` reads of `all` variables of its consumer: where the consumer keeps some from itself, those that
/// the dependency's own entry in the manifest has, and otherwise all of them, as in Spin.
fn variables_of_dependency(
    manifest: &Manifest,
    consumer: &Component,
    file: &Path,
    all: &BTreeMap<String, String>,
) -> Arc<dyn ReadVariables> {
    let entries = manifest.components.values();
    let entries: Vec<&Component> = entries.filter(|entry| entry.source == file).collect();
    let mut variables = all.clone();
    if !consumer.wharf.dependency_variables.is_empty() && !entries.is_empty() {
        variables.retain(|name, _| {
            let mut entries = entries.iter();
            entries.any(|entry| entry.variables.contains_key(name))
        });
    }
    Arc::new(variables)
}

/// What the components share. Stores are found by their labels.
struct Shared {
    local: Local,
    key_value_stores: BTreeMap<String, Store>,
    sqlite_databases: BTreeMap<String, Database>,
    /// One permit per outgoing connection of the components together.
    total_connections: Option<Arc<Semaphore>>,
    work: TaskTracker,
}

/// The stores with these labels.
fn granted<S: Clone>(
    stores: &BTreeMap<String, S>,
    labels: &[String],
) -> Result<BTreeMap<String, S>> {
    let stores = labels.iter().map(|label| {
        let store = stores
            .get(label)
            .with_context(|| format!("there is no \"{label}\""))?;
        Ok((label.clone(), store.clone()))
    });
    stores.collect()
}

/// Opens every key-value store that a component was granted. A store that the runtime configuration does not mention
/// is a file of this host.
fn open_key_value_stores(parts: &Parts) -> Result<BTreeMap<String, Store>> {
    let folder = parts.data_dir.join("key-value");
    let max_bytes = parts.manifest.wharf.key_value_limit_bytes;
    let labels = parts
        .manifest
        .components
        .values()
        .flat_map(|component| &component.key_value_stores);
    let mut stores = BTreeMap::new();
    for label in labels {
        let default_path = || -> Result<PathBuf> {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("create {}", folder.display()))?;
            Ok(folder.join(format!("{label}.redb")))
        };
        let store = match parts.runtime_config.key_value_stores.get(label) {
            Some(KeyValueStore::Redis { url }) => Store::redis(url)?,
            Some(KeyValueStore::Embedded { path: Some(path) }) => Store::file(path, max_bytes)?,
            Some(KeyValueStore::Embedded { path: None }) | None => {
                Store::file(&default_path()?, max_bytes)?
            }
        };
        stores.insert(label.clone(), store);
    }
    Ok(stores)
}

fn build_service(
    parts: &Parts,
    functions: &HashMap<&str, Arc<Function>>,
    mut metrics: Metrics,
) -> Result<Arc<Service>> {
    let mut local_services: HashMap<String, LocalService> = HashMap::new();
    let mut router = Router::default();
    for trigger in &parts.manifest.http {
        let target = match &trigger.answer {
            HttpAnswer::Component(id) => {
                if !local_services.contains_key(id) {
                    let local = build_local_service(id, functions, &mut metrics)?;
                    local_services.insert(id.clone(), local);
                }
                local_services
                    .get(id)
                    .map(|local| Target::Function(local.function.clone()))
            }
            HttpAnswer::Static(response) => Some(build_static_target(response)?),
        };
        let (Some(pattern), Some(target)) = (&trigger.route, target) else {
            continue;
        };
        let component = trigger.answer.component().unwrap_or_default();
        let route = Route {
            target,
            headers: RouteHeaders::new(pattern),
            meter: metrics.add_route(component, pattern.raw()),
        };
        router.insert(pattern.clone(), route);
    }
    let own = metrics.add_route("", "");
    let application = &parts.manifest.application;
    let settings = &parts.manifest.wharf;
    let resolve = |template: &Template| -> Result<String> { Ok(parts.variables.text(template)?) };
    let info = serde_json::json!({ "name": application.name, "version": application.version });
    Ok(Arc::new(Service {
        router,
        local_services,
        metrics: Arc::new(metrics),
        metrics_paths: settings.metrics.clone(),
        metrics_guard: settings
            .metrics_access
            .as_ref()
            .map(|access| MetricsGuard::new(access, resolve))
            .transpose()?,
        secret_paths: settings.secret_paths.clone(),
        info: Bytes::from(info.to_string()),
        own,
        access_log: (!parts.is_quiet).then(|| parts.journal.console()),
        trusted_proxies: parse_trusted_proxies(parts)?,
        problems: settings.problems.clone(),
        has_request_id_header: settings.request_id_header,
        cors: Cors::new(&settings.cors, resolve)?,
        bearer: settings
            .bearer_keys
            .as_ref()
            .map(|keys| Bearer::parse(&resolve(keys)?))
            .transpose()?,
        stall_timeout: settings.connections.stall_timeout,
        is_stopping: AtomicBool::new(false),
    }))
}

fn parse_trusted_proxies(parts: &Parts) -> Result<Networks> {
    let mut trusted = Networks::default();
    for proxies in &parts.manifest.wharf.trusted_proxies {
        let named = Networks::parse(&parts.variables.text(proxies)?);
        trusted.add(named.map_err(|why| anyhow!("trusted_proxies: {why}"))?);
    }
    Ok(trusted)
}

fn build_local_service(
    id: &str,
    functions: &HashMap<&str, Arc<Function>>,
    metrics: &mut Metrics,
) -> Result<LocalService> {
    let function = functions.get(id).with_context(|| not_compiled(id))?;
    let pre = link::into_http_proxy(function.pre.clone())
        .with_context(|| format!("component \"{id}\""))?;
    Ok(LocalService {
        function: Arc::new(HttpFunction::new(function.clone(), pre)?),
        router: match_all().context("parse the route /...")?,
        meter: metrics.add_route(id, "internal"),
    })
}

fn build_static_target(response: &StaticResponse) -> Result<Target> {
    let headers = response.headers.iter().map(|(name, value)| {
        Ok((
            HeaderName::try_from(name.as_str())?,
            HeaderValue::try_from(value.as_str())?,
        ))
    });
    Ok(Target::Static {
        status: StatusCode::from_u16(response.status)?,
        headers: headers.collect::<Result<HeaderMap>>()?,
        body: Bytes::from(response.body.clone()),
    })
}

/// The listeners of each channel.
type Channels = HashMap<String, Vec<Arc<Listener>>>;

fn build_subscriptions(
    parts: &Parts,
    listeners: &HashMap<String, Arc<Listener>>,
) -> Result<(Vec<Subscription>, Channels)> {
    let mut all_channels = Channels::new();
    let mut subscriptions: BTreeMap<String, Channels> = BTreeMap::new();
    for trigger in &parts.manifest.redis {
        let Some(listener) = listeners.get(&trigger.component) else {
            continue;
        };
        let channel = parts.variables.text(&trigger.channel)?;
        let address = match &trigger.address {
            Some(address) => parts.variables.text(address)?,
            None => parts
                .redis_url
                .context("a redis trigger names no address, and there is no default Redis")?
                .to_owned(),
        };
        let channels = subscriptions.entry(address).or_default();
        for listeners_of_channel in [
            channels.entry(channel.clone()).or_default(),
            all_channels.entry(channel).or_default(),
        ] {
            if !listeners_of_channel
                .iter()
                .any(|known| Arc::ptr_eq(known, listener))
            {
                listeners_of_channel.push(listener.clone());
            }
        }
    }
    let subscriptions = subscriptions
        .into_iter()
        .map(|(address, channels)| Subscription { address, channels });
    Ok((subscriptions.collect(), all_channels))
}

fn build_cron_entries(parts: &Parts, channels: &Channels) -> Result<Vec<cron::Entry>> {
    let mut entries = Vec::new();
    for entry in &parts.manifest.wharf.cron {
        let when = match &entry.when {
            When::Every(pause) => cron::When::Every(*pause),
            When::Schedule(schedule) => cron::When::parse_schedule(schedule)?,
        };
        let payload: Arc<[u8]> = entry.payload.as_bytes().into();
        let listeners = channels.get(&entry.channel).into_iter().flatten();
        entries.extend(listeners.map(|listener| cron::Entry {
            when: when.clone(),
            payload: payload.clone(),
            listener: listener.clone(),
        }));
    }
    Ok(entries)
}
