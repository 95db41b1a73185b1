//! Dependencies of a version: versions of other packs here, and projects on other platforms. No I/O in this file.
//!
//! Names of versions are free text, so a range of a pack's versions goes from one of them to another, in the order of
//! their creation. A project elsewhere is a plain reference: its range is text that its platform understands.
//!
//! Formats of other platforms have no place for either: `dependencies` of a `.mrpack` and `versions` of packwiz hold only
//! the game and its loader. The manifest has all of them.

use kit::Word;
use kit::web::Schema;
use serde::{Deserialize, Serialize};

use crate::error::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Kind {
    /// The version does not run without it.
    Required,
    /// It runs better with it.
    Optional,
    /// It does not run beside it.
    Incompatible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Platform {
    Modrinth,
    Curseforge,
    Github,
}

/// A modpack of the platform with `pack_id`, or a project elsewhere with `platform` and `project`.
#[derive(Debug, Serialize, Deserialize, Schema)]
pub struct Dependency {
    pub kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack_name: Option<String>,
    /// Exactly this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<i64>,
    /// This version or one that was made later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version_id: Option<i64>,
    /// This version or one that was made earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_version_id: Option<i64>,
    /// The newest version that fits now; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_range: Option<String>,
}

/// Either `pack_id` or `platform` and `project`.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub struct NewDependency {
    pub kind: Kind,
    /// A modpack of the platform that the caller sees.
    pub pack_id: Option<i64>,
    /// Exactly this version, instead of a range.
    pub version_id: Option<i64>,
    /// This version or one that was made later.
    pub min_version_id: Option<i64>,
    /// This version or one that was made earlier.
    pub max_version_id: Option<i64>,
    pub platform: Option<Platform>,
    /// The project's name or id there.
    #[schemars(length(min = 1, max = 100), example = &"fabric-api")]
    pub project: Option<String>,
    /// As that platform writes it.
    #[schemars(length(min = 1, max = 100), example = &">=0.92.0")]
    pub version_range: Option<String>,
}

/// Dependencies of one version at most: each is looked up whenever the version is shown.
const MAX_DEPENDENCIES: usize = 100;
/// Characters of the name of a project, or of a range.
const MAX_REFERENCE: usize = 100;

/// Whether each dependency names one thing, in printable words. The names are resolved later, under the lock of the pack.
pub fn check(named: &[NewDependency]) -> Result<(), Error> {
    if named.len() > MAX_DEPENDENCIES {
        return Err(Error::InvalidVersion("dependencies are at most 100"));
    }
    named.iter().try_for_each(check_one)
}

fn check_one(it: &NewDependency) -> Result<(), Error> {
    let has_range = it.min_version_id.is_some() || it.max_version_id.is_some();
    match (it.pack_id, it.platform, &it.project) {
        (Some(_), None, None) => {
            if it.version_range.is_some() || (it.version_id.is_some() && has_range) {
                return Err(Error::InvalidVersion(
                    "a dependency on a modpack has version_id, or min_version_id and max_version_id, or none of them",
                ));
            }
        }
        (None, Some(_), Some(project)) => {
            if it.version_id.is_some() || has_range {
                return Err(Error::InvalidVersion(
                    "a dependency on a project elsewhere has a version_range and no ids",
                ));
            }
            let is_named = is_reference(project) && !project.contains(' ');
            if !is_named
                || it
                    .version_range
                    .as_deref()
                    .is_some_and(|it| !is_reference(it))
            {
                return Err(Error::InvalidVersion(
                    "project and version_range have 1 to 100 visible ASCII characters",
                ));
            }
        }
        _ => {
            return Err(Error::InvalidVersion(
                "a dependency has either pack_id or platform and project",
            ));
        }
    }
    Ok(())
}

fn is_reference(text: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_graphic() || it == b' ';
    (1..=MAX_REFERENCE).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_pack() -> NewDependency {
        NewDependency {
            kind: Kind::Required,
            pack_id: Some(1),
            version_id: None,
            min_version_id: None,
            max_version_id: None,
            platform: None,
            project: None,
            version_range: None,
        }
    }

    fn elsewhere(project: &str, range: &str) -> NewDependency {
        NewDependency {
            pack_id: None,
            platform: Some(Platform::Modrinth),
            project: Some(project.to_owned()),
            version_range: Some(range.to_owned()),
            ..on_pack()
        }
    }

    #[test]
    fn a_dependency_names_one_thing() {
        let (exact, from) = (Some(5), Some(4));
        for fits in [
            on_pack(),
            NewDependency {
                version_id: exact,
                ..on_pack()
            },
            NewDependency {
                min_version_id: from,
                ..on_pack()
            },
            NewDependency {
                min_version_id: from,
                max_version_id: exact,
                ..on_pack()
            },
            elsewhere("fabric-api", ">=0.92 <1"),
        ] {
            assert!(check(std::slice::from_ref(&fits)).is_ok(), "{fits:?}");
        }
        for wrong in [
            NewDependency {
                pack_id: None,
                ..on_pack()
            },
            NewDependency {
                platform: Some(Platform::Github),
                ..on_pack()
            },
            NewDependency {
                project: Some("a".to_owned()),
                ..on_pack()
            },
            NewDependency {
                version_range: Some("1".to_owned()),
                ..on_pack()
            },
            NewDependency {
                version_id: exact,
                min_version_id: from,
                ..on_pack()
            },
            NewDependency {
                version_id: exact,
                ..elsewhere("a", "1")
            },
            NewDependency {
                project: None,
                ..elsewhere("a", "1")
            },
            elsewhere("", "1"),
            elsewhere("a b", "1"),
            elsewhere("a\u{202e}", "1"),
            elsewhere("a", ""),
            elsewhere("a", "1\n"),
        ] {
            assert!(check(std::slice::from_ref(&wrong)).is_err(), "{wrong:?}");
        }
        assert!(check(&vec![on_pack(); 101]).is_err());
    }
}
