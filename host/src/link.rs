//! Links components to the interfaces of the host, and finds the trigger interface they export.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use wasmtime::Engine;
use wasmtime::component::{Component as Code, InstancePre, Linker};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};
use wharf_imports::variables;

use crate::compose::denied;
use crate::guest::Guest;

/// Defines every interface that a component can import. Grants are checked at each call.
pub fn build_linker(engine: &Engine) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    wharf_imports::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Resolves the imports of a component; its dependencies read variables of their own, and what they are denied, and what this
/// host lacks, returns a refusal.
pub fn link(linker: &Linker<Guest>, code: &Code) -> Result<InstancePre<Guest>> {
    let mut linker = linker.clone();
    denied::link(&mut linker, code)?;
    for position in dependencies_with_variables(code, linker.engine()) {
        variables::add_dependency_to_linker(&mut linker, position)?;
    }
    let pre = linker.instantiate_pre(code);
    Ok(
        pre.map_err(|cause| match unsupported_interface(code, linker.engine()) {
            Some(why) => cause.context(why),
            None => cause,
        })?,
    )
}

/// The positions of the dependencies that read variables of their own; `renamed` has put them into the names of imports.
fn dependencies_with_variables(code: &Code, engine: &Engine) -> BTreeSet<usize> {
    let code = code.component_type();
    let names = code.imports(engine).map(|(name, _)| name);
    names.filter_map(variables::dependency_of).collect()
}

/// Prepares a component that serves HTTP.
pub fn into_http_proxy(pre: InstancePre<Guest>) -> Result<ProxyPre<Guest>> {
    let engine = pre.engine().clone();
    let exports: Vec<String> = pre
        .component()
        .component_type()
        .exports(&engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    // A version with a hyphen is a draft, which is incompatible with the release.
    let has = |interface: &str| {
        let mut versions = exports
            .iter()
            .filter_map(|name| name.strip_prefix(interface));
        versions.any(|rest| !rest.contains('-'))
    };
    if has("wasi:http/handler@0.3.0") {
        return Ok(ProxyPre::P3(p3::bindings::ServicePre::new(pre)?));
    }
    if has("wasi:http/incoming-handler@0.2.") {
        return Ok(ProxyPre::P2(p2::bindings::ProxyPre::new(pre)?));
    }
    if let Some(why) = unsupported_interface(pre.component(), &engine) {
        bail!("it has an http trigger, but {why}");
    }
    bail!(
        "it has an http trigger, but exports neither wasi:http/handler@0.3.0 nor \
         wasi:http/incoming-handler@0.2 (its exports: {})",
        exports.join(", ")
    )
}

/// Names the interface that a component was built for, if Spin supports it and this host does not.
pub fn unsupported_interface(code: &Code, engine: &Engine) -> Option<String> {
    let code = code.component_type();
    let imports = code.imports(engine).map(|(name, _)| name);
    let exports = code.exports(engine).map(|(name, _)| name);
    imports.chain(exports).find_map(|name| {
        let is_draft = name
            .split_once('@')
            .is_some_and(|(name, version)| name.starts_with("wasi:") && version.contains("-rc"));
        if is_draft {
            Some(format!(
                "it was built for {name}, a draft; rebuild it with an SDK for wasi:http@0.2 or wasi:http@0.3.0"
            ))
        } else if name == "fermyon:spin/inbound-http" {
            Some(format!(
                "it was built for {name}, the interface of Spin 1; rebuild it with an SDK for wasi:http"
            ))
        } else if name == "handle-cron-event" || name.starts_with("spin:cron/") {
            Some(
                "it was built for Spin's cron trigger; this host sends messages instead: export a handler of Redis messages, \
                 and add [[application.tool.wharf.cron]] and a [[trigger.redis]] for its channel"
                    .to_owned(),
            )
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::Config;

    #[test]
    fn an_unsupported_interface_is_named_in_the_error() {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).unwrap();
        let linker = build_linker(&engine).unwrap();
        let error_of = |text: &str| {
            let code = Code::new(&engine, text).unwrap();
            let error = link(&linker, &code)
                .and_then(into_http_proxy)
                .err()
                .unwrap();
            format!("{error:#}")
        };
        let exporting = |name: &str| {
            error_of(&format!(
                "(component (instance $empty) (export \"{name}\" (instance $empty)))"
            ))
        };
        let importing = |name: &str| {
            error_of(&format!(
                "(component (import \"{name}\" (instance (export \"f\" (func)))))"
            ))
        };
        for draft in [
            "wasi:http/handler@0.3.0-rc-2026-03-15",
            "wasi:http/incoming-handler@0.2.0-rc-2023-11-10",
            "wasi:http/incoming-handler@0.2.0-rc-2023-10-18",
        ] {
            for error in [exporting(draft), importing(draft)] {
                assert!(
                    error.contains(&format!("it was built for {draft}, a draft")),
                    "{error}"
                );
            }
        }
        assert!(exporting("fermyon:spin/inbound-http").contains("the interface of Spin 1"));
        assert!(importing("spin:cron/cron-types@3.0.0").contains("built for Spin's cron trigger"));
        assert!(exporting("wasi:http/other@0.3.0").contains("but exports neither"));
    }
}
