//! Denies a dependency the imports that it does not inherit. Such an import is renamed
//! (`spin:redis/redis@3.0.0` becomes `denied-spin:redis/redis@3.0.0`), so that composing cannot merge it with the
//! consumer's grant. The linker defines every function of a renamed import to return the interface's own error. Variables
//! that it inherits are renamed as well, because it may read some that its consumer may not.
//!
//! Spin composes in a component that refuses instead. That needs one for every version of every interface, and an
//! unknown version would fall through to the consumer's grant.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{ReencodeComponent, RoundtripReencoder};
use wasm_encoder::{ComponentImportSection, RawSection};
use wasmparser::{Parser, Payload};
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Type, Val};
use wharf_imports::variables::OF_DEPENDENCIES;
use wharf_manifest::manifest::Configuration;

const PREFIX: &str = "denied-";

/// What comes before the name of an import of a dependency that inherits only `inherits`.
pub fn prefix_of(import: &str, inherits: &BTreeSet<Configuration>) -> &'static str {
    let interface = import
        .split_once('@')
        .map_or(import, |(interface, _)| interface);
    match configuration_of(interface) {
        Some(configuration) if !inherits.contains(&configuration) => PREFIX,
        Some(Configuration::Variables) => OF_DEPENDENCIES,
        _ => "",
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

/// Puts what `prefix_of` answers before the names of a component's imports.
pub fn rename(component: &[u8], prefix_of: impl Fn(&str) -> &'static str) -> Result<Vec<u8>> {
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
    prefix_of: impl Fn(&str) -> &'static str,
) -> Result<()> {
    if let Payload::ComponentImportSection(section) = payload {
        let mut imports = ComponentImportSection::new();
        for import in section.clone() {
            let import = import?;
            let kind = RoundtripReencoder.component_type_ref(import.ty)?;
            match prefix_of(import.name.name) {
                "" => imports.import(import.name, kind),
                prefix => imports.import(format!("{prefix}{}", import.name.name).as_str(), kind),
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

/// Whether Spin has an interface that this host lacks: MySQL, language models, drafts of WASI. Spin's SDK for Python imports
/// every interface that Spin has, used or not.
fn is_lacking(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    match interface {
        "fermyon:spin/llm" | "fermyon:spin/mysql" | "spin:mysql/mysql" => true,
        _ => interface.starts_with("wasi:") && version.contains("-rc"),
    }
}

/// Defines the renamed imports of `component`, and those that this host lacks.
pub fn link<T: Send + 'static>(linker: &mut Linker<T>, component: &Component) -> Result<()> {
    let engine = component.engine();
    let mut known = Vec::new();
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        let refused = match name.strip_prefix(PREFIX) {
            Some(denied) => Some((denied, "is not inherited by this dependency")),
            None if is_lacking(name) => Some((name, "is nothing that this host has")),
            None => None,
        };
        if let Some(refused) = refused {
            let mut instance = linker.instance(name)?;
            define_interface(&mut instance, refused, &interface, engine, &known)?;
        }
        known.extend(
            interface
                .exports(engine)
                .filter_map(|(_, export)| match export.ty {
                    ComponentItem::Resource(resource) => Some(resource),
                    _ => None,
                }),
        );
    }
    Ok(())
}

fn define_interface<T: Send + 'static>(
    instance: &mut LinkerInstance<T>,
    (interface_name, why): (&str, &str),
    interface: &ComponentInstance,
    engine: &wasmtime::Engine,
    known: &[ResourceType],
) -> Result<()> {
    for (name, export) in interface.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(function) => {
                define_refusal(
                    instance,
                    name,
                    format!("{interface_name}#{name} {why}"),
                    &function,
                )?;
            }
            // A resource that an earlier interface exports is the same one, and must not be defined twice.
            ComponentItem::Resource(resource) if !known.contains(&resource) => {
                instance.resource(name, ResourceType::host::<Denied>(), |_, _| Ok(()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The type of denied resources. It has no values.
struct Denied;

fn define_refusal<T: Send + 'static>(
    instance: &mut LinkerInstance<T>,
    name: &str,
    why: String,
    function: &ComponentFunc,
) -> Result<()> {
    let refuse = move |ty: &ComponentFunc, results: &mut [Val]| {
        for (result, ty) in results.iter_mut().zip(ty.results()) {
            let Some(refusal) = refusal(&ty, &why) else {
                bail!("{why}")
            };
            *result = refusal;
        }
        Ok(())
    };
    if function.async_() {
        instance.func_new_concurrent(name, move |_, ty, _, results| {
            let refused = refuse(&ty, results).map_err(wasmtime::Error::from_anyhow);
            Box::pin(async { refused })
        })?;
    } else {
        instance.func_new(name, move |_, ty, _, results| {
            refuse(&ty, results).map_err(wasmtime::Error::from_anyhow)
        })?;
    }
    Ok(())
}

/// The value of `ty` that means a refusal: an error, `none`, or an empty list.
fn refusal(ty: &Type, reason: &str) -> Option<Val> {
    Some(match ty {
        Type::Result(result) => Val::Result(Err(match result.err() {
            Some(error) => Some(Box::new(error_value(&error, reason)?)),
            None => None,
        })),
        Type::Option(_) => Val::Option(None),
        Type::List(_) => Val::List(Vec::new()),
        _ => return None,
    })
}

/// Error cases that fit a refusal, best first.
const REFUSAL_CASES: [&str; 9] = [
    "access-denied",
    "HTTP-request-denied",
    "connection-failed",
    "invalid-address",
    "undefined",
    "not-permitted",
    "other",
    "internal-error",
    "unknown",
];

fn error_value(ty: &Type, reason: &str) -> Option<Val> {
    match ty {
        Type::String => Some(Val::String(reason.to_owned())),
        Type::Enum(kinds) => {
            let names: Vec<&str> = kinds.names().collect();
            let fitting = REFUSAL_CASES
                .iter()
                .find(|case| names.contains(case))
                .or(names.last())?;
            Some(Val::Enum((*fitting).to_owned()))
        }
        Type::Variant(kinds) => {
            let payload = |case: &wasmtime::component::types::Case| match &case.ty {
                None => Some(None),
                Some(Type::Option(_)) => Some(Some(Box::new(Val::Option(None)))),
                Some(ty) => error_value(ty, reason).map(|value| Some(Box::new(value))),
            };
            let cases: Vec<_> = kinds.cases().collect();
            let preferred = REFUSAL_CASES
                .iter()
                .filter_map(|name| cases.iter().find(|case| case.name == *name));
            preferred
                .chain(cases.iter())
                .find_map(|case| Some(Val::Variant(case.name.to_owned(), payload(case)?)))
        }
        _ => None,
    }
}
