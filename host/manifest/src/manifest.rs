//! `spin.toml`, version 2, read and checked: what Spin accepts means here what it means there.
//!
//! What this host cannot run (components from a registry, SQLite, other triggers than HTTP and Redis …) is refused
//! with a sentence, never ignored. Read in this order: [`Manifest`], [`Component`], [`HttpTrigger`], [`WharfApplication`].

mod component;
mod definitions;
mod dependency;
mod host_value;
mod hosts;
mod trigger;
mod variable;
mod wharf;

pub use component::{Build, Component, Files};
pub use dependency::{Configuration, Dependency, DependencyName};
pub use host_value::{BadHostValue, HostValue, S3Part, is_schema_name};
pub use trigger::{HttpAnswer, HttpTrigger, RedisTrigger, StaticResponse};
pub use variable::Variable;
pub use wharf::{
    Cron, PostgresLimits, ProblemMember, ProblemMembers, WharfApplication, WharfComponent, When,
};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::document::{Document, Table, Text};
use crate::egress::AllowedHosts;
use crate::faults::{self, Fault, Faults};
use crate::template::Template;
use crate::variables::Variables;
use definitions::Definitions;

/// An application. Every path in it begins with the folder of the manifest.
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
    /// What is probably not meant so, yet is no reason not to start.
    pub warnings: Vec<Fault>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Application {
    pub name: String,
    pub version: String,
    pub description: String,
    pub authors: Vec<String>,
}

/// Reads the manifest at `path` (a file, or a folder with a `spin.toml` in it) for a build profile; or says everything
/// that is wrong with it.
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
    let (mut manifest, warnings) = document.judge(manifest)?;
    manifest.warnings = warnings;
    Ok(manifest)
}

/// What the parts of a manifest have to know of each other while they are read.
struct Reading<'a> {
    dir: &'a Path,
    profile: Option<&'a str>,
    variables: &'a BTreeMap<String, Variable>,
    component_ids: &'a BTreeSet<String>,
}

impl Manifest {
    fn read(path: &Path, root: Table, profile: Option<&str>) -> Option<Manifest> {
        let dir = match path.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        };
        check_version(&root);
        let variables = variable::read(&root);
        let definitions = Definitions::collect(&root);
        let reading = Reading {
            dir,
            profile,
            variables: &variables,
            component_ids: &definitions.ids(),
        };
        let application = root
            .require("application")
            .and_then(|value| value.table("[application]"));
        let triggers = trigger::read(&reading, application.as_ref(), &definitions.triggers);
        let components = component::read_all(&reading, &root, &definitions.components);
        let wharf = application
            .as_ref()
            .and_then(|application| WharfApplication::read(&reading, application, &triggers.redis));
        let application = application.and_then(Application::read);
        root.no_other_keys();
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

    /// The components some trigger starts; the others are never loaded.
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

    /// Where a component may connect to, with these values for the variables.
    pub fn allowed_hosts(
        &self,
        component: &Component,
        variables: &Variables,
    ) -> Result<AllowedHosts, Vec<String>> {
        let entries = component.allowed_outbound_hosts.iter();
        let entries: Vec<String> = entries
            .map(|entry| match variables.text(entry) {
                Ok(text) if hosts::is_left_out(entry, &text) => Ok(None),
                Ok(text) => Ok(Some(text)),
                Err(why) => Err(vec![format!(
                    "allowed_outbound_hosts {:?}: {why}",
                    entry.source()
                )]),
            })
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?;
        let allowed = AllowedHosts::parse(&entries)?;
        Ok(allowed
            .within(self.components.keys().map(String::as_str))
            .with_private_by_name_only(component.wharf.block_private_networks))
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
        // Environments the application is meant for: Spin checks them when it builds, nobody at run time.
        table.get("targets");
        table.no_other_keys();
        name.is_some().then_some(application)
    }
}

impl Reading<'_> {
    /// A path in the manifest.
    fn path(&self, text: &str) -> PathBuf {
        self.dir.join(text)
    }

    /// The id of a component that exists.
    fn component(&self, id: &Text) -> Option<String> {
        if self.component_ids.contains(&**id) {
            return Some(id.to_string());
        }
        id.unknown(
            "there is no component",
            self.component_ids.iter().map(String::as_str),
        );
        None
    }

    /// A text that may mention the application's variables.
    fn template(&self, text: &Text) -> Option<Template> {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(bad) => {
                text.fault_within(bad.position, 2, bad.reason, None);
                return None;
            }
        };
        let mut known = true;
        for (name, position) in template.mentions() {
            if !self.variables.contains_key(name) {
                known = false;
                let hint = faults::suggestion(name, self.variables.keys().map(String::as_str));
                let message = format!("there is no variable `{name}` in [variables]");
                text.fault_within(position, name.len(), message, hint);
            }
        }
        known.then_some(template)
    }
}

fn check_version(root: &Table) {
    let Some(value) = root.require("spin_manifest_version") else {
        return;
    };
    match value.number(0..=u64::MAX) {
        Some(2) | None => {}
        Some(version) => value.fault(
            format!("version {version} of the manifest is not read here"),
            Some("only version 2 is; `spin doctor` upgrades version 1".to_owned()),
        ),
    }
}

/// The table of our own settings under `tool`, which Spin ignores.
fn tool_wharf<'a>(table: &Table<'a>) -> Option<Table<'a>> {
    let tools = table.table("tool", "`tool`")?;
    for (tool, value) in tools.entries() {
        value.table(&*tool);
        if faults::closest(&tool, ["wharf"]).is_some_and(|meant| meant != &*tool) {
            tool.warn(
                format!("settings of the tool `{}` are ignored", &*tool),
                Some("did you mean `wharf`?".to_owned()),
            );
        }
    }
    tools.table("wharf", format!("`tool.wharf` of {}", table.name))
}

#[cfg(test)]
mod tests;
