//! The name of a dependency: the imports that it satisfies.

use std::fmt;

use crate::names;

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

impl DependencyName {
    pub fn parse(text: &str) -> Result<DependencyName, String> {
        if !text.contains([':', '/']) {
            names::check_kebab(text)?;
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
            names::check_kebab(part)?;
        }
        let version = version.map(semver::Version::parse).transpose();
        Ok(DependencyName::Package {
            package: package.to_owned(),
            interface: interface.map(str::to_owned),
            version: version.map_err(|why| format!("the version must be like 1.0.0: {why}"))?,
        })
    }

    /// Whether the name satisfies an import, given as in the component's type.
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

    /// Whether one import could match both names.
    pub(in crate::manifest) fn overlaps(&self, other: &DependencyName) -> bool {
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
            && versions.is_none_or(|(one, two)| compatible_prefix(one) == compatible_prefix(two))
            && !differ(interface, other_interface)
    }
}

/// The part of a version that compatible versions share: up to its first number that is not 0.
fn compatible_prefix(version: &semver::Version) -> semver::Version {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DependencyName {
        DependencyName::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_name_matches_the_same_imports_as_in_spin() {
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
    fn names_that_match_the_same_import_overlap() {
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
    fn invalid_names_are_refused() {
        for text in [
            "", "a_b", "a/b", ":b", "a:", "a:b/", "a:b/c@1", "a:b/c_d", "a:b@x",
        ] {
            assert!(DependencyName::parse(text).is_err(), "{text}");
        }
    }
}
