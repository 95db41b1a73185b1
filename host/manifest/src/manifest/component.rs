//! `[component.<id>]`: where its code is and what it is given. Everything it is not given it cannot reach.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::document::{Table, Text, Value};
use crate::faults;
use crate::names;
use crate::template::Template;

use super::definitions::ComponentDefinition;
use super::dependency::{self, Dependency, Other, Others, PendingDependency};
use super::wharf::WharfComponent;
use super::{Reading, hosts};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub id: String,
    pub description: String,
    /// The `.wasm` file; it may have to be built first.
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
    pub dependencies: Vec<Dependency>,
    pub wharf: WharfComponent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Shell commands, one after the other.
    pub commands: Vec<String>,
    pub workdir: PathBuf,
    /// Glob patterns relative to `workdir`.
    pub watch: Vec<String>,
}

/// Files a component may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// A glob pattern, or the path of one file, relative to the manifest; found by the guest under the same path.
    Pattern(String),
    /// A file or folder, and the absolute path at which the guest finds it.
    Placed {
        source: PathBuf,
        destination: String,
    },
}

/// A component that was read, before it is known what it depends on.
struct Draft<'a> {
    component: Component,
    /// `None` when it was refused.
    source: Option<Text<'a>>,
    pending: Vec<PendingDependency<'a>>,
    profiles: Vec<String>,
}

/// `[component.<id>.profile.<name>]`: what is different in a build profile.
struct Override<'a> {
    name: Text<'a>,
    source: Option<Text<'a>>,
    environment: BTreeMap<String, String>,
    commands: Option<Vec<String>>,
    dependencies: Vec<PendingDependency<'a>>,
}

pub(super) fn read_all(
    reading: &Reading,
    root: &Table,
    definitions: &[ComponentDefinition],
) -> BTreeMap<String, Component> {
    let drafts = definitions.iter();
    let drafts: Vec<Draft> = drafts
        .filter_map(|definition| Draft::read(reading, definition))
        .collect();
    check_profile(reading, root, &drafts);
    let others: Others = drafts.iter().map(Draft::as_dependency).collect();
    drafts
        .into_iter()
        .map(|draft| draft.finish(reading, &others))
        .collect()
}

fn check_profile(reading: &Reading, root: &Table, drafts: &[Draft]) {
    let Some(profile) = reading.profile else {
        return;
    };
    let defined = drafts.iter().flat_map(|draft| &draft.profiles);
    let defined: BTreeSet<&str> = defined.map(String::as_str).collect();
    if !defined.contains(profile) {
        let hint = faults::suggestion(profile, defined.iter().copied());
        root.fault(format!("no component has a profile `{profile}`"), hint);
    }
}

impl<'a> Draft<'a> {
    fn read(reading: &Reading, definition: &ComponentDefinition<'a>) -> Option<Draft<'a>> {
        let table = definition.value.table(&definition.name)?;
        let mut source = table
            .require("source")
            .and_then(|source| read_source(&source));
        let mut build = table
            .table("build", "`build`")
            .and_then(|build| Build::read(reading, &build));
        let mut environment = read_environment(&table);
        let mut pending = dependency::read_all(&table);
        let inherit_all = table.get("dependencies_inherit_configuration");

        let profiles = table.each("profile", |name, value| Override::read(name, &value));
        let names = profiles
            .iter()
            .map(|profile| profile.name.to_string())
            .collect();
        let chosen = profiles
            .into_iter()
            .find(|profile| Some(&*profile.name) == reading.profile);
        if let Some(profile) = chosen {
            source = profile.source.or(source);
            environment.extend(profile.environment);
            dependency::replace(&mut pending, profile.dependencies);
            if let Some(commands) = profile.commands {
                build
                    .get_or_insert_with(|| Build::in_folder(reading))
                    .commands = commands;
            }
        }
        if let Some(inherit_all) = inherit_all {
            dependency::inherit_all(&mut pending, &inherit_all);
        }

        let component = Component {
            id: definition.id.clone(),
            description: table.string("description"),
            source: reading.path(source.as_deref().unwrap_or_default()),
            build,
            variables: read_variables(reading, &table),
            environment,
            files: table
                .get("files")
                .map(|files| read_files(reading, &files))
                .unwrap_or_default(),
            exclude_files: strings(&table.texts("exclude_files")),
            allowed_outbound_hosts: hosts::read(reading, &table),
            key_value_stores: read_labels(&table, "key_value_stores"),
            dependencies: Vec::new(),
            wharf: WharfComponent::read(&table),
        };
        refuse_what_is_not_there(&table);
        table.get("targets");
        table.no_other_keys();
        Some(Draft {
            component,
            source,
            pending,
            profiles: names,
        })
    }

    fn as_dependency(&self) -> (String, Other) {
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
            ("variables", component.variables.is_empty()),
        ];
        let other = Other {
            source: component.source.clone(),
            is_built: component.build.is_some(),
            grants: grants
                .into_iter()
                .filter(|(_, none)| !none)
                .map(|(key, _)| key)
                .collect(),
        };
        (component.id.clone(), other)
    }

    fn finish(self, reading: &Reading, others: &Others) -> (String, Component) {
        let mut component = self.component;
        if let Some(source) = self.source
            && component.build.is_none()
            && !component.source.exists()
        {
            source.fault(
                format!("there is no file {}", component.source.display()),
                Some("write the command that makes it as `build.command`".to_owned()),
            );
        }
        component.dependencies = dependency::resolve(reading, &component.id, &self.pending, others);
        (component.id.clone(), component)
    }
}

