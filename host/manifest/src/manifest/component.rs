//! `[component.<id>]`: the code of a component and its grants. A component reaches nothing that is not granted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::document::{Table, Text, Value};
use crate::faults;
use crate::names;
use crate::template::Template;

use super::context::Context;
use super::definitions::ComponentDefinition;
use super::dependency::{self, Candidate, Candidates, Dependency, PendingDependency};
use super::hosts;
use super::wharf::WharfComponent;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub id: String,
    pub description: String,
    /// The `.wasm` file. With a `build`, it need not exist yet.
    pub source: PathBuf,
    pub build: Option<Build>,
    pub variables: BTreeMap<String, Template>,
    pub environment: BTreeMap<String, String>,
    pub files: Vec<Files>,
    /// Glob patterns.
    pub exclude_files: Vec<String>,
    pub allowed_outbound_hosts: Vec<Template>,
    /// Labels.
    pub key_value_stores: Vec<String>,
    /// Labels.
    pub sqlite_databases: Vec<String>,
    pub dependencies: Vec<Dependency>,
    pub wharf: WharfComponent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Shell commands, run in this order.
    pub commands: Vec<String>,
    pub workdir: PathBuf,
    /// Glob patterns relative to `workdir`.
    pub watch: Vec<String>,
}

/// Files that a component may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// A glob pattern or a file path, relative to the manifest. The guest sees the files under the same paths.
    Pattern(String),
    /// A file or folder, and its absolute path in the guest.
    Placed {
        source: PathBuf,
        destination: String,
    },
}

impl Component {
    /// The files of its dependencies, each once: dependencies of one file read the same variables.
    pub fn dependency_files(&self) -> Vec<&Path> {
        let mut files: Vec<&Path> = Vec::new();
        for dependency in &self.dependencies {
            if !files.contains(&dependency.source.as_path()) {
                files.push(&dependency.source);
            }
        }
        files
    }
}

/// A component before its dependencies are resolved.
struct Draft<'a> {
    component: Component,
    /// `None` if it was refused.
    source: Option<Text<'a>>,
    pending: Vec<PendingDependency<'a>>,
    profiles: Vec<String>,
}

/// `[component.<id>.profile.<name>]`: the settings that a build profile replaces.
struct Override<'a> {
    name: Text<'a>,
    source: Option<Text<'a>>,
    environment: BTreeMap<String, String>,
    commands: Option<Vec<String>>,
    dependencies: Vec<PendingDependency<'a>>,
}

pub(super) fn read_all(
    context: &Context,
    root: &Table,
    definitions: &[ComponentDefinition],
) -> BTreeMap<String, Component> {
    let drafts = definitions.iter();
    let drafts: Vec<Draft> = drafts
        .filter_map(|definition| Draft::read(context, definition))
        .collect();
    check_profile(context, root, &drafts);
    let candidates: Candidates = drafts.iter().map(Draft::as_candidate).collect();
    drafts
        .into_iter()
        .map(|draft| draft.resolve(context, &candidates))
        .collect()
}

fn check_profile(context: &Context, root: &Table, drafts: &[Draft]) {
    let Some(profile) = context.profile else {
        return;
    };
    let defined = drafts.iter().flat_map(|draft| &draft.profiles);
    let defined: BTreeSet<&str> = defined.map(String::as_str).collect();
    if !defined.contains(profile) {
        let hint = faults::suggest(profile, defined.iter().copied());
        root.fault(format!("no component has a profile `{profile}`"), hint);
    }
}

