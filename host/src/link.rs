//! What components may import, and which kind of trigger they can answer.

use anyhow::{Result, bail};
use wasmtime::Engine;
use wasmtime::component::{Component as Code, InstancePre, Linker};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use crate::compose::denied;
use crate::guest::Guest;

/// Everything a component can import, granted or not: grants are checked when it asks.
pub fn linker(engine: &Engine) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    wharf_imports::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// The component with its imports found, and those denied to its dependencies answered with a refusal.
pub fn link(linker: &Linker<Guest>, code: &Code) -> Result<InstancePre<Guest>> {
    let mut linker = linker.clone();
    denied::link(&mut linker, code)?;
    Ok(linker.instantiate_pre(code)?)
}

/// The component as one that answers HTTP.
pub fn http(pre: InstancePre<Guest>) -> Result<ProxyPre<Guest>> {
    let engine = pre.engine().clone();
    let exports: Vec<String> = pre
        .component()
        .component_type()
        .exports(&engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    let has = |interface: &str| exports.iter().any(|export| export.starts_with(interface));
    if has("wasi:http/handler@0.3.0") {
        return Ok(ProxyPre::P3(p3::bindings::ServicePre::new(pre)?));
    }
    if has("wasi:http/incoming-handler@0.2.") {
        return Ok(ProxyPre::P2(p2::bindings::ProxyPre::new(pre)?));
    }
    bail!(
        "an http trigger starts it, but it exports neither wasi:http/handler@0.3.0 nor \
         wasi:http/incoming-handler@0.2 (it exports {})",
        exports.join(", ")
    )
}
