//! What a guest may call beyond WASI itself: one module per capability, one egress check for all.
//!
//! Knows neither the HTTP server nor triggers, and is generic over the data of the store as `wasmtime_wasi` is: whoever
//! embeds it implements [`ImportsView`] and calls [`add_to_linker`]. Reading order: [`Grants`], [`Imports`], then a capability.
//!
//! Lives of things: [`Imports`] is made once per component and owns all that is shared (connections, pools, clients);
//! [`ImportsCtx`] is made per instance, costs next to nothing and owns what must end with it.

mod bindings;
pub mod egress;
pub mod http;
pub mod key_value;
pub mod postgres;
pub mod redis;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod variables;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use rustls::{ClientConfig, RootCertStore};
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi_http::WasiHttpHooks;
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

use crate::egress::{Egress, StderrLine};
use crate::http::{HttpHooks, LocalDispatch, Outbound};
use crate::variables::Variables;

/// What one component was granted, by the manifest and by the operator.
pub struct Grants {
    /// Its id, as other systems see it: the `application_name` of its database sessions.
    pub component: String,
    /// `allowed_outbound_hosts`, templates resolved.
    pub allowed_hosts: AllowedHosts,
    /// `block_networks` of the runtime configuration.
    pub blocked_networks: BlockedNetworks,
    pub variables: Arc<dyn Variables>,
    /// `key_value_stores`: the labels of the manifest.
    pub key_value_stores: BTreeMap<String, key_value::Store>,
    pub postgres: postgres::Settings,
    /// Answers `http://<component>.spin.internal` and `http://self`.
    pub local: Arc<dyn LocalDispatch>,
    /// Takes hints meant for the component's author, one line a call.
    pub stderr: StderrLine,
}

/// All that one component may call, shared by its instances.
pub struct Imports {
    egress: Arc<Egress>,
    variables: Arc<dyn Variables>,
    postgres: postgres::Pools,
    redis: redis::Servers,
    key_value_stores: BTreeMap<String, key_value::Store>,
    http: Arc<Outbound>,
}

impl Imports {
    pub fn new(grants: Grants) -> wasmtime::Result<Imports> {
        let egress = Arc::new(Egress::new(
            grants.allowed_hosts,
            grants.blocked_networks,
            grants.stderr,
        ));
        let roots = Arc::clone(&TRUSTED_ROOTS);
        Ok(Imports {
            postgres: postgres::Pools::new(
                grants.component,
                Arc::clone(&egress),
                grants.postgres,
                Arc::clone(&roots),
            ),
            redis: redis::Servers::new(Arc::clone(&egress), Arc::clone(&roots)),
            http: Arc::new(Outbound::new(
                Arc::clone(&egress),
                grants.local,
                tls_settings(roots)?,
            )),
            key_value_stores: grants.key_value_stores,
            variables: grants.variables,
            egress,
        })
    }

    /// The check behind every capability; also what `wasi:sockets` must ask.
    pub fn egress(&self) -> &Arc<Egress> {
        &self.egress
    }
}

/// What one instance owns.
pub struct ImportsCtx {
    imports: Arc<Imports>,
    hooks: HttpHooks,
}

impl ImportsCtx {
    pub fn new(imports: &Arc<Imports>) -> ImportsCtx {
        ImportsCtx {
            imports: Arc::clone(imports),
            hooks: HttpHooks {
                outbound: Arc::clone(&imports.http),
            },
        }
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

/// How generated bindings reach [`ImportsCtxView`].
pub struct HasImports;

impl HasData for HasImports {
    type Data<'a> = ImportsCtxView<'a>;
}

/// Links every capability. Outbound HTTP is linked by `wasmtime_wasi_http`, with [`ImportsCtx::http_hooks`].
pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    variables::add_to_linker(linker)?;
    postgres::add_to_linker(linker)?;
    redis::add_to_linker(linker)?;
    key_value::add_to_linker(linker)?;
    Ok(())
}

/// The machine's certificate authorities, or Mozilla's where it has none (a bare container). Read once: it takes
/// milliseconds, and every component trusts the same.
static TRUSTED_ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Arc::new(roots)
});

fn tls_settings(roots: Arc<RootCertStore>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(settings)
}

/// The end of a stream of ours: what went wrong with it is for the guest to know, never a trap.
fn no_trap<T>(end: T) -> wasmtime::Result<T> {
    Ok(end)
}
