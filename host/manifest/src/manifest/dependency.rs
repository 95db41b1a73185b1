//! `[component.<id>.dependencies]`: other components that are composed into one before it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use crate::document::{Table, Text, Value};
use crate::names;

use super::Reading;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Which imports of the component it satisfies.
    pub name: DependencyName,
    /// The `.wasm` file; another component of the manifest may have to be built first.
    pub source: PathBuf,
    /// The export that satisfies them; `None` means the one of the same name.
    pub export: Option<String>,
    /// What it may use of what the component was given; everything else is denied.
    pub inherits: BTreeSet<Configuration>,
}

/// `wharf:payments/ledger@1.0.0`, `wharf:payments`, `ledger`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DependencyName {
    Plain(String),
    Package {
        /// `namespace:name`
        package: String,
        interface: Option<String>,
        version: Option<semver::Version>,
    },
}

/// Something a component is given that a dependency may share.
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

    /// The key of the manifest.
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

impl DependencyName {
    pub fn parse(text: &str) -> Result<DependencyName, String> {
        if !text.contains([':', '/']) {
            names::kebab(text)?;
            return Ok(DependencyName::Plain(text.to_owned()));
        }
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let (package, interface) = match name.split_once('/') {
            Some((package, interface)) => (package, Some(interface)),
            None => (name, None),
        };
        let Some((namespace, package_name)) = package.split_once(':') else {
            return Err("a package is written `namespace:name`".to_owned());
        };
        for part in [Some(namespace), Some(package_name), interface]
            .into_iter()
            .flatten()
        {
            names::kebab(part)?;
        }
        let version = version.map(semver::Version::parse).transpose();
        Ok(DependencyName::Package {
            package: package.to_owned(),
            interface: interface.map(str::to_owned),
            version: version.map_err(|why| format!("the version is not like 1.0.0: {why}"))?,
        })
    }

    /// Whether an import of a component, as it stands in its type, is satisfied by this.
    pub fn matches(&self, import: &str) -> bool {
        let DependencyName::Package {
            package,
            interface,
            version,
        } = self
        else {
            return matches!(self, DependencyName::Plain(name) if name == import);
        };
        let Ok(DependencyName::Package {
            package: import_package,
            interface: Some(import_interface),
            version: import_version,
        }) = DependencyName::parse(import)
        else {
            return false;
        };
        *package == import_package
            && interface
                .as_ref()
                .is_none_or(|interface| *interface == import_interface)
            && (version.is_none() || *version == import_version)
    }

    /// Whether two names could be meant by one import.
    fn overlaps(&self, other: &DependencyName) -> bool {
        let (
            DependencyName::Package {
                package,
                interface,
                version,
            },
            DependencyName::Package {
                package: other_package,
                interface: other_interface,
                version: other_version,
            },
        ) = (self, other)
        else {
            return false;
        };
        let differ = |one: &Option<String>, two: &Option<String>| {
            one.is_some() && two.is_some() && one != two
        };
        let versions = version.as_ref().zip(other_version.as_ref());
        package == other_package
            && versions.is_none_or(|(one, two)| compatible_until(one) == compatible_until(two))
            && !differ(interface, other_interface)
    }
}

/// What versions have in common that can stand for each other: the first number that is not 0.
fn compatible_until(version: &semver::Version) -> semver::Version {
    let mut common = semver::Version {
        build: semver::BuildMetadata::EMPTY,
        ..version.clone()
    };
    if !version.pre.is_empty() {
        return common;
    }
    if version.major > 0 {
        common.minor = 0;
    }
    if version.major > 0 || version.minor > 0 {
        common.patch = 0;
    }
    common
}

impl fmt::Display for DependencyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DependencyName::Plain(name) => f.write_str(name),
            DependencyName::Package {
                package,
                interface,
                version,
            } => {
                f.write_str(package)?;
                if let Some(interface) = interface {
                    write!(f, "/{interface}")?;
                }
                if let Some(version) = version {
                    write!(f, "@{version}")?;
                }
                Ok(())
            }
        }
    }
}

/// A dependency that was read, before it is known whether it can be had.
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

/// What another component sees of one.
pub(super) struct Other {
    pub source: PathBuf,
    pub is_built: bool,
    /// What it was given for itself.
    pub grants: Vec<&'static str>,
}

pub(super) type Others = BTreeMap<String, Other>;

/// The dependencies of a component or of one of its profiles.
pub(super) fn read_all<'a>(table: &Table<'a>) -> Vec<PendingDependency<'a>> {
    table.each("dependencies", |key, value| {
        PendingDependency::read(key, &value)
    })
}

/// Puts those of a profile in the place of those of the same name.
pub(super) fn replace<'a>(
    pending: &mut Vec<PendingDependency<'a>>,
    by: Vec<PendingDependency<'a>>,
) {
    pending.retain(|old| by.iter().all(|new| new.name != old.name));
    pending.extend(by);
}

/// `dependencies_inherit_configuration`: the same for all of them.
pub(super) fn inherit_all(pending: &mut [PendingDependency], flag: &Value) {
    let Some(inherits) = flag.flag() else { return };
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
    for dependency in pending.iter_mut().filter(|_| inherits) {
        dependency.inherits = Some(Configuration::ALL.into());
    }
}

