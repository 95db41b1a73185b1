//! What a user is to the platform. A user may hold several roles.

use kit_derive::Word;
use serde::{Deserialize, Serialize};

use crate::store::{Column, DbValue, Param, ParameterValue};
use crate::web::Schema;

/// Stored and shown in tokens by these names; each dialect's own words are made at its edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Word)]
pub enum Role {
    Driver,
    Owner,
    Controller,
    /// Runs zones; **not** a platform admin.
    ZoneAdmin,
    Customer,
    Moderator,
    Admin,
    /// A customer who gave no name.
    Anonymous,
}

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(from = "Vec<String>", into = "Vec<Role>")]
pub struct Roles(u8);

impl Roles {
    pub fn has(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    pub fn any(self, roles: &[Role]) -> bool {
        roles.iter().any(|it| self.has(*it))
    }

    pub fn with(self, role: Role) -> Self {
        Self(self.0 | bit(role))
    }

    pub fn without(self, role: Role) -> Self {
        Self(self.0 & !bit(role))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |it| self.has(*it))
    }

    pub fn names(self) -> Vec<String> {
        self.iter().map(|it| it.name().to_owned()).collect()
    }
}

const fn bit(role: Role) -> u8 {
    1 << role as u8
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::default(), Self::with)
    }
}

/// A name this version does not know grants nothing.
impl From<Vec<String>> for Roles {
    fn from(names: Vec<String>) -> Self {
        names.iter().filter_map(|it| Role::parse(it)).collect()
    }
}

/// A `text[]` column.
impl Column for Roles {
    fn column(value: &DbValue) -> Option<Self> {
        Vec::<String>::column(value).map(Self::from)
    }
}

/// A `text[]` parameter.
impl Param for Roles {
    fn param(self) -> ParameterValue {
        self.names().param()
    }
}

impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_role_grants_nothing() {
        let roles = Roles::from(vec!["driver".to_owned(), "root".to_owned()]);
        assert_eq!(roles.names(), ["driver"]);
        assert!(!roles.has(Role::Admin));
    }

    #[test]
    fn every_role_is_found_by_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
        }
    }
}
