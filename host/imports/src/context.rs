//! The state behind the host functions: shared by a component ([`Imports`]) and per instance ([`ImportsCtx`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::{HasData, ResourceTable};
use wasmtime_wasi_http::WasiHttpHooks;
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

use crate::budget::{Budget, ConnectionPermit};
use crate::door::Door;
use crate::egress::{Egress, StderrLine};
use crate::http::{Depth, HttpHooks, LocalDispatch, Outbound};
use crate::variables::Variables;
use crate::{key_value, mqtt, postgres, redis, sqlite, tls};

/// What the manifest and the operator grant to one component.
pub struct Grants {
    /// The component's id. Database sessions carry it as their `application_name`.
    pub component: String,
    /// `allowed_outbound_hosts`, templates resolved.
    pub allowed_hosts: AllowedHosts,
    /// `block_networks` of the runtime configuration.
    pub blocked_networks: BlockedNetworks,
    pub variables: Arc<dyn Variables>,
    /// What each dependency that is composed into the component reads in their place.
    pub dependency_variables: Vec<Arc<dyn Variables>>,
    /// `key_value_stores`, by the labels of the manifest.
    pub key_value_stores: BTreeMap<String, key_value::Store>,
    /// `sqlite_databases`, by the labels of the manifest.
    pub sqlite_databases: BTreeMap<String, sqlite::Database>,
    pub postgres: postgres::Settings,
    pub budget: Budget,
    /// Answers `http://<component>.spin.internal` and `http://self`.
    pub local: Arc<dyn LocalDispatch>,
    /// Receives hints for the component's author.
    pub stderr: StderrLine,
}

/// Everything one component may call, shared by its instances.
pub struct Imports {
    pub(crate) egress: Arc<Egress>,
    pub(crate) variables: Arc<dyn Variables>,
    pub(crate) dependency_variables: Vec<Arc<dyn Variables>>,
    pub(crate) postgres: postgres::Pools,
    pub(crate) redis: redis::Servers,
    pub(crate) mqtt: mqtt::Brokers,
    pub(crate) key_value_stores: BTreeMap<String, key_value::Store>,
    pub(crate) sqlite_databases: BTreeMap<String, sqlite::Database>,
    pub(crate) http: Arc<Outbound>,
}

impl Imports {
    pub fn new(grants: Grants) -> wasmtime::Result<Imports> {
        let egress = Egress::new(grants.allowed_hosts, grants.blocked_networks, grants.stderr);
        let egress = Arc::new(egress.with_budget(grants.budget));
        let roots = Arc::clone(&tls::TRUSTED_ROOTS);
        Ok(Imports {
            postgres: postgres::Pools::new(
                grants.component,
                Arc::clone(&egress),
                grants.postgres,
                Arc::clone(&roots),
            ),
            redis: redis::Servers::new(Arc::clone(&egress), Arc::clone(&roots)),
            mqtt: mqtt::Brokers::new(Arc::clone(&egress), Arc::clone(&roots)),
            http: Arc::new(Outbound::new(
                Arc::clone(&egress),
                grants.local,
                tls::client_config(roots)?,
            )),
            key_value_stores: grants.key_value_stores,
            sqlite_databases: grants.sqlite_databases,
            variables: grants.variables,
            dependency_variables: grants.dependency_variables,
            egress,
        })
    }

    /// Requests of the component go in through it.
    pub fn door(&self) -> &Arc<Door> {
        self.postgres.door()
    }
}

/// The request that an instance serves.
#[derive(Debug, PartialEq, Eq)]
pub struct Cause {
    request_id: String,
    traceparent: String,
}

impl Cause {
    /// Values that need quoting anywhere are left out.
    pub fn new(request_id: &str, traceparent: Option<&str>) -> Cause {
        let is_plain = |text: &&str| {
            text.bytes()
                .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-'))
        };
        let plain = |text: Option<&str>| text.filter(is_plain).unwrap_or_default().to_owned();
        Cause {
            request_id: plain(Some(request_id)),
            traceparent: plain(traceparent),
        }
    }

    /// What `SET wharf.request_id = '…'` or `SET wharf.traceparent = '…'` makes of a cause. `None` for any other statement.
    pub(crate) fn set_by(statement: &str, before: Option<&Cause>) -> Option<Cause> {
        let (name, value) = statement.strip_prefix("SET wharf.")?.split_once(" = '")?;
        let value = value.strip_suffix('\'')?;
        let (request_id, traceparent) =
            before.map_or(("", ""), |it| (it.request_id(), it.traceparent()));
        match name {
            "request_id" => Some(Cause::new(value, Some(traceparent))),
            "traceparent" => Some(Cause::new(request_id, Some(value))),
            _ => None,
        }
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(crate) fn traceparent(&self) -> &str {
        &self.traceparent
    }
}

/// The part of one instance.
pub struct ImportsCtx {
    pub(crate) imports: Arc<Imports>,
    /// Absent where an instance serves several requests at the same time.
    pub(crate) cause: Option<Arc<Cause>>,
    hooks: HttpHooks,
    /// Of sockets whose end is not known.
    pub(crate) kept_permits: Vec<Arc<ConnectionPermit>>,
}

impl ImportsCtx {
    pub fn new(imports: &Arc<Imports>) -> ImportsCtx {
        ImportsCtx {
            imports: Arc::clone(imports),
            cause: None,
            hooks: HttpHooks {
                outbound: Arc::clone(&imports.http),
                depth: Depth::default(),
            },
            kept_permits: Vec::new(),
        }
    }

    /// Tells of the request that begins, and how many calls between components led to it.
    pub fn begin_request(&mut self, cause: Cause, depth: Depth) {
        self.cause = Some(Arc::new(cause));
        self.hooks.depth = depth;
    }

    /// Whether the instance has connections that are counted until it ends. It should not serve another request.
    pub fn keeps_connections(&self) -> bool {
        !self.kept_permits.is_empty()
    }

    /// For `WasiHttpCtxView::hooks`.
    pub fn http_hooks(&mut self) -> &mut dyn WasiHttpHooks {
        &mut self.hooks
    }
}

/// Implemented by the data of the store.
pub trait ImportsView: Send {
    fn imports(&mut self) -> ImportsCtxView<'_>;
}

pub struct ImportsCtxView<'a> {
    pub ctx: &'a mut ImportsCtx,
    pub table: &'a mut ResourceTable,
}

/// Leads generated bindings to [`ImportsCtxView`].
pub(crate) struct HasImports;

impl HasData for HasImports {
    type Data<'a> = ImportsCtxView<'a>;
}
