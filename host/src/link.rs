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
    let pre = linker.instantiate_pre(code);
    Ok(pre.map_err(|cause| match unknown(code, linker.engine()) {
        Some(why) => cause.context(why),
        None => cause,
    })?)
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
    // A version with a hyphen is a draft, and no draft of another version.
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
    if let Some(why) = unknown(pre.component(), &engine) {
        bail!("an http trigger starts it, but {why}");
    }
    bail!(
        "an http trigger starts it, but it exports neither wasi:http/handler@0.3.0 nor \
         wasi:http/incoming-handler@0.2 (it exports {})",
        exports.join(", ")
    )
}

/// What a component was made for, where that is something Spin knows and this host does not.
pub fn unknown(code: &Code, engine: &Engine) -> Option<String> {
    let code = code.component_type();
    let imports = code.imports(engine).map(|(name, _)| name);
    let exports = code.exports(engine).map(|(name, _)| name);
    imports.chain(exports).find_map(|name| {
        let draft = name
            .split_once('@')
            .is_some_and(|(name, version)| name.starts_with("wasi:") && version.contains("-rc"));
        if draft {
            Some(format!(
                "it was built for {name}, a draft; build it anew with an SDK that speaks wasi:http@0.2 or wasi:http@0.3.0"
            ))
        } else if name == "fermyon:spin/inbound-http" {
            Some(format!(
                "it was built for {name}, the interface of Spin 1; build it anew with an SDK that speaks wasi:http"
            ))
        } else if name == "handle-cron-event" || name.starts_with("spin:cron/") {
            Some(
                "it was built for Spin's cron trigger; here a clock sends messages: export a handler of Redis messages, \
                 and write [[application.tool.wharf.cron]] and a [[trigger.redis]] for its channel"
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
    fn what_was_built_for_other_hosts_is_told_so_by_name() {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).unwrap();
        let linker = linker(&engine).unwrap();
        let refused = |text: &str| {
            let code = Code::new(&engine, text).unwrap();
            let refused = link(&linker, &code).and_then(http).err().unwrap();
            format!("{refused:#}")
        };
        let exporting = |name: &str| {
            refused(&format!(
                "(component (instance $empty) (export \"{name}\" (instance $empty)))"
            ))
        };
        let importing = |name: &str| {
            refused(&format!(
                "(component (import \"{name}\" (instance (export \"f\" (func)))))"
            ))
        };
        for draft in [
            "wasi:http/handler@0.3.0-rc-2026-03-15",
            "wasi:http/incoming-handler@0.2.0-rc-2023-11-10",
            "wasi:http/incoming-handler@0.2.0-rc-2023-10-18",
        ] {
            for said in [exporting(draft), importing(draft)] {
                assert!(
                    said.contains(&format!("it was built for {draft}, a draft")),
                    "{said}"
                );
            }
        }
        assert!(exporting("fermyon:spin/inbound-http").contains("the interface of Spin 1"));
        assert!(importing("spin:cron/cron-types@3.0.0").contains("built for Spin's cron trigger"));
        assert!(exporting("wasi:http/other@0.3.0").contains("it exports neither"));
    }
}
