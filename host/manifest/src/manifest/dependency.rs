//! `[component.<id>.dependencies]`: the components that are composed into a component before it runs.

mod name;

pub use name::DependencyName;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::document::{Table, Text, Value};

use super::context::Context;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The imports of the component that it satisfies.
    pub name: DependencyName,
    /// The `.wasm` file. It need not exist yet if another component of the manifest builds it.
    pub source: PathBuf,
    /// The export that satisfies the imports; `None` means the export of the same name.
    pub export: Option<String>,
    /// The grants of the component that the dependency shares. All others are denied.
    pub inherits: BTreeSet<Configuration>,
}

/// A grant of a component that a dependency may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Configuration {
    AiModels,
    AllowedOutboundHosts,
    Environment,
    Files,
    KeyValueStores,
    SqliteDatabases,
    Variables,
}

impl Configuration {
    pub const ALL: [Configuration; 7] = [
        Configuration::AiModels,
        Configuration::AllowedOutboundHosts,
        Configuration::Environment,
        Configuration::Files,
        Configuration::KeyValueStores,
        Configuration::SqliteDatabases,
        Configuration::Variables,
    ];

    /// The key in the manifest.
    pub fn key(self) -> &'static str {
        match self {
            Configuration::AiModels => "ai_models",
            Configuration::AllowedOutboundHosts => "allowed_outbound_hosts",
            Configuration::Environment => "environment",
            Configuration::Files => "files",
            Configuration::KeyValueStores => "key_value_stores",
            Configuration::SqliteDatabases => "sqlite_databases",
            Configuration::Variables => "variables",
        }
    }
}

/// A dependency before its file is looked up.
pub(super) struct PendingDependency<'a> {
    name: DependencyName,
    key: Text<'a>,
    target: Target<'a>,
    export: Option<String>,
    inherits: Option<BTreeSet<Configuration>>,
}

enum Target<'a> {
    File(Text<'a>),
    Component(Text<'a>),
}

/// A component of the manifest, as a possible dependency of another.
pub(super) struct Candidate {
    pub source: PathBuf,
    pub is_built: bool,
    /// The keys of its own grants. A dependency must have none: they would not apply.
    pub grants: Vec<&'static str>,
}

pub(super) type Candidates = BTreeMap<String, Candidate>;

/// Reads the dependencies of a component or of one of its profiles.
pub(super) fn read_all<'a>(table: &Table<'a>) -> Vec<PendingDependency<'a>> {
    table.read_each("dependencies", |key, value| {
        PendingDependency::read(key, &value)
    })
}

/// Adds the dependencies of a profile, which replace those of the same names.
pub(super) fn replace_same_names<'a>(
    pending: &mut Vec<PendingDependency<'a>>,
    replacements: Vec<PendingDependency<'a>>,
) {
    pending.retain(|old| replacements.iter().all(|new| new.name != old.name));
    pending.extend(replacements);
}

/// Applies `dependencies_inherit_configuration` to all dependencies.
pub(super) fn inherit_all(pending: &mut [PendingDependency], flag: &Value) {
    let Some(inherits_all) = flag.flag() else {
        return;
    };
    if let Some(contradicting) = pending
        .iter()
        .find(|dependency| dependency.inherits.is_some())
    {
        flag.fault(
            format!(
                "`dependencies_inherit_configuration` and `inherit_configuration` (of {}) exclude each other",
                contradicting.name
            ),
            Some("use one or the other".to_owned()),
        );
    }
    for dependency in pending.iter_mut().filter(|_| inherits_all) {
        dependency.inherits = Some(Configuration::ALL.into());
    }
}

/// Finds the files of the dependencies, and refuses two dependencies for one import.
pub(super) fn resolve_all(
    context: &Context,
    component: &str,
    pending: &[PendingDependency],
    candidates: &Candidates,
) -> Vec<Dependency> {
    for (n, one) in pending.iter().enumerate() {
        let earlier = pending.iter().take(n);
        if let Some(other) = earlier
            .into_iter()
            .find(|other| one.name.overlaps(&other.name))
        {
            one.key.fault(
                format!("`{}` and `{}` match the same import", one.name, other.name),
                None,
            );
        }
    }
    pending
        .iter()
        .filter_map(|dependency| dependency.resolve(context, component, candidates))
        .collect()
}

