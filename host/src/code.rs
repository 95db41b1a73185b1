//! Reads the components that the manifest names, composes them with their dependencies, and compiles them in parallel
//! or loads them from the cache.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use wasmtime::component::Component as Code;
use wharf_manifest::manifest::Component;

use crate::compose::{self, Dependency, denied};
use crate::core_module;
use crate::engine::cache::Cache;

/// Returns the code of each component in their order, or the errors of all that failed. `say` gets a line for each
/// compilation.
pub fn compile(
    components: &[&Component],
    cache: &Cache,
    say: &(impl Fn(&str) + Sync),
) -> Result<Vec<Code>, Vec<anyhow::Error>> {
    let results: Vec<Mutex<Option<Result<Code>>>> =
        components.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(components.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Relaxed);
                    let (Some(component), Some(result)) =
                        (components.get(index), results.get(index))
                    else {
                        return;
                    };
                    let compiled = compile_one(component, cache, say);
                    if let Ok(mut result) = result.lock() {
                        *result = Some(compiled);
                    }
                }
            });
        }
    });
    let mut codes = Vec::new();
    let mut faults = Vec::new();
    for (component, result) in components.iter().zip(results) {
        let result = result
            .into_inner()
            .ok()
            .flatten()
            .context("the compiler did not finish");
        match result.and_then(|compiled| compiled) {
            Ok(code) => codes.push(code),
            Err(fault) => faults.push(fault.context(format!("component \"{}\"", component.id))),
        }
    }
    if faults.is_empty() {
        Ok(codes)
    } else {
        Err(faults)
    }
}

fn compile_one(component: &Component, cache: &Cache, say: &impl Fn(&str)) -> Result<Code> {
    let bytes = read_composed(component)?;
    if let Some(code) = cache.find(&bytes) {
        return Ok(code);
    }
    let began = Instant::now();
    let code = cache.compile(&bytes)?;
    let took = began.elapsed().as_millis();
    say(&format!("{}: compiled after {took} ms", component.id));
    Ok(code)
}

/// Reads the component, composed with its dependencies.
fn read_composed(component: &Component) -> Result<Vec<u8>> {
    let code = read(&component.source)?;
    if component.dependencies.is_empty() {
        return Ok(code);
    }
    let mut dependencies = Vec::new();
    for dependency in &component.dependencies {
        let code = read(&dependency.source)?;
        dependencies.push(Dependency {
            name: dependency.name.clone(),
            component: denied::rename(&code, |import| {
                denied::is_denied(import, &dependency.inherits)
            })?,
            export: dependency.export.clone(),
        });
    }
    compose::compose(&code, &dependencies)
}

/// Reads a component. A core module, as older toolchains make it, is made into one.
fn read(path: &Path) -> Result<Vec<u8>> {
    let code = fs::read(path)
        .with_context(|| format!("cannot read {}; has it been built?", path.display()))?;
    if wasmparser::Parser::is_component(&code) {
        return Ok(code);
    }
    core_module::to_component(&code).with_context(|| format!("{}", path.display()))
}
