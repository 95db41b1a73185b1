//! Renames imports of a dependency, so that composing cannot merge them with its consumer's.
//!
//! - What it does not inherit: `spin:redis/redis@3.0.0` becomes `denied-spin:redis/redis@3.0.0`, which `denied` defines.
//! - Variables that it inherits: those of the first dependency become `dependency0-spin:variables/variables@3.0.0`. Each
//!   dependency reads others than its consumer and than its neighbours.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use wasm_encoder::reencode::{ReencodeComponent, RoundtripReencoder};
use wasm_encoder::{ComponentImportSection, RawSection};
use wasmparser::{Parser, Payload};
use wharf_imports::variables;
use wharf_manifest::manifest::Configuration;

pub const DENIED: &str = "denied-";

/// What comes before the name of an import of the dependency at `position`, which inherits only `inherits`.
pub fn prefix_of(import: &str, inherits: &BTreeSet<Configuration>, position: usize) -> String {
    let interface = import
        .split_once('@')
        .map_or(import, |(interface, _)| interface);
    match configuration_of(interface) {
        Some(configuration) if !inherits.contains(&configuration) => DENIED.to_owned(),
        Some(Configuration::Variables) => variables::prefix_of_dependency(position),
        _ => String::new(),
    }
}

/// The configuration of the consumer that an interface gives access to, if any.
fn configuration_of(interface: &str) -> Option<Configuration> {
    Some(match interface {
        "fermyon:spin/llm" => Configuration::AiModels,
        "fermyon:spin/http"
        | "fermyon:spin/mqtt"
        | "fermyon:spin/mysql"
        | "fermyon:spin/postgres"
        | "fermyon:spin/redis"
        | "spin:mqtt/mqtt"
        | "spin:mysql/mysql"
        | "spin:postgres/postgres"
        | "spin:redis/redis"
        | "wasi:http/client"
        | "wasi:http/outgoing-handler"
        | "wasi:sockets/ip-name-lookup"
        | "wasi:sockets/tcp"
        | "wasi:sockets/tcp-create-socket"
        | "wasi:sockets/types"
        | "wasi:sockets/udp"
        | "wasi:sockets/udp-create-socket" => Configuration::AllowedOutboundHosts,
        "wasi:cli/environment" => Configuration::Environment,
        "wasi:filesystem/preopens" => Configuration::Files,
        "fermyon:spin/key-value" | "spin:key-value/key-value" | "wasi:keyvalue/store" => {
            Configuration::KeyValueStores
        }
        "fermyon:spin/sqlite" | "spin:sqlite/sqlite" => Configuration::SqliteDatabases,
        "fermyon:spin/config"
        | "fermyon:spin/variables"
        | "spin:variables/variables"
        | "wasi:config/store" => Configuration::Variables,
        _ => return None,
    })
}

/// Refuses a component that imports by a name that is made here: it would read the variables of its dependencies.
pub fn check(component: &[u8]) -> Result<()> {
    rename(component, |_| String::new()).map(drop)
}

/// Puts what `prefix_of` answers before the names of a component's imports.
pub fn rename(component: &[u8], prefix_of: impl Fn(&str) -> String) -> Result<Vec<u8>> {
    let mut renamed = wasm_encoder::Component::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.context("not a WebAssembly component")?;
        if let Payload::End(_) = payload {
            depth = depth.saturating_sub(1);
            continue;
        }
        if depth == 0 {
            copy_section(&mut renamed, component, &payload, &prefix_of)?;
        }
        if let Payload::ModuleSection { .. } | Payload::ComponentSection { .. } = payload {
            depth += 1;
        }
    }
    Ok(renamed.finish())
}

fn copy_section(
    to: &mut wasm_encoder::Component,
    bytes: &[u8],
    payload: &Payload,
    prefix_of: impl Fn(&str) -> String,
) -> Result<()> {
    if let Payload::ComponentImportSection(section) = payload {
        let mut imports = ComponentImportSection::new();
        for import in section.clone() {
            let import = import?;
            let name = import.name.name;
            ensure!(
                !name.starts_with(DENIED) && variables::dependency_of(name).is_none(),
                "it imports {name}, a name that only the host makes"
            );
            let kind = RoundtripReencoder.component_type_ref(import.ty)?;
            match prefix_of(name) {
                prefix if prefix.is_empty() => imports.import(import.name, kind),
                prefix => imports.import(format!("{prefix}{name}").as_str(), kind),
            };
        }
        to.section(&imports);
    } else if let Some((id, range)) = payload.as_section() {
        let data = bytes
            .get(range)
            .context("a section ends outside the file")?;
        to.section(&RawSection { id, data });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wasm_encoder::ComponentTypeRef;

    use super::*;

    fn importing(name: &str) -> Vec<u8> {
        let mut imports = ComponentImportSection::new();
        imports.import(name, ComponentTypeRef::Instance(0));
        let mut component = wasm_encoder::Component::new();
        component.section(&imports);
        component.finish()
    }

    #[test]
    fn a_component_cannot_import_what_its_dependencies_read() {
        check(&importing("spin:variables/variables@3.0.0")).unwrap();
        for name in [
            "dependency0-spin:variables/variables@3.0.0",
            "dependency12-wasi:config/store@0.2.0-draft-2024-09-27",
            "denied-spin:variables/variables@3.0.0",
        ] {
            let refused = check(&importing(name)).unwrap_err().to_string();
            assert!(refused.contains(name), "{refused}");
        }
    }
}
