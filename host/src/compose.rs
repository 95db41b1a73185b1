//! Composes a component and its dependencies into one component. Imports of a dependency are supplied by other
//! dependencies where they match, so dependencies may form a chain.

pub mod denied;
pub mod renamed;

use anyhow::{Context, Result, bail, ensure};
use wac_graph::types::{Package, SubtypeChecker, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};
use wharf_manifest::manifest::DependencyName;

/// A component that supplies imports of the consumer.
pub struct Dependency {
    pub name: DependencyName,
    pub component: Vec<u8>,
    /// The name of the export, if it differs from that of the import.
    pub export: Option<String>,
}

/// One of the components in the composition.
#[derive(Clone, Copy)]
struct Member {
    world: WorldId,
    instance: NodeId,
}

/// Returns a component with the exports of `consumer`.
pub fn compose(consumer: &[u8], dependencies: &[Dependency]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let consumer = instantiate(&mut graph, "consumer", consumer)?;
    let suppliers = instantiate_suppliers(&mut graph, dependencies)?;

    let unused = connect(&mut graph, consumer, &suppliers)?;
    if let Some(unused) = unused.first() {
        bail!(
            "dependency \"{}\" matches none of the component's imports",
            unused.name
        );
    }
    let mut connected: Vec<NodeId> = Vec::new();
    for (_, member) in &suppliers {
        if !connected.contains(&member.instance) {
            connect(&mut graph, *member, &suppliers)?;
            connected.push(member.instance);
        }
    }

    let exports: Vec<String> = graph.types()[consumer.world]
        .exports
        .keys()
        .cloned()
        .collect();
    for export in exports {
        let node = graph.alias_instance_export(consumer.instance, &export)?;
        graph.export(node, &export)?;
    }
    Ok(graph.encode(EncodeOptions::default())?)
}

/// Instantiates each dependency; dependencies with the same bytes share an instance.
fn instantiate_suppliers<'a>(
    graph: &mut CompositionGraph,
    dependencies: &'a [Dependency],
) -> Result<Vec<(&'a Dependency, Member)>> {
    let mut suppliers: Vec<(&Dependency, Member)> = Vec::new();
    for dependency in dependencies {
        let same = suppliers
            .iter()
            .find(|(other, _)| other.component == dependency.component);
        let member = match same {
            Some((_, member)) => *member,
            None => {
                let name = format!("dependency-{}", suppliers.len());
                instantiate(graph, &name, &dependency.component)
                    .with_context(|| format!("dependency \"{}\"", dependency.name))?
            }
        };
        suppliers.push((dependency, member));
    }
    Ok(suppliers)
}

fn instantiate(graph: &mut CompositionGraph, name: &str, bytes: &[u8]) -> Result<Member> {
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())?;
    let world = package.ty();
    let package = graph.register_package(package)?;
    Ok(Member {
        world,
        instance: graph.instantiate(package),
    })
}

/// Supplies the imports of `member`; returns the dependencies that match none of them.
fn connect<'a>(
    graph: &mut CompositionGraph,
    member: Member,
    suppliers: &[(&'a Dependency, Member)],
) -> Result<Vec<&'a Dependency>> {
    let mut unused: Vec<&Dependency> = suppliers
        .iter()
        .map(|(dependency, _)| *dependency)
        .collect();
    let imports: Vec<String> = graph.types()[member.world]
        .imports
        .keys()
        .cloned()
        .collect();
    for import in imports {
        let mut matching = suppliers.iter().filter(|(dependency, supplier)| {
            supplier.instance != member.instance && dependency.name.matches(&import)
        });
        let Some((dependency, supplier)) = matching.next() else {
            continue;
        };
        if let Some((other, _)) = matching.next() {
            bail!(
                "\"{}\" and \"{}\" both supply {import}",
                dependency.name,
                other.name
            );
        }
        unused.retain(|other| other.name != dependency.name);
        let export = dependency.export.as_deref().unwrap_or(&import);
        check_types_match(graph, supplier.world, export, member.world, &import)
            .with_context(|| format!("dependency \"{}\"", dependency.name))?;
        let supply = graph.alias_instance_export(supplier.instance, export)?;
        graph.set_instantiation_argument(member.instance, &import, supply)?;
    }
    Ok(unused)
}

fn check_types_match(
    graph: &CompositionGraph,
    supplier: WorldId,
    export: &str,
    consumer: WorldId,
    import: &str,
) -> Result<()> {
    let types = graph.types();
    let offered = types[supplier].exports.get(export);
    ensure!(offered.is_some(), "it does not export {export}");
    let wanted = types[consumer].imports.get(import);
    let (Some(offered), Some(wanted)) = (offered, wanted) else {
        return Ok(());
    };
    SubtypeChecker::new(&mut Default::default())
        .is_subtype(*offered, types, *wanted, types)
        .with_context(|| {
            format!("the type of its export {export} does not match the import {import}")
        })
}