impl<'a> Override<'a> {
    fn read(name: Text<'a>, value: &Value<'a>) -> Option<Override<'a>> {
        let table = value.table(format!("profile `{}`", &*name))?;
        let build = table.table("build", "`build` of a profile");
        let commands = build.map(|build| {
            let commands = read_commands(&build);
            build.no_other_keys();
            commands
        });
        let profile = Override {
            source: table.get("source").and_then(|source| read_source(&source)),
            environment: read_environment(&table),
            dependencies: dependency::read_all(&table),
            commands,
            name,
        };
        table.no_other_keys();
        Some(profile)
    }
}

impl Build {
    fn read(reading: &Reading, table: &Table) -> Option<Build> {
        let workdir = table.text("workdir");
        let build = Build {
            commands: read_commands(table),
            workdir: reading.path(workdir.as_deref().unwrap_or_default()),
            watch: strings(&table.texts("watch")),
        };
        if let Some(workdir) = workdir.filter(|_| !build.workdir.is_dir()) {
            workdir.fault(
                format!("there is no folder {}", build.workdir.display()),
                None,
            );
        }
        table.no_other_keys();
        Some(build)
    }

    fn in_folder(reading: &Reading) -> Build {
        Build {
            commands: Vec::new(),
            workdir: reading.dir.to_owned(),
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

/// Only files: nothing is fetched.
fn read_source<'a>(value: &Value<'a>) -> Option<Text<'a>> {
    if value.is_text() {
        return value.text();
    }
    let table = value.table("`source`")?;
    let what = match (table.has("url"), table.has("package")) {
        (true, _) => "a URL",
        (false, true) => "a registry",
        (false, false) => return value.wrong_type("the path of a .wasm file"),
    };
    value.fault(
        format!("this host does not fetch components from {what}"),
        Some(
            "download it next to the manifest and write its path: source = \"vendor/name.wasm\""
                .to_owned(),
        ),
    );
    None
}

fn read_environment(table: &Table) -> BTreeMap<String, String> {
    let environment = table.each("environment", |name, value| {
        let value = value.text()?;
        if value.contains("{{") {
            value.warn(
                "variables are not filled in here: the component sees this text as it stands",
                Some("give it as a variable, under `variables`".to_owned()),
            );
        }
        if name.is_empty() || name.contains(['=', '\0']) {
            name.fault(
                format!("{:?} is no name of an environment variable", &*name),
                None,
            );
        }
        Some((name.to_string(), value.to_string()))
    });
    environment.into_iter().collect()
}

fn read_variables(reading: &Reading, table: &Table) -> BTreeMap<String, Template> {
    let variables = table.each("variables", |name, value| {
        if let Err(why) = names::lower_snake(&name) {
            name.fault(
                format!("`{}` is no name of a variable: {why}", &*name),
                None,
            );
        }
        Some((name.to_string(), reading.template(&value.text()?)?))
    });
    variables.into_iter().collect()
}

fn read_labels(table: &Table, key: &'static str) -> Vec<String> {
    let labels = table.texts(key);
    for label in &labels {
        if let Err(why) = names::label(label) {
            label.fault(format!("`{}` is no label: {why}", &**label), None);
        }
    }
    strings(&labels)
}

/// What a component asks for and this host does not have is no reason to start and fail later.
fn refuse_what_is_not_there(table: &Table) {
    for (key, why) in [
        ("sqlite_databases", "this host has no SQLite databases"),
        ("ai_models", "this host has no AI models"),
    ] {
        let asked_for = table.get(key).and_then(|list| list.list());
        if asked_for.is_some_and(|list| !list.is_empty()) {
            table.refuse(key, why);
        }
    }
}

fn read_files(reading: &Reading, value: &Value) -> Vec<Files> {
    let entries = value.list().unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| Files::read(reading, entry))
        .collect()
}

impl Files {
    fn read(reading: &Reading, value: &Value) -> Option<Files> {
        if value.is_text() {
            return Files::read_pattern(reading, &value.text()?);
        }
        let table = value.table("an entry of `files`")?;
        let source = table.require_text("source");
        let destination = table.require_text("destination");
        table.no_other_keys();
        let (source, destination) = (source?, destination?);
        let path = reading.path(&source);
        if !path.exists() {
            source.fault(
                format!("there is no file or folder {}", path.display()),
                None,
            );
        }
        if destination.split('/').any(|part| part == "..") {
            destination.fault("a destination cannot lead out of the guest's files", None);
        }
        Some(Files::Placed {
            source: path,
            destination: format!("/{}", destination.trim_start_matches('/')),
        })
    }

    fn read_pattern(reading: &Reading, pattern: &Text) -> Option<Files> {
        let last = pattern.rsplit('/').next().unwrap_or_default();
        if matches!(last, "." | "..") {
            pattern.fault(
                "a pattern cannot end in a folder",
                Some("end it in `**/*`, or write { source = …, destination = … }".to_owned()),
            );
        } else if !pattern.contains(['*', '?', '[']) && !reading.path(pattern).exists() {
            pattern.fault(
                format!(
                    "there is no file {} and this is no glob pattern",
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