impl<'a> Draft<'a> {
    fn read(context: &Context, definition: &ComponentDefinition<'a>) -> Option<Draft<'a>> {
        let table = definition.value.table(&definition.name)?;
        let mut source = table
            .require("source")
            .and_then(|source| read_source(&source));
        let mut build = table
            .table("build", "`build`")
            .and_then(|build| Build::read(context, &build));
        let mut environment = read_environment(&table);
        let mut pending = dependency::read_all(&table);
        let inherit_all = table.get("dependencies_inherit_configuration");

        let profiles = table.read_each("profile", |name, value| Override::read(name, &value));
        let names = profiles
            .iter()
            .map(|profile| profile.name.to_string())
            .collect();
        let chosen = profiles
            .into_iter()
            .find(|profile| Some(&*profile.name) == context.profile);
        if let Some(profile) = chosen {
            source = profile.source.or(source);
            environment.extend(profile.environment);
            dependency::replace_same_names(&mut pending, profile.dependencies);
            if let Some(commands) = profile.commands {
                build
                    .get_or_insert_with(|| Build::without_commands(context))
                    .commands = commands;
            }
        }
        if let Some(inherit_all) = inherit_all {
            dependency::inherit_all(&mut pending, &inherit_all);
        }

        let component = Component {
            id: definition.id.clone(),
            description: table.string("description"),
            source: context.path(source.as_deref().unwrap_or_default()),
            build,
            variables: read_variables(context, &table),
            environment,
            files: table
                .get("files")
                .map(|files| read_files(context, &files))
                .unwrap_or_default(),
            exclude_files: strings(&table.texts("exclude_files")),
            allowed_outbound_hosts: hosts::read(context, &table),
            key_value_stores: read_labels(&table, "key_value_stores"),
            sqlite_databases: read_labels(&table, "sqlite_databases"),
            dependencies: Vec::new(),
            wharf: WharfComponent::read(&table),
        };
        refuse_unsupported(&table);
        table.get("targets");
        table.refuse_unknown_keys();
        Some(Draft {
            component,
            source,
            pending,
            profiles: names,
        })
    }

    fn as_candidate(&self) -> (String, Candidate) {
        let component = &self.component;
        let grants = [
            (
                "allowed_outbound_hosts",
                component.allowed_outbound_hosts.is_empty(),
            ),
            ("dependencies", self.pending.is_empty()),
            ("environment", component.environment.is_empty()),
            ("files", component.files.is_empty()),
            ("key_value_stores", component.key_value_stores.is_empty()),
            ("sqlite_databases", component.sqlite_databases.is_empty()),
            ("variables", component.variables.is_empty()),
        ];
        let candidate = Candidate {
            source: component.source.clone(),
            is_built: component.build.is_some(),
            grants: grants
                .into_iter()
                .filter(|(_, none)| !none)
                .map(|(key, _)| key)
                .collect(),
        };
        (component.id.clone(), candidate)
    }

    fn resolve(self, context: &Context, candidates: &Candidates) -> (String, Component) {
        let mut component = self.component;
        if let Some(source) = self.source
            && component.build.is_none()
            && !component.source.exists()
        {
            source.fault(
                format!("there is no file {}", component.source.display()),
                Some("if a command builds it, set `build.command`".to_owned()),
            );
        }
        component.dependencies =
            dependency::resolve_all(context, &component.id, &self.pending, candidates);
        (component.id.clone(), component)
    }
}

impl<'a> Override<'a> {
    fn read(name: Text<'a>, value: &Value<'a>) -> Option<Override<'a>> {
        let table = value.table(format!("profile `{}`", &*name))?;
        let build = table.table("build", "`build` of a profile");
        let commands = build.map(|build| {
            let commands = read_commands(&build);
            build.refuse_unknown_keys();
            commands
        });
        let profile = Override {
            source: table.get("source").and_then(|source| read_source(&source)),
            environment: read_environment(&table),
            dependencies: dependency::read_all(&table),
            commands,
            name,
        };
        table.refuse_unknown_keys();
        Some(profile)
    }
}

impl Build {
    fn read(context: &Context, table: &Table) -> Option<Build> {
        let workdir = table.text("workdir");
        let build = Build {
            commands: read_commands(table),
            workdir: context.path(workdir.as_deref().unwrap_or_default()),
            watch: strings(&table.texts("watch")),
        };
        if let Some(workdir) = workdir.filter(|_| !build.workdir.is_dir()) {
            workdir.fault(
                format!("there is no folder {}", build.workdir.display()),
                None,
            );
        }
        table.refuse_unknown_keys();
        Some(build)
    }

    fn without_commands(context: &Context) -> Build {
        Build {
            commands: Vec::new(),
            workdir: context.dir.to_owned(),
            watch: Vec::new(),
        }
    }
}

