//! The host functions that a guest may call beyond WASI: one module per capability, one egress check for all of them.
//!
//! The crate knows neither the HTTP server nor triggers. Like `wasmtime_wasi` it is generic over the data of the store: the
//! host implements [`ImportsView`] and calls [`add_to_linker`].
//!
//! Reading order: [`Grants`], [`Imports`], then a capability. `<capability>.rs` holds the behaviour, `<capability>/wit.rs` the
//! WIT interfaces in front of it.
//!
//! Lifetimes: [`Imports`] is made once per component and owns all that its instances share (connections, pools, clients).
//! [`ImportsCtx`] is made per instance, is cheap, and owns only what must end with the instance.

mod bindings;
mod budget;
mod context;
mod door;
pub mod egress;
pub mod http;
pub mod key_value;
mod look_up;
pub mod mqtt;
pub mod postgres;
pub mod redis;
mod sockets;
pub mod sqlite;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;
pub mod variables;

pub use budget::Budget;
pub use context::{Cause, Grants, Imports, ImportsCtx, ImportsCtxView, ImportsView};
pub use door::Door;

use wasmtime::component::Linker;

/// Links every capability but outbound HTTP: `wasmtime_wasi_http` links that one, with [`ImportsCtx::http_hooks`]. Replaces
/// what `wasmtime_wasi` linked to make sockets and to look up names, so it is called after that.
pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    variables::wit::add_to_linker(linker)?;
    postgres::wit::add_to_linker(linker)?;
    redis::wit::add_to_linker(linker)?;
    key_value::wit::add_to_linker(linker)?;
    mqtt::wit::add_to_linker(linker)?;
    sqlite::wit::add_to_linker(linker)?;
    sockets::add_to_linker(linker)?;
    Ok(())
}
