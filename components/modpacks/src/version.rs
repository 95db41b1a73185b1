//! The rules of a version. No I/O in this file.

use jiff::Timestamp;
use kit::Word;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};

use crate::dependency::{self, Dependency, NewDependency};
use crate::error::Error;
use crate::file::Side;
use crate::pack::{MAX_TEXT, Rendering, label};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Word)]
pub enum Channel {
    #[default]
    Release,
    Beta,
    Alpha,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Loader {
    Forge,
    Neoforge,
    Fabric,
    Quilt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Status {
    /// Only the team of its pack sees and changes it.
    Draft,
    Published,
    /// No longer offered; players who have it still see it.
    Yanked,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct PackVersion {
    pub id: i64,
    pub pack_id: i64,
    pub name: String,
    pub channel: Channel,
    pub mc_version: String,
    pub loader: Option<Loader>,
    pub loader_version: Option<String>,
    /// Markdown, as it was written: escape it before you show it as HTML.
    pub changelog: String,
    /// The changelog as safe HTML, with `?html=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[row(skip)]
    pub changelog_html: Option<String>,
    /// Its dependencies and conflicts. Modpacks that the reader may not see are left out.
    #[row(json)]
    pub dependencies: Vec<Dependency>,
    pub status: Status,
    /// Counted when the version is published.
    pub file_count: i32,
    pub total_size: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub published_at: Option<Timestamp>,
}

impl PackVersion {
    pub fn rendered(self, rendering: Rendering) -> Self {
        let changelog_html = rendering.of(&self.changelog);
        Self {
            changelog_html,
            ..self
        }
    }
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewVersion {
    /// Free text; versions are ordered by their creation.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    #[serde(default)]
    pub channel: Channel,
    #[schemars(length(min = 1, max = 32), example = &"1.20.1")]
    pub mc_version: String,
    pub loader: Option<Loader>,
    #[schemars(length(min = 1, max = 32), example = &"0.15.11")]
    pub loader_version: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 20_000))]
    pub changelog: String,
    /// When absent, the dependencies of the version that this one is based on.
    #[schemars(length(max = 100))]
    pub dependencies: Option<Vec<NewDependency>>,
    /// A version of the same pack; the new one begins with its verified files.
    pub based_on: Option<i64>,
}

/// Absent members stay as they are.
#[derive(Debug, Default, Deserialize, Schema)]
pub struct VersionChange {
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    pub channel: Option<Channel>,
    #[schemars(length(min = 1, max = 32), example = &"1.20.1")]
    pub mc_version: Option<String>,
    pub loader: Option<Loader>,
    #[schemars(length(min = 1, max = 32), example = &"0.15.11")]
    pub loader_version: Option<String>,
    #[schemars(length(max = 20_000))]
    pub changelog: Option<String>,
    /// Replaces all dependencies.
    #[schemars(length(max = 100))]
    pub dependencies: Option<Vec<NewDependency>>,
}

impl NewVersion {
    pub fn checked(self) -> Result<Self, Error> {
        check_text(&self.changelog)?;
        check_number(&self.mc_version)?;
        self.loader_version
            .as_deref()
            .map(check_number)
            .transpose()?;
        self.dependencies
            .as_deref()
            .map(dependency::check)
            .transpose()?;
        Ok(Self {
            name: name(&self.name)?,
            ..self
        })
    }
}

impl VersionChange {
    pub fn checked(self) -> Result<Self, Error> {
        self.changelog.as_deref().map(check_text).transpose()?;
        self.mc_version.as_deref().map(check_number).transpose()?;
        self.loader_version
            .as_deref()
            .map(check_number)
            .transpose()?;
        self.dependencies
            .as_deref()
            .map(dependency::check)
            .transpose()?;
        Ok(Self {
            name: self.name.as_deref().map(name).transpose()?,
            ..self
        })
    }
}

fn name(text: &str) -> Result<String, Error> {
    label(text).ok_or(Error::InvalidVersion("name has 1 to 100 characters"))
}

fn check_text(text: &str) -> Result<(), Error> {
    if text.chars().count() <= MAX_TEXT && !text.contains('\0') {
        Ok(())
    } else {
        Err(Error::InvalidVersion(
            "changelog has at most 20000 characters",
        ))
    }
}

/// Versions of games and loaders: `1.20.1`, `24w14a`, `47.2.0-beta+1`.
fn check_number(text: &str) -> Result<(), Error> {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-' | b'+' | b'_');
    if (1..=32).contains(&text.len()) && text.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(Error::InvalidVersion(
            "mc_version and loader_version have 1 to 32 letters, digits and `.-+_`",
        ))
    }
}

/// A version of the game as launchers of the methods read it: `1.20.1` is [1, 20, 1].
pub fn numbers(mc_version: &str) -> Vec<u32> {
    let numbers = mc_version.split('.').map(str::parse);
    numbers.map_while(Result::ok).collect()
}

/// And back.
pub fn of_numbers(numbers: &[String]) -> String {
    numbers.join(".")
}

/// The versions that a list or the latest is chosen from; an absent filter filters nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    pub channel: Option<Channel>,
    pub mc_version: Option<&'a str>,
    pub loader: Option<Loader>,
}

/// The change between two versions at one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Step {
    /// Download it.
    Add,
    /// Download it in place of the old file. A player's own copy of a `keep` file stays.
    Replace,
    /// Delete it. A `keep` file stays.
    Remove,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Difference {
    pub step: Step,
    pub path: String,
    /// The file to download; absent when the path is removed.
    #[row(column = "file_id")]
    pub file_id: Option<i64>,
    pub size: Option<i64>,
    pub sha256: Option<String>,
    pub sha512: Option<String>,
    /// The digest of the old file.
    pub old_sha256: Option<String>,
    pub side: Side,
    /// The player's own copy stays.
    #[row(column = "is_kept")]
    pub keep: bool,
}

/// Whether a version is the latest of its pack.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Update {
    pub pack_id: i64,
    pub version_id: i64,
    pub latest_id: Option<i64>,
    pub latest_name: Option<String>,
    /// The version is the latest one.
    pub current: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_read_the_numbers_of_a_version() {
        assert_eq!(numbers("1.20.1"), [1, 20, 1]);
        assert_eq!(numbers("1.21-pre1"), [1]);
        assert!(numbers("24w14a").is_empty());
        let back = ["1".to_owned(), "20".to_owned(), "1".to_owned()];
        assert_eq!(of_numbers(&back), "1.20.1");
    }

    #[test]
    fn versions_of_games_are_short_and_plain() {
        for number in ["1.20.1", "24w14a", "47.2.0-beta+1"] {
            assert!(check_number(number).is_ok(), "{number}");
        }
        for number in ["", "1 2", "1/2", "\"1\"", &"1".repeat(33)] {
            assert!(check_number(number).is_err(), "{number}");
        }
    }
}
