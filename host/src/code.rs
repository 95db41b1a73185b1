//! Reads the components that the manifest names, composes them with their dependencies, and compiles them in parallel
//! or loads them from the cache.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use wasmtime::component::Component as Code;
use wharf_manifest::manifest::Component;

use crate::compose::{self, Dependency, renamed};
use crate::core_module;
use crate::engine::cache::Cache;
use crate::engine::shortcut::Shortcut;

/// Returns what `link` makes of the code of each component, in their order, or the errors of all that failed. What is not
/// in the cache is compiled `elsewhere`, which puts it there, and here only if that fails: `say` gets a line for each
/// compilation.
pub fn load<T: Send>(
    components: &[&Component],
    cache: &Cache,
    elsewhere: impl FnOnce() -> Result<()>,
    link: impl Fn(&Code) -> Result<T> + Sync,
    say: &(impl Fn(&str) + Sync),
) -> Result<Vec<T>, Vec<anyhow::Error>> {
    let found = each(components, |component| {
        let code = find(component, cache)?.ok();
        code.as_ref().map(&link).transpose()
    })?;
    if let Some(all) = found.into_iter().collect() {
        return Ok(all);
    }
    if let Err(cause) = elsewhere() {
        tracing::debug!("cannot compile in another process: {cause:#}");
    }
    each(components, |component| {
        link(&find_or_compile(component, cache, say)?)
    })
}

/// Compiles what is not in the cache, one component per processor at a time.
pub fn compile(
    components: &[&Component],
    cache: &Cache,
    say: &(impl Fn(&str) + Sync),
) -> Result<(), Vec<anyhow::Error>> {
    let compiled = each(components, |component| {
        find_or_compile(component, cache, say).map(drop)
    });
    compiled.map(drop)
}

/// Does it for all components in parallel. The results are in the order of the components.
fn each<T: Send>(
    components: &[&Component],
    one: impl Fn(&Component) -> Result<T> + Sync,
) -> Result<Vec<T>, Vec<anyhow::Error>> {
    let results: Vec<Mutex<Option<Result<T>>>> =
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
                    // A panic is printed where it happens. It is a fault of this component and ends no thread.
                    let of_this = catch_unwind(AssertUnwindSafe(|| one(component)));
                    if let (Ok(of_this), Ok(mut result)) = (of_this, result.lock()) {
                        *result = Some(of_this);
                    }
                }
            });
        }
    });
    let mut all = Vec::new();
    let mut faults = Vec::new();
    for (component, result) in components.iter().zip(results) {
        let result = result
            .into_inner()
            .ok()
            .flatten()
            .context("the host panicked over it");
        match result.and_then(|result| result) {
            Ok(one) => all.push(one),
            Err(fault) => faults.push(fault.context(format!("component \"{}\"", component.id))),
        }
    }
    if faults.is_empty() {
        Ok(all)
    } else {
        Err(faults)
    }
}

fn find_or_compile(component: &Component, cache: &Cache, say: &impl Fn(&str)) -> Result<Code> {
    let bytes = match find(component, cache)? {
        Ok(code) => return Ok(code),
        Err(bytes) => bytes,
    };
    let began = Instant::now();
    let code = cache.compile(&bytes)?;
    let took = began.elapsed().as_millis();
    say(&format!("{}: compiled after {took} ms", component.id));
    Ok(code)
}

/// Loads the component from the cache, or returns what to compile.
fn find(component: &Component, cache: &Cache) -> Result<Result<Code, Vec<u8>>> {
    let shortcut = shortcut_of(component);
    if let Some(code) = shortcut.as_ref().and_then(|it| cache.follow(it)) {
        return Ok(Ok(code));
    }
    let bytes = read_composed(component)?;
    let Some(code) = cache.find(&bytes) else {
        return Ok(Err(bytes));
    };
    if let Some(shortcut) = &shortcut {
        cache.remember(shortcut, &bytes);
    }
    Ok(Ok(code))
}

/// By all that `read_composed` reads.
fn shortcut_of(component: &Component) -> Option<Shortcut> {
    let how = component.dependencies.iter().map(|dependency| {
        let (name, export) = (&dependency.name, &dependency.export);
        format!("{name:?} {export:?} {:?}\n", dependency.inherits)
    });
    let dependencies = component.dependencies.iter();
    let sources = dependencies.map(|dependency| dependency.source.as_path());
    let files = [component.source.as_path()].into_iter().chain(sources);
    Shortcut::of(files, &how.collect::<String>())
}

/// Reads the component, composed with its dependencies.
fn read_composed(component: &Component) -> Result<Vec<u8>> {
    let code = read(&component.source)?;
    if component.dependencies.is_empty() {
        return Ok(code);
    }
    renamed::check(&code)?;
    let files = component.dependency_files();
    let mut dependencies = Vec::new();
    for dependency in &component.dependencies {
        let position = files.iter().position(|file| *file == dependency.source);
        let position = position.context("a dependency has no file")?;
        let code = read(&dependency.source)?;
        let code = renamed::rename(&code, |import| {
            renamed::prefix_of(import, &dependency.inherits, position)
        });
        dependencies.push(Dependency {
            name: dependency.name.clone(),
            component: code.with_context(|| format!("dependency \"{}\"", dependency.name))?,
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

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "stage"
[[trigger.http]]
route = "/bad"
component = "bad"
[[trigger.http]]
route = "/good"
component = "good"
[component.bad]
source = "any.wasm"
[component.good]
source = "any.wasm"
"#;

    #[test]
    fn a_component_over_which_the_host_panics_is_a_fault_and_the_others_are_loaded() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spin.toml"), MANIFEST).unwrap();
        fs::write(folder.path().join("any.wasm"), "").unwrap();
        let manifest = wharf_manifest::manifest::load(folder.path(), None).unwrap();
        let components: Vec<&Component> = manifest.components.values().collect();
        let loaded = AtomicUsize::new(0);
        let result = each(&components, |component| {
            assert_ne!(component.id, "bad");
            loaded.fetch_add(1, Relaxed);
            Ok(())
        });
        let faults = result.unwrap_err();
        let [fault] = &faults[..] else {
            panic!("{faults:?}");
        };
        assert_eq!(
            format!("{fault:#}"),
            "component \"bad\": the host panicked over it"
        );
        assert_eq!(loaded.into_inner(), 1);
    }
}
