//! Other issuers, as a Keycloak realm: what their claims say of a user. No I/O. The function `issuers` verifies the
//! claims.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kit::identity::{Role, Roles};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::account::{ForeignIdentity, NewAccount, RoleChange};
use crate::name::{Email, Login, Text};

/// An issuer whose tokens are accepted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// As `iss` says it.
    pub issuer: String,
    /// This and the next one are for the function `issuers`.
    #[serde(rename = "jwks_url")]
    _jwks_url: IgnoredAny,
    #[serde(rename = "audience")]
    _audience: IgnoredAny,
    /// Where the roles stand in the claims.
    #[serde(default = "keycloak_roles")]
    roles_claim: String,
    /// Our role by the issuer's name of it; other names grant nothing.
    #[serde(default)]
    roles: BTreeMap<String, Role>,
    /// Whether an account here with the same verified e-mail is the same person.
    #[serde(default)]
    pub link_by_email: bool,
}

fn keycloak_roles() -> String {
    "realm_access.roles".to_owned()
}

impl Issuer {
    /// The roles of a user after signing in: those held there, and those here that the issuer does not decide.
    pub fn role_change(&self, user: &ForeignUser) -> RoleChange {
        RoleChange {
            add: user.roles,
            drop: self.roles.values().copied().collect(),
        }
    }
}

/// A user of another issuer, as its token describes them.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignUser {
    subject: String,
    username: Option<String>,
    email: Option<String>,
    is_email_verified: bool,
    name: Option<String>,
    surname: Option<String>,
    roles: Roles,
    /// When the user last proved there who they are, in Unix seconds.
    proven_at: i64,
}

impl ForeignUser {
    pub fn of(claims: &Map<String, Value>, issuer: &Issuer) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut path = issuer.roles_claim.split('.');
        let first = path.next().and_then(|it| claims.get(it));
        let named = path.fold(first, |value, step| value?.get(step));
        let named = named
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        Some(Self {
            subject: text("sub").filter(|it| !it.is_empty())?,
            username: text("preferred_username"),
            email: text("email"),
            is_email_verified: claims.get("email_verified") == Some(&Value::Bool(true)),
            name: text("given_name"),
            surname: text("family_name"),
            roles: named
                .iter()
                .filter_map(Value::as_str)
                .filter_map(|it| issuer.roles.get(it).copied())
                .collect(),
            proven_at: ["auth_time", "iat"]
                .iter()
                .find_map(|it| claims.get(*it)?.as_i64())
                .unwrap_or(0),
        })
    }

    /// Never in the future, also when the issuer's clock is ahead.
    pub fn proven_at(&self) -> Timestamp {
        let now = kit::now();
        Timestamp::from_second(self.proven_at).map_or(Timestamp::UNIX_EPOCH, |it| it.min(now))
    }

    pub fn identity(&self, issuer: &Issuer) -> ForeignIdentity {
        ForeignIdentity {
            issuer: issuer.issuer.clone(),
            subject: self.subject.clone(),
        }
    }

    /// The mailbox that the issuer verified.
    pub fn verified_email(&self) -> Option<Email> {
        let email = self.email.clone().filter(|_| self.is_email_verified)?;
        Email::try_from(email).ok()
    }

    /// The account of a user who signs in for the first time, or for the first time after being erased.
    pub fn account(&self, issuer: &Issuer) -> NewAccount {
        let id = Uuid::new_v4();
        let login = self
            .username
            .clone()
            .and_then(|it| Login::try_from(it).ok());
        let text = |it: &Option<String>| it.clone().and_then(|it| Text::try_from(it).ok());
        NewAccount {
            id,
            login: login.unwrap_or_else(|| Login::from(id)),
            email: self.verified_email(),
            name: text(&self.name),
            surname: text(&self.surname),
            cpf: None,
            telegram_id: None,
            roles: self.roles,
            created_by: None,
            foreign_identity: Some(self.identity(issuer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn issuer() -> Issuer {
        serde_json::from_value(json!({
            "issuer": "https://id.test/realms/parking-users",
            "jwks_url": "https://id.test/certs",
            "audience": "parking-auth",
            "roles": {"driver": "driver", "boss": "owner"},
        }))
        .unwrap()
    }

    fn claims() -> Map<String, Value> {
        let claims = json!({
            "iss": "https://id.test/realms/parking-users",
            "aud": ["account", "parking-auth"],
            "sub": "f:1",
            "exp": 4_000_000_000_u64,
            "preferred_username": "ana",
            "email": "ana@example.org",
            "email_verified": true,
            "realm_access": {"roles": ["boss", "uma_authorization", "admin"]},
        });
        claims.as_object().unwrap().clone()
    }

    #[test]
    fn only_mapped_roles_are_granted() {
        let user = ForeignUser::of(&claims(), &issuer()).unwrap();
        assert_eq!(user.roles, Roles::default().with(Role::Owner));
        let account = user.account(&issuer());
        assert_eq!(account.login.as_str(), "ana");
        assert_eq!(
            account.email.as_ref().map(Email::as_str),
            Some("ana@example.org")
        );
        assert_eq!(account.foreign_identity, Some(user.identity(&issuer())));
    }

    #[test]
    fn an_unverified_email_is_ignored() {
        let mut claims = claims();
        claims.insert("email_verified".into(), json!("true"));
        let user = ForeignUser::of(&claims, &issuer()).unwrap();
        assert!(user.account(&issuer()).email.is_none());
    }
}
