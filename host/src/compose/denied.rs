//! Defines what dependencies are denied (see `renamed`), and what this host lacks: every function of such an interface returns
//! the interface's own error.
//!
//! Spin composes in a component that refuses instead. That needs one for every version of every interface, and an
//! unknown version would fall through to the consumer's grant.

use anyhow::{Result, bail};
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Type, Val};

use super::renamed::DENIED;

/// Whether Spin has an interface that this host lacks: MySQL, language models, drafts of WASI. Spin's SDK for Python imports
/// every interface that Spin has, used or not.
fn is_lacking(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    match interface {
        "fermyon:spin/llm" | "fermyon:spin/mysql" | "spin:mysql/mysql" => true,
        _ => interface.starts_with("wasi:") && version.contains("-rc"),
    }
}

/// Defines the denied imports of `component`, and those that this host lacks.
pub fn link<T: Send + 'static>(linker: &mut Linker<T>, component: &Component) -> Result<()> {
    let engine = component.engine();
    let mut known = Vec::new();
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        let refused = match name.strip_prefix(DENIED) {
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
