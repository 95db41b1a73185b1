//! `wasi:sockets/ip-name-lookup`, within the limit of names that a component looks up at the same time.
//!
//! `wasmtime_wasi` has no limit. A look-up occupies a thread of the host until the system's resolver answers or gives up, also
//! when its guest has ended. Where all threads look up names for one component, no other component connects to anything.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::vec;

use wasmtime::StoreContextMut;
use wasmtime::component::{Accessor, Linker, Resource, ResourceType};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::network as p2;
use wasmtime_wasi::p2::{DynPollable, Network, Pollable, subscribe};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup as p3;
use wasmtime_wasi::p3::bindings::sockets::types::IpAddress;
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, poll_noop, spawn};
use wharf_manifest::egress::normalize_host;

use crate::context::ImportsView;
use crate::egress::{Egress, MAX_ADDRESS_BYTES};

/// Replaces what `wasmtime_wasi` has linked. The linker allows shadowing.
pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    let mut interface = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    interface.resource(
        "resolve-address-stream",
        ResourceType::host::<Addresses>(),
        |mut store, index| -> wasmtime::Result<()> {
            let addresses = Resource::<Addresses>::new_own(index);
            store.data_mut().imports().table.delete(addresses)?;
            Ok(())
        },
    )?;
    interface.func_wrap("resolve-addresses", start::<T>)?;
    interface.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        next_address::<T>,
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.subscribe",
        subscribe_to::<T>,
    )?;
    linker
        .instance("wasi:sockets/ip-name-lookup@0.3.0")?
        .func_wrap_concurrent(
            "resolve-addresses",
            |accessor: &Accessor<T>, (name,): (String,)| {
                Box::pin(resolve_addresses_p3(accessor, name))
            },
        )
}

/// `None`: the name has none.
type Found = Option<vec::IntoIter<IpAddr>>;

/// The addresses of a name for WASI 0.2.
enum Addresses {
    Awaited(AbortOnDropJoinHandle<Found>),
    Found(Found),
}

impl Addresses {
    /// `None` while they are looked up.
    fn found(&mut self) -> Option<&mut Found> {
        if let Self::Awaited(found) = self {
            *self = Self::Found(poll_noop(Pin::new(found))?);
        }
        match self {
            Self::Awaited(_) => None,
            Self::Found(found) => Some(found),
        }
    }
}

#[async_trait]
impl Pollable for Addresses {
    async fn ready(&mut self) {
        if let Self::Awaited(found) = self {
            *self = Self::Found(found.await);
        }
    }
}

fn start<T: ImportsView>(
    mut store: StoreContextMut<'_, T>,
    (network, name): (Resource<Network>, String),
) -> wasmtime::Result<(Result<Resource<Addresses>, p2::ErrorCode>,)> {
    let imports = store.data_mut().imports();
    imports.table.get(&network)?;
    let egress = &imports.ctx.imports.egress;
    let name = match check(egress, &name) {
        Ok(name) => name,
        Err(Refused::NotGranted) => {
            return Ok((Err(p2::ErrorCode::PermanentResolverFailure),));
        }
        Err(Refused::Invalid) => return Ok((Err(p2::ErrorCode::InvalidArgument),)),
    };
    let found = spawn(look_up(Arc::clone(egress), name));
    let addresses = imports.table.push(Addresses::Awaited(found))?;
    Ok((Ok(addresses),))
}

fn next_address<T: ImportsView>(
    mut store: StoreContextMut<'_, T>,
    (addresses,): (Resource<Addresses>,),
) -> wasmtime::Result<(Result<Option<p2::IpAddress>, p2::ErrorCode>,)> {
    let imports = store.data_mut().imports();
    let next = match imports.table.get_mut(&addresses)?.found() {
        None => Err(p2::ErrorCode::WouldBlock),
        Some(None) => Err(p2::ErrorCode::NameUnresolvable),
        Some(Some(found)) => Ok(found.next().map(p2::IpAddress::from)),
    };
    Ok((next,))
}

fn subscribe_to<T: ImportsView>(
    mut store: StoreContextMut<'_, T>,
    (addresses,): (Resource<Addresses>,),
) -> wasmtime::Result<(Resource<DynPollable>,)> {
    let imports = store.data_mut().imports();
    Ok((subscribe(imports.table, addresses)?,))
}

async fn resolve_addresses_p3<T: ImportsView + 'static>(
    accessor: &Accessor<T>,
    name: String,
) -> wasmtime::Result<(Result<Vec<IpAddress>, p3::ErrorCode>,)> {
    let egress = accessor.with(|mut access| {
        let imports = access.data_mut().imports();
        Arc::clone(&imports.ctx.imports.egress)
    });
    let found = match check(&egress, &name) {
        Ok(name) => match look_up(egress, name).await {
            Some(found) => Ok(found.map(IpAddress::from).collect()),
            None => Err(p3::ErrorCode::NameUnresolvable),
        },
        Err(Refused::NotGranted) => Err(p3::ErrorCode::PermanentResolverFailure),
        Err(Refused::Invalid) => Err(p3::ErrorCode::InvalidArgument),
    };
    Ok((found,))
}

/// Why a name is not looked up.
enum Refused {
    NotGranted,
    Invalid,
}

/// The name as name servers know it. A look-up leaves the machine, so it needs a grant of sockets.
fn check(egress: &Egress, name: &str) -> Result<String, Refused> {
    if !egress.allows_sockets("tcp") && !egress.allows_sockets("udp") {
        return Err(Refused::NotGranted);
    }
    let name = normalize_host(name).filter(|name| name.len() <= MAX_ADDRESS_BYTES);
    name.ok_or(Refused::Invalid)
}

async fn look_up(egress: Arc<Egress>, name: String) -> Found {
    let found = egress.look_up(&name, 0).await.ok()?;
    let addresses: Vec<IpAddr> = found
        .into_iter()
        .map(|address| address.ip().to_canonical())
        .collect();
    Some(addresses.into_iter())
}
