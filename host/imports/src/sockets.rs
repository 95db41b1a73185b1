//! `wasi:sockets`, each socket with a permit of the component's connections.
//!
//! `wasmtime_wasi` implements sockets, and does not tell when one is closed. It asks a check before it uses an address,
//! though, and a socket keeps the check that it was made with. So each socket is made with a check of its own, which has the
//! permit.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::network as p2;
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::p2::{TcpSocket, UdpSocket};
use wasmtime_wasi::p3::bindings::sockets::types as p3;
use wasmtime_wasi::sockets::{WasiSocketsCtx, WasiSocketsCtxView};
use wasmtime_wasi::{TrappableError, WasiCtx};

use crate::budget::ConnectionPermit;
use crate::context::{ImportsCtxView, ImportsView};
use crate::egress::Egress;
use crate::look_up;

/// Replaces the functions that make sockets and those that look up names. `wasmtime_wasi` must have linked its own before, by these names.
pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker
        .instance("wasi:sockets/tcp-create-socket@0.2.12")?
        .func_wrap("create-tcp-socket", create_tcp::<T>)?;
    linker
        .instance("wasi:sockets/udp-create-socket@0.2.12")?
        .func_wrap_async(
            "create-udp-socket",
            |store: StoreContextMut<'_, T>, (family,): (p2::IpAddressFamily,)| {
                Box::new(create_udp(store, family))
            },
        )?;
    let mut types = linker.instance("wasi:sockets/types@0.3.0")?;
    types.func_wrap("[static]tcp-socket.create", create_tcp_p3::<T>)?;
    types.func_wrap_async(
        "[static]udp-socket.create",
        |store: StoreContextMut<'_, T>, (family,): (p3::IpAddressFamily,)| {
            Box::new(create_udp_p3(store, family))
        },
    )?;
    look_up::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What the guest gets: the socket, or why there is none.
type Created<S, E> = (Result<Resource<S>, E>,);

fn create_tcp<T: ImportsView>(
    mut store: StoreContextMut<'_, T>,
    (family,): (p2::IpAddressFamily,),
) -> wasmtime::Result<Created<TcpSocket, p2::ErrorCode>> {
    let mut imports = store.data_mut().imports();
    let Some(permit) = take_permit(&imports) else {
        return Ok((Err(p2::ErrorCode::NewSocketLimit),));
    };
    let mut ctx = build_ctx(&imports, permit);
    into_answer(view(&mut ctx, &mut imports).create_tcp_socket(family))
}

async fn create_udp<T: ImportsView>(
    mut store: StoreContextMut<'_, T>,
    family: p2::IpAddressFamily,
) -> wasmtime::Result<Created<UdpSocket, p2::ErrorCode>> {
    let mut imports = store.data_mut().imports();
    let Some(permit) = take_permit(&imports) else {
        return Ok((Err(p2::ErrorCode::NewSocketLimit),));
    };
    let mut ctx = build_ctx(&imports, permit);
    into_answer(view(&mut ctx, &mut imports).create_udp_socket(family).await)
}

fn create_tcp_p3<T: ImportsView>(
    mut store: StoreContextMut<'_, T>,
    (family,): (p3::IpAddressFamily,),
) -> wasmtime::Result<Created<p3::TcpSocket, p3::ErrorCode>> {
    let mut imports = store.data_mut().imports();
    let Some(mut ctx) = take_p3_ctx(&mut imports) else {
        return Ok((Err(too_many()),));
    };
    let mut sockets = view(&mut ctx, &mut imports);
    into_answer(p3::HostTcpSocket::create(&mut sockets, family))
}

async fn create_udp_p3<T: ImportsView>(
    mut store: StoreContextMut<'_, T>,
    family: p3::IpAddressFamily,
) -> wasmtime::Result<Created<p3::UdpSocket, p3::ErrorCode>> {
    let mut imports = store.data_mut().imports();
    let Some(mut ctx) = take_p3_ctx(&mut imports) else {
        return Ok((Err(too_many()),));
    };
    let mut sockets = view(&mut ctx, &mut imports);
    into_answer(p3::HostUdpSocket::create(&mut sockets, family).await)
}

/// WASI 0.3 has no code of its own for it.
fn too_many() -> p3::ErrorCode {
    p3::ErrorCode::Other(Some("the component has too many connections".to_owned()))
}

fn into_answer<S, E>(
    created: Result<Resource<S>, TrappableError<E>>,
) -> wasmtime::Result<Created<S, E>>
where
    S: 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    Ok((match created {
        Ok(socket) => Ok(socket),
        Err(error) => Err(error.downcast()?),
    },))
}

/// Streams of WASI 0.3 may outlive their socket, so its permit is kept until the instance ends.
fn take_p3_ctx(imports: &mut ImportsCtxView<'_>) -> Option<WasiSocketsCtx> {
    let permit = take_permit(imports)?;
    imports.ctx.kept_permits.push(Arc::clone(&permit));
    Some(build_ctx(imports, permit))
}

fn egress<'a>(imports: &'a ImportsCtxView<'_>) -> &'a Arc<Egress> {
    &imports.ctx.imports.egress
}

fn take_permit(imports: &ImportsCtxView<'_>) -> Option<Arc<ConnectionPermit>> {
    egress(imports).try_connect().map(Arc::new)
}

/// What one socket may do.
fn build_ctx(imports: &ImportsCtxView<'_>, permit: Arc<ConnectionPermit>) -> WasiSocketsCtx {
    let egress = egress(imports);
    let check = egress.socket_check();
    let mut wasi = WasiCtx::builder();
    wasi.allow_tcp(egress.allows_sockets("tcp"))
        .allow_udp(egress.allows_sockets("udp"))
        .socket_addr_check(move |address, purpose| {
            let _held = &permit;
            check(address, purpose)
        });
    wasi.build().sockets().clone()
}

fn view<'a>(
    ctx: &'a mut WasiSocketsCtx,
    imports: &'a mut ImportsCtxView<'_>,
) -> WasiSocketsCtxView<'a> {
    let table = &mut *imports.table;
    WasiSocketsCtxView { ctx, table }
}