impl<'a> PendingDependency<'a> {
    fn read(key: Text<'a>, value: &Value<'a>) -> Option<PendingDependency<'a>> {
        let name = DependencyName::parse(&key);
        if let Err(why) = &name {
            key.fault(format!("invalid import name `{}`: {why}", &*key), None);
        }
        if value.is_text() {
            return refuse_remote(value, "a registry");
        }
        let table = value.table(format!("dependency `{}`", &*key))?;
        if table.has("url") {
            return refuse_remote(value, "a URL");
        }
        if table.has("version") || table.has("package") || table.has("registry") {
            return refuse_remote(value, "a registry");
        }
        let target = match (table.text("path"), table.text("component")) {
            (Some(path), None) => Some(Target::File(path)),
            (None, Some(component)) => Some(Target::Component(component)),
            (None, None) => {
                value.fault("a dependency needs `path` or `component`", None);
                None
            }
            (Some(_), Some(_)) => {
                value.fault("a dependency is a `path` or a `component`, not both", None);
                None
            }
        };
        let export = table.text("export");
        if let (
            Ok(DependencyName::Package {
                interface: None, ..
            }),
            Some(export),
        ) = (&name, &export)
        {
            export.fault(
                format!("one export cannot satisfy the whole package `{}`", &*key),
                Some("name the interface it satisfies: `namespace:name/interface`".to_owned()),
            );
        }
        let inherits = table
            .get("inherit_configuration")
            .map(|value| read_inherited(&value));
        table.refuse_unknown_keys();
        Some(PendingDependency {
            name: name.ok()?,
            key,
            target: target?,
            export: export.map(|export| export.to_string()),
            inherits,
        })
    }

    fn resolve(
        &self,
        context: &Context,
        component: &str,
        candidates: &Candidates,
    ) -> Option<Dependency> {
        let source = match &self.target {
            Target::File(path) => self.find_file(context, path, candidates),
            Target::Component(id) => find_component(context, component, id, candidates)?,
        };
        Some(Dependency {
            name: self.name.clone(),
            source,
            export: self.export.clone(),
            inherits: self.inherits.clone().unwrap_or_default(),
        })
    }

    fn find_file(&self, context: &Context, path: &Text, candidates: &Candidates) -> PathBuf {
        let source = context.path(path);
        let is_built = candidates
            .values()
            .any(|candidate| candidate.is_built && candidate.source == source);
        if !is_built && !source.exists() {
            path.fault(
                format!(
                    "there is no file {}, and no component of this manifest builds it",
                    source.display()
                ),
                None,
            );
        }
        source
    }
}

fn find_component(
    context: &Context,
    component: &str,
    id: &Text,
    candidates: &Candidates,
) -> Option<PathBuf> {
    context.component(id)?;
    let candidate = candidates.get(&**id)?;
    if !candidate.grants.is_empty() {
        id.fault(
            format!(
                "`{}` cannot be a dependency of `{component}`: its own grants ({}) would not apply",
                &**id,
                candidate.grants.join(", ")
            ),
            Some(format!(
                "use path = \"{}\" with inherit_configuration",
                candidate.source.display()
            )),
        );
    }
    Some(candidate.source.clone())
}

fn refuse_remote<T>(value: &Value, origin: &str) -> Option<T> {
    value.fault(
        format!("dependencies from {origin} are not supported"),
        Some(
            "download it next to the manifest and write { path = \"vendor/name.wasm\" }".to_owned(),
        ),
    );
    None
}

fn read_inherited(value: &Value) -> BTreeSet<Configuration> {
    if value.is_flag() {
        return match value.flag() {
            Some(true) => Configuration::ALL.into(),
            Some(false) | None => BTreeSet::new(),
        };
    }
    if !value.is_list() {
        return value
            .fault_type("true, false or a list of keys")
            .unwrap_or_default();
    }
    let keys = value.texts();
    let known = keys.iter().filter_map(|key| {
        let found = Configuration::ALL
            .into_iter()
            .find(|configuration| configuration.key() == &**key);
        if found.is_none() {
            key.fault_unknown(
                "there is no inheritable key",
                Configuration::ALL.map(Configuration::key),
            );
        }
        found
    });
    known.collect()
}