fn read_commands(build: &Table) -> Vec<String> {
    let commands = build
        .require("command")
        .map(|command| command.one_or_more_texts());
    strings(&commands.unwrap_or_default())
}

/// The path of a `.wasm` file. Sources that would have to be downloaded are refused.
fn read_source<'a>(value: &Value<'a>) -> Option<Text<'a>> {
    if value.is_text() {
        return value.text();
    }
    let table = value.table("`source`")?;
    let origin = match (table.has("url"), table.has("package")) {
        (true, _) => "a URL",
        (false, true) => "a registry",
        (false, false) => return value.fault_type("the path of a .wasm file"),
    };
    value.fault(
        format!("components from {origin} are not supported"),
        Some(
            "download it next to the manifest and write its path: source = \"vendor/name.wasm\""
                .to_owned(),
        ),
    );
    None
}

fn read_environment(table: &Table) -> BTreeMap<String, String> {
    let environment = table.read_each("environment", |name, value| {
        let value = value.text()?;
        if value.contains("{{") {
            value.warn(
                "`environment` has no templates: the component gets this text unchanged",
                Some("use `variables` instead".to_owned()),
            );
        }
        if name.is_empty() || name.contains(['=', '\0']) {
            name.fault(
                format!("invalid environment variable name {:?}", &*name),
                None,
            );
        }
        Some((name.to_string(), value.to_string()))
    });
    environment.into_iter().collect()
}

fn read_variables(context: &Context, table: &Table) -> BTreeMap<String, Template> {
    let variables = table.read_each("variables", |name, value| {
        if let Err(why) = names::check_variable(&name) {
            name.fault(format!("invalid variable name `{}`: {why}", &*name), None);
        }
        Some((name.to_string(), context.template(&value.text()?)?))
    });
    variables.into_iter().collect()
}

fn read_labels(table: &Table, key: &'static str) -> Vec<String> {
    let labels = table.texts(key);
    for label in &labels {
        if let Err(why) = names::check_label(label) {
            label.fault(format!("invalid label `{}`: {why}", &**label), None);
        }
    }
    strings(&labels)
}

/// Refuses what this host does not have, before a component fails to open it.
fn refuse_unsupported(table: &Table) {
    let labels = table.get("ai_models").and_then(|list| list.list());
    if labels.is_some_and(|list| !list.is_empty()) {
        table.refuse("ai_models", "this host has no AI models");
    }
}

fn read_files(context: &Context, value: &Value) -> Vec<Files> {
    let entries = value.list().unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| Files::read(context, entry))
        .collect()
}

impl Files {
    fn read(context: &Context, value: &Value) -> Option<Files> {
        if value.is_text() {
            return Files::read_pattern(context, &value.text()?);
        }
        let table = value.table("an entry of `files`")?;
        let source = table.require_text("source");
        let destination = table.require_text("destination");
        table.refuse_unknown_keys();
        let (source, destination) = (source?, destination?);
        let path = context.path(&source);
        if !path.exists() {
            source.fault(
                format!("there is no file or folder {}", path.display()),
                None,
            );
        }
        if destination.split('/').any(|part| part == "..") {
            destination.fault("a destination must not contain `..`", None);
        }
        Some(Files::Placed {
            source: path,
            destination: format!("/{}", destination.trim_start_matches('/')),
        })
    }

    fn read_pattern(context: &Context, pattern: &Text) -> Option<Files> {
        let last = pattern.rsplit('/').next().unwrap_or_default();
        if matches!(last, "." | "..") {
            pattern.fault(
                "a pattern must not end with `.` or `..`",
                Some("end it with `**/*`, or write { source = …, destination = … }".to_owned()),
            );
        } else if !pattern.contains(['*', '?', '[']) && !context.path(pattern).exists() {
            pattern.fault(
                format!(
                    "there is no file {}, and this is not a glob pattern",
                    &**pattern
                ),
                None,
            );
        }
        Some(Files::Pattern(pattern.to_string()))
    }
}

fn strings(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.to_string()).collect()
}
