//! Reads and checks `spin.toml`, version 2. A manifest means the same here as in Spin.
//!
//! Features that this host does not support (components from a registry, AI models, triggers other than HTTP and Redis, …)
//! are refused with a message, never ignored. Reading order: [`Manifest`], [`Component`], [`HttpTrigger`],
//! [`WharfApplication`].

mod component;
mod context;
mod definitions;
mod dependency;
mod host_value;
mod hosts;
mod trigger;
mod variable;
mod wharf;

pub use component::{Build, Component, Files};
pub use dependency::{Configuration, Dependency, DependencyName};
pub use host_value::{BadHostValue, EVERY_SCHEMA, HostValue, S3Part, is_schema_name};
pub(crate) use hosts::is_unset;
pub use trigger::{HttpAnswer, HttpTrigger, RedisTrigger, StaticResponse};
pub use variable::Variable;
pub use wharf::{
    ConnectionLimits, CorsSettings, Cron, MetricsAccess, PostgresLimits, ProblemMember,
    ProblemMembers, WharfApplication, WharfComponent, When, parse_origins,
};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::document::{Document, Table};
use crate::faults::{Fault, Faults};
use context::Context;
use definitions::Definitions;

/// An application. Its paths start with the folder of the manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub path: PathBuf,
    pub dir: PathBuf,
    pub application: Application,
    pub variables: BTreeMap<String, Variable>,
    pub http: Vec<HttpTrigger>,
    pub redis: Vec<RedisTrigger>,
    pub components: BTreeMap<String, Component>,
    pub wharf: WharfApplication,
    /// Probable mistakes that do not keep the application from starting.
    pub warnings: Vec<Fault>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Application {
    pub name: String,
    pub version: String,
    pub description: String,
    pub authors: Vec<String>,
}

/// Reads the manifest at `path` (a file, or a folder that holds `spin.toml`) for a build profile. Fails with all faults
/// of the manifest.
pub fn load(path: &Path, profile: Option<&str>) -> Result<Manifest, Faults> {
    let path = match path.is_dir() {
        true => path.join("spin.toml"),
        false => path.to_owned(),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|why| Fault::of_file(&path, format!("cannot be read: {why}")))?;
    let document = Document::new(&path, &text);
    let entries = document.parse()?;
    let manifest = Manifest::read(&path, document.root(&entries), profile);
    let (mut manifest, warnings) = document.finish(manifest)?;
    manifest.warnings = warnings;
    Ok(manifest)
}

impl Manifest {
    fn read(path: &Path, root: Table, profile: Option<&str>) -> Option<Manifest> {
        let dir = match path.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        };
        check_version(&root);
        let variables = variable::read_all(&root);
        let definitions = Definitions::collect(&root);
        let context = Context {
            dir,
            profile,
            variables: &variables,
            component_ids: &definitions.ids(),
        };
        let application = root
            .require("application")
            .and_then(|value| value.table("[application]"));
        let triggers = trigger::read_all(&context, application.as_ref(), &definitions.triggers);
        let components = component::read_all(&context, &root, &definitions.components);
        let wharf = application
            .as_ref()
            .and_then(|application| WharfApplication::read(&context, application, &triggers.redis));
        let application = application.and_then(Application::read);
        root.refuse_unknown_keys();
        Some(Manifest {
            path: path.to_owned(),
            dir: dir.to_owned(),
            application: application?,
            http: triggers.http,
            redis: triggers.redis,
            components,
            wharf: wharf?,
            variables,
            warnings: Vec::new(),
        })
    }

    /// The components of all triggers. Others are never loaded.
    pub fn triggered(&self) -> impl Iterator<Item = &Component> {
        let http = self
            .http
            .iter()
            .filter_map(|trigger| trigger.answer.component());
        let ids: BTreeSet<&str> = http
            .chain(self.redis.iter().map(|trigger| trigger.component.as_str()))
            .collect();
        ids.into_iter().filter_map(|id| self.components.get(id))
    }
}

impl Application {
    fn read(table: Table) -> Option<Application> {
        let name = table.require_text("name");
        let application = Application {
            name: name.as_deref().unwrap_or_default().to_owned(),
            version: table.string("version"),
            description: table.string("description"),
            authors: table
                .texts("authors")
                .iter()
                .map(|author| author.to_string())
                .collect(),
        };
        // The target environments, which Spin checks when it builds. Not used at run time.
        table.get("targets");
        table.refuse_unknown_keys();
        name.is_some().then_some(application)
    }
}

fn check_version(root: &Table) {
    let Some(value) = root.require("spin_manifest_version") else {
        return;
    };
    match value.number(0..=u64::MAX) {
        Some(2) | None => {}
        Some(version) => value.fault(
            format!("manifest version {version} is not supported"),
            Some("only version 2 is supported; `spin doctor` upgrades version 1".to_owned()),
        ),
    }
}

#[cfg(test)]
mod tests;