/// Finds the files, and refuses what contradicts.
pub(super) fn resolve(
    reading: &Reading,
    component: &str,
    pending: &[PendingDependency],
    others: &Others,
) -> Vec<Dependency> {
    for (n, one) in pending.iter().enumerate() {
        let earlier = pending.iter().take(n);
        if let Some(other) = earlier
            .into_iter()
            .find(|other| one.name.overlaps(&other.name))
        {
            one.key.fault(
                format!(
                    "`{}` and `{}` are about the same import",
                    one.name, other.name
                ),
                None,
            );
        }
    }
    pending
        .iter()
        .filter_map(|dependency| dependency.resolve(reading, component, others))
        .collect()
}

impl<'a> PendingDependency<'a> {
    fn read(key: Text<'a>, value: &Value<'a>) -> Option<PendingDependency<'a>> {
        let name = DependencyName::parse(&key);
        if let Err(why) = &name {
            key.fault(format!("`{}` is no name of an import: {why}", &*key), None);
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
        table.no_other_keys();
        Some(PendingDependency {
            name: name.ok()?,
            key,
            target: target?,
            export: export.map(|export| export.to_string()),
            inherits,
        })
    }

    fn resolve(&self, reading: &Reading, component: &str, others: &Others) -> Option<Dependency> {
        let source = match &self.target {
            Target::File(path) => self.find_file(reading, path, others),
            Target::Component(id) => find_component(reading, component, id, others)?,
        };
        Some(Dependency {
            name: self.name.clone(),
            source,
            export: self.export.clone(),
            inherits: self.inherits.clone().unwrap_or_default(),
        })
    }

    fn find_file(&self, reading: &Reading, path: &Text, others: &Others) -> PathBuf {
        let source = reading.path(path);
        let is_built = others
            .values()
            .any(|other| other.is_built && other.source == source);
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
    reading: &Reading,
    component: &str,
    id: &Text,
    others: &Others,
) -> Option<PathBuf> {
    reading.component(id)?;
    let other = others.get(&**id)?;
    if !other.grants.is_empty() {
        id.fault(
            format!(
                "`{}` cannot be a dependency of `{component}`: it has grants of its own ({}), which would not apply",
                &**id,
                other.grants.join(", ")
            ),
            Some(format!("write path = \"{}\" and what it inherits", other.source.display())),
        );
    }
    Some(other.source.clone())
}

fn refuse_remote<T>(value: &Value, what: &str) -> Option<T> {
    value.fault(
        format!("this host does not fetch dependencies from {what}"),
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
            .wrong_type("true, false or a list of what is inherited")
            .unwrap_or_default();
    }
    let keys = value.texts();
    let known = keys.iter().filter_map(|key| {
        let found = Configuration::ALL
            .into_iter()
            .find(|configuration| configuration.key() == &**key);
        if found.is_none() {
            key.unknown(
                "nothing is inherited as",
                Configuration::ALL.map(Configuration::key),
            );
        }
        found
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DependencyName {
        DependencyName::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_name_matches_the_imports_spin_says() {
        for (dependency, import, expected) in [
            ("foo:bar/baz@0.1.0", "foo:bar/baz@0.1.0", true),
            ("foo:bar/baz", "foo:bar/baz@0.1.0", true),
            ("foo:bar/baz", "foo:bar/baz", true),
            ("foo:bar", "foo:bar/baz@0.1.0", true),
            ("foo:bar@0.1.0", "foo:bar/baz@0.1.0", true),
            ("foo-bar", "foo-bar", true),
            ("foo:bar/baz@0.1.0", "foo:bar/baz", false),
            ("foo:bar/baz", "foo:bar/bub", false),
            ("foo:bar", "foo:bub/bib", false),
            ("foo:bar@0.1.0", "foo:bar/baz", false),
            ("foo:bar/baz", "foo-bar", false),
            ("foo-bar", "foo:bar/baz", false),
        ] {
            assert_eq!(
                name(dependency).matches(import),
                expected,
                "{dependency} {import}"
            );
            assert_eq!(name(dependency).to_string(), dependency);
        }
    }

    #[test]
    fn names_that_one_import_could_mean_overlap() {
        for (one, two, expected) in [
            ("a:b", "a:b/c", true),
            ("a:b/c", "a:b/d", false),
            ("a:b/c@1.0.0", "a:b/c@1.2.0", true),
            ("a:b/c@1.0.0", "a:b/c@2.0.0", false),
            ("a:b/c@0.1.0", "a:b/c@0.2.0", false),
            ("a:b/c@0.1.0", "a:b/c@0.1.5", true),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@1.0.0-x", "a:b/c@1.0.0", false),
            ("a:b", "a:c", false),
            ("a", "a:b", false),
        ] {
            assert_eq!(name(one).overlaps(&name(two)), expected, "{one} {two}");
            assert_eq!(name(two).overlaps(&name(one)), expected, "{two} {one}");
        }
    }

    #[test]
    fn bad_names_are_refused() {
        for text in [
            "", "a_b", "a/b", ":b", "a:", "a:b/", "a:b/c@1", "a:b/c_d", "a:b@x",
        ] {
            assert!(DependencyName::parse(text).is_err(), "{text}");
        }
    }
}
