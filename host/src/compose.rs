//! A component and its dependencies made into one component. Which bytes a dependency is, and what it
//! inherits, is decided by the manifest; a dependency with dependencies of its own arrives composed.

pub mod denied;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use wac_graph::types::{Package, SubtypeChecker, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

/// What takes the place of some of a component's imports.
pub struct Dependency {
    /// `package:name`, `package:name/interface`, either with `@version`, or a plain import's name.
    pub key: String,
    pub component: Vec<u8>,
    /// The name the dependency exports it under, when that is not the import's own.
    pub export: Option<String>,
}

/// One component that exports what `consumer` exports.
pub fn compose(consumer: &[u8], dependencies: &[Dependency]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let (world, instance) = instantiate(&mut graph, "consumer", consumer)?;
    let supplied = assign(&graph, world, dependencies)?;

    // Entries that name the same component share one instance of it.
    let mut instances: Vec<(&[u8], WorldId, NodeId)> = Vec::new();
    for (import, dependency) in supplied {
        let bytes = dependency.component.as_slice();
        let known = instances
            .iter()
            .find(|(known, ..)| *known == bytes)
            .copied();
        let (_, its_world, its_instance) = match known {
            Some(known) => known,
            None => {
                let name = format!("dependency-{}", instances.len());
                let (its_world, its_instance) = instantiate(&mut graph, &name, bytes)
                    .with_context(|| format!("dependency \"{}\"", dependency.key))?;
                instances.push((bytes, its_world, its_instance));
                (bytes, its_world, its_instance)
            }
        };
        let export = dependency.export.as_deref().unwrap_or(&import);
        check_fits(&graph, its_world, export, world, &import, &dependency.key)?;
        let supply = graph.alias_instance_export(its_instance, export)?;
        graph.set_instantiation_argument(instance, &import, supply)?;
    }

    let exports: Vec<String> = graph.types()[world].exports.keys().cloned().collect();
    for export in exports {
        let node = graph.alias_instance_export(instance, &export)?;
        graph.export(node, &export)?;
    }
    Ok(graph.encode(EncodeOptions::default())?)
}

fn instantiate(
    graph: &mut CompositionGraph,
    name: &str,
    bytes: &[u8],
) -> Result<(WorldId, NodeId)> {
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())?;
    let world = package.ty();
    let package = graph.register_package(package)?;
    Ok((world, graph.instantiate(package)))
}

/// Which dependency supplies which import.
fn assign<'a>(
    graph: &CompositionGraph,
    consumer: WorldId,
    dependencies: &'a [Dependency],
) -> Result<BTreeMap<String, &'a Dependency>> {
    let mut supplied: BTreeMap<String, &Dependency> = BTreeMap::new();
    for dependency in dependencies {
        let imports = graph.types()[consumer].imports.keys();
        let matching: Vec<&String> = imports
            .filter(|import| names(&dependency.key, import))
            .collect();
        ensure!(
            !matching.is_empty(),
            "dependency \"{}\" matches none of the component's imports",
            dependency.key
        );
        for import in matching {
            if let Some(other) = supplied.insert(import.clone(), dependency) {
                bail!(
                    "\"{}\" and \"{}\" both supply {import}",
                    other.key,
                    dependency.key
                );
            }
        }
    }
    Ok(supplied)
}

/// Whether a dependency's key means this import. What the key leaves out, it leaves open.
fn names(key: &str, import: &str) -> bool {
    let (key_path, key_version) = split_version(key);
    let (import_path, import_version) = split_version(import);
    let is_path = key_path == import_path
        || (key_path.contains(':')
            && !key_path.contains('/')
            && import_path
                .split_once('/')
                .is_some_and(|(package, _)| package == key_path));
    is_path && key_version.is_none_or(|version| import_version == Some(version))
}

fn split_version(name: &str) -> (&str, Option<&str>) {
    match name.split_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (name, None),
    }
}

fn check_fits(
    graph: &CompositionGraph,
    supplier: WorldId,
    export: &str,
    consumer: WorldId,
    import: &str,
    key: &str,
) -> Result<()> {
    let types = graph.types();
    let offered = types[supplier].exports.get(export);
    let offered =
        offered.with_context(|| format!("dependency \"{key}\" does not export {export}"))?;
    let wanted = types[consumer]
        .imports
        .get(import)
        .context("the import was just found")?;
    SubtypeChecker::new(&mut Default::default())
        .is_subtype(*offered, types, *wanted, types)
        .with_context(|| {
            format!("dependency \"{key}\" exports {export}, but not as {import} is imported")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_the_imports_it_leaves_open() {
        for (key, import, means) in [
            ("a:b/c@1.0.0", "a:b/c@1.0.0", true),
            ("a:b/c@1.0.0", "a:b/c@1.1.0", false),
            ("a:b/c", "a:b/c@1.0.0", true),
            ("a:b@1.0.0", "a:b/c@1.0.0", true),
            ("a:b@1.0.0", "a:b/c", false),
            ("a:b", "a:b/c@1.0.0", true),
            ("a:b", "a:bb/c@1.0.0", false),
            ("a:b/c", "a:b/cc", false),
            ("plain", "plain", true),
            ("plain", "plain/not", false),
        ] {
            assert_eq!(names(key, import), means, "{key} {import}");
        }
    }
}
