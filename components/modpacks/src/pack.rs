//! The rules of a pack. No I/O in this file; rules that need a lock stand in `migrations/modpacks`.

use jiff::Timestamp;
use kit::Word;
use kit::identity::Role;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::markdown::to_html;
use crate::picture::Pictures;
use crate::viewer::SIGNED_IN;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Word)]
pub enum Visibility {
    /// Lists and searches show it to everyone.
    Public,
    /// Everyone who knows its id sees it.
    Unlisted,
    /// Only its team sees it, and the users and roles that it is shared with.
    #[default]
    Private,
}

/// A pack as viewers see it.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Pack {
    pub id: i64,
    pub name: String,
    /// Markdown, as it was written: escape it before you show it as HTML.
    pub description: String,
    /// The description as safe HTML, with `?html=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[row(skip)]
    pub description_html: Option<String>,
    pub authors: Vec<String>,
    pub visibility: Visibility,
    #[serde(rename = "owner_id")]
    pub owner: Uuid,
    #[serde(flatten)]
    #[row(json)]
    pub pictures: Pictures,
    /// The latest version.
    pub latest_id: Option<i64>,
    pub latest_name: Option<String>,
    pub latest_mc_version: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whether texts of authors are shown as HTML too.
#[derive(Clone, Copy, Debug, Default, Deserialize, Schema)]
pub struct Rendering {
    /// `true` adds safe HTML to the Markdown.
    #[serde(default)]
    html: bool,
}

impl Rendering {
    pub fn of(self, markdown: &str) -> Option<String> {
        self.html.then(|| to_html(markdown))
    }
}

impl Pack {
    pub fn rendered(self, rendering: Rendering) -> Self {
        let description_html = rendering.of(&self.description);
        Self {
            description_html,
            ..self
        }
    }
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewPack {
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    #[serde(default)]
    #[schemars(length(max = 20_000))]
    pub description: String,
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub authors: Vec<String>,
    /// Private when absent.
    #[serde(default)]
    pub visibility: Visibility,
}

/// Absent members stay as they are.
#[derive(Debug, Default, Deserialize, Schema)]
pub struct PackChange {
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    #[schemars(length(max = 20_000))]
    pub description: Option<String>,
    #[schemars(length(max = 20))]
    pub authors: Option<Vec<String>>,
    pub visibility: Option<Visibility>,
}

/// Characters of a name.
const MAX_NAME: usize = 100;
/// Characters of a text for readers.
pub const MAX_TEXT: usize = 20_000;
const MAX_AUTHORS: usize = 20;
/// Users and roles that one thing is shared with: each is looked up.
const MAX_SHARES: usize = 50;

impl NewPack {
    pub fn checked(self) -> Result<Self, Error> {
        check_text(&self.description)?;
        Ok(Self {
            name: name(&self.name)?,
            authors: authors(&self.authors)?,
            ..self
        })
    }
}

impl PackChange {
    pub fn checked(self) -> Result<Self, Error> {
        self.description.as_deref().map(check_text).transpose()?;
        Ok(Self {
            name: self.name.as_deref().map(name).transpose()?,
            authors: self.authors.as_deref().map(authors).transpose()?,
            ..self
        })
    }
}

fn name(text: &str) -> Result<String, Error> {
    label(text).ok_or(Error::InvalidPack("name has 1 to 100 characters"))
}

fn authors(names: &[String]) -> Result<Vec<String>, Error> {
    let labels: Option<Vec<_>> = names.iter().map(|it| label(it)).collect();
    labels
        .filter(|it| it.len() <= MAX_AUTHORS)
        .ok_or(Error::InvalidPack(
            "authors are at most 20 names of 1 to 100 characters",
        ))
}

fn check_text(text: &str) -> Result<(), Error> {
    if text.chars().count() <= MAX_TEXT && !text.contains('\0') {
        Ok(())
    } else {
        Err(Error::InvalidPack(
            "description has at most 20000 characters",
        ))
    }
}

/// One line without blanks around it, of 1 to 100 characters.
pub fn label(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=MAX_NAME).contains(&text.chars().count());
    (fits && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// The users and roles that see a pack or a file in addition to its team.
#[derive(Debug, Default, Deserialize, Schema)]
pub struct Sharing {
    /// Logins.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub users: Vec<String>,
    /// Names of roles; `user` is everyone who is signed in.
    #[serde(default)]
    #[schemars(length(max = 50), example = ["customer"])]
    pub roles: Vec<String>,
}

impl Sharing {
    pub fn checked(self) -> Result<Self, Error> {
        if self.users.len() > MAX_SHARES || self.roles.len() > MAX_SHARES {
            return Err(Error::InvalidPack("at most 50 users and 50 roles"));
        }
        let is_role = |it: &String| it == SIGNED_IN || Role::parse(it).is_some();
        if self.users.iter().any(|it| label(it).is_none()) || !self.roles.iter().all(is_role) {
            return Err(Error::InvalidPack(
                "users are logins, roles are `user` or names of roles",
            ));
        }
        Ok(self)
    }
}

/// The role of a launcher's number: 99, 50 or 10. Every other text is returned as it is.
pub fn role_of_level(level: &str) -> String {
    match level {
        "99" => Role::Admin.name(),
        "50" => Role::Moderator.name(),
        "10" => SIGNED_IN,
        other => other,
    }
    .to_owned()
}

/// A user or a role that something is shared with.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Share {
    pub login: Option<String>,
    pub role: Option<String>,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Maintainer {
    #[row(column = "user_id")]
    pub user_id: Uuid,
    pub login: String,
}

/// A link for friends. Its secret is shown once, when it is made.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct FriendLink {
    pub id: i64,
    pub label: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_without_blanks_around() {
        assert_eq!(label(" Sky \t").as_deref(), Some("Sky"));
        assert_eq!(
            label(&"é".repeat(100)).map(|it| it.chars().count()),
            Some(100)
        );
        for wrong in ["", "  ", "a\nb", "a\0b", &"x".repeat(101)] {
            assert_eq!(label(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn things_are_shared_with_known_roles_only() {
        let with = |role: &str| Sharing {
            users: Vec::new(),
            roles: vec![role.to_owned()],
        };
        for role in ["user", "driver", &role_of_level("10"), &role_of_level("50")] {
            assert!(with(role).checked().is_ok(), "{role}");
        }
        for role in ["", "root", "Driver", "7"] {
            assert!(with(role).checked().is_err(), "{role}");
        }
    }
}
