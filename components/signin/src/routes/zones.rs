//! The parking zones' dialect under `/api/v1`: signing in with the user in the answer, the administration of
//! users, and passcodes for kiosks.
//!
//! These clients call a zone admin `admin` and a platform admin `superuser`.

mod passcodes;
mod users;

use kit::Word;
use kit::identity::{Caller, FORBIDDEN, INVALID_TOKEN, NO_TOKEN, Role, Roles};
use kit::web::{Created, Dialect, Json, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};

use self::users::ZoneUser;
pub use self::users::find_letter;
use crate::account::{NewAccount, RoleChange};
use crate::authentication::{self, Attempt};
use crate::client::Client;
use crate::error::Error;
use crate::identity::{Manager, Unscoped};
use crate::issue::Renewal;
use crate::name::{Email, Login, Text};
use crate::password::Password;
use crate::routes::{registering, signing_in};
use crate::session::SignedIn;
use crate::store::{self, accounts};

pub fn routes() -> Routes {
    Routes::new("Signing in", Dialect::Zones)
        .post("/api/v1/login", sign_in, |it| {
            it.summary("Sign in and show the user")
                .note("An unknown name is a 404: these clients offer to register then.")
                .instead("POST /token")
                .refuses(signing_in())
                .refuses([Error::UNKNOWN_ACCOUNT])
        })
        .get("/api/v1/login", renew, |it| {
            it.summary("Renew the access token")
                .instead("POST /auth/refresh")
                .refuses([INVALID_TOKEN])
        })
        .post("/api/v1/register", register, |it| {
            it.summary("Register and show the user")
                .note("Anyone becomes a driver. A caller who manages accounts may register a controller or a zone admin. A platform admin is never made here.")
                .instead("POST /auth/register")
                .refuses(registering())
        })
        .and(passcodes::routes())
        .and(users::routes())
}

/// A role in the words of these clients, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
enum ZoneRole {
    Superuser,
    Admin,
    Controller,
    Driver,
}

impl ZoneRole {
    fn role(self) -> Role {
        match self {
            Self::Driver => Role::Driver,
            Self::Controller => Role::Controller,
            Self::Admin => Role::ZoneAdmin,
            Self::Superuser => Role::Admin,
        }
    }

    /// The strongest one. To these clients every user is at least a driver.
    fn of(roles: Roles) -> Self {
        let held = Self::ALL.into_iter().find(|it| roles.has(it.role()));
        held.unwrap_or(Self::Driver)
    }

    /// This role in place of the others that these clients know. Other roles stay.
    fn change(self) -> RoleChange {
        RoleChange {
            add: Roles::default().with(self.role()),
            drop: Self::ALL.into_iter().map(Self::role).collect(),
        }
    }
}

#[derive(Serialize, Schema)]
struct ZoneSession {
    access_token: String,
    #[schemars(example = &"Bearer")]
    token_type: &'static str,
    /// In seconds.
    expires_in: i64,
    user: ZoneUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl From<SignedIn> for ZoneSession {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.token,
            token_type: "Bearer",
            expires_in: signed_in.expires_in_s,
            user: signed_in.account.into(),
            refresh_token: signed_in.refresh_token,
        }
    }
}

#[derive(Deserialize, Schema)]
struct ZoneCredentials {
    /// The login or the e-mail.
    #[schemars(example = &"ana")]
    username: String,
    #[schemars(example = &"Correct-Horse-1")]
    password: String,
    /// A code of the second factor, when the account has one.
    code: Option<String>,
}

async fn sign_in(
    client: Client,
    Json(body): Json<ZoneCredentials>,
) -> Result<Json<ZoneSession>, Problem> {
    let attempt = Attempt {
        name: &body.username,
        password: &body.password,
        code: body.code.as_deref(),
    };
    let signed_in = authentication::sign_in(attempt, Renewal::Refresh, &client).await;
    let signed_in = signed_in.map_err(|it| match it {
        Error::UnknownName => Error::UnknownAccount,
        other => other,
    })?;
    Ok(Json(signed_in.into()))
}

async fn renew(Unscoped(actor): Unscoped) -> Result<Json<ZoneSession>, Problem> {
    Ok(Json(authentication::renew(&actor.caller).await?.into()))
}

#[derive(Deserialize, Schema)]
struct ZoneRegistration {
    name: Text,
    surname: Text,
    username: Login,
    email: Email,
    /// Neither the login nor the e-mail.
    password: Password,
    /// `driver` when absent.
    #[schemars(example = &"driver")]
    role: Option<ZoneRole>,
}

async fn register(
    caller: Option<Caller>,
    client: Client,
    Json(body): Json<ZoneRegistration>,
) -> Result<Created<ZoneSession>, Problem> {
    let role = body.role.unwrap_or(ZoneRole::Driver);
    let created_by = match role {
        ZoneRole::Driver => None,
        ZoneRole::Controller | ZoneRole::Admin => {
            let caller = caller.ok_or(NO_TOKEN)?;
            Manager::check(&caller)?;
            let db = store::open().await?;
            Some(accounts::find_caller(&db, caller.session).await?.id)
        }
        ZoneRole::Superuser => return Err(FORBIDDEN),
    };
    let new = NewAccount {
        name: Some(body.name),
        surname: Some(body.surname),
        created_by,
        ..NewAccount::new(body.username, Some(body.email), role.role())
    };
    let signed_in =
        authentication::register_and_sign_in(new, &body.password, Renewal::Refresh, &client)
            .await?;
    Ok(Created::at("/api/v1/users/me", signed_in.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_admin_is_an_admin_and_an_admin_a_superuser() {
        let shown = |role| ZoneRole::of(Roles::default().with(role));
        assert_eq!(shown(Role::ZoneAdmin), ZoneRole::Admin);
        assert_eq!(shown(Role::Admin), ZoneRole::Superuser);
        assert_eq!(shown(Role::Owner), ZoneRole::Driver);
        for role in ZoneRole::ALL {
            assert_eq!(shown(role.role()), role);
        }
    }

    #[test]
    fn a_new_zone_role_replaces_the_other_zone_roles_only() {
        let change = ZoneRole::Controller.change();
        assert!(change.drop.has(Role::Admin) && !change.drop.has(Role::Owner));
        assert_eq!(change.add, Roles::default().with(Role::Controller));
    }
}
