//! The parking places' dialect: `{token}` for everything, in header `api_key`.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use kit::{Admin, Caller, Dialect, Json, Problem, Query, Role, Roles, Spellings, speaking};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{Account, Email, Login, Malformed, NewAccount, TelegramId};
use crate::client::Client;
use crate::entering::{self, Attempt};
use crate::error::Error;
use crate::issue::{Patience, SignedIn};
use crate::password::Password;
use crate::store::{self, Whom};

pub fn router() -> Router {
    let table = Router::new()
        .spelled(
            ["/register", "/auth/register", "/api/auth/register"],
            post(register),
        )
        .spelled(["/login", "/auth/login", "/api/auth/login"], post(sign_in))
        .spelled(
            [
                "/change-password",
                "/auth/change-password",
                "/api/auth/change-password",
            ],
            post(change_password),
        )
        .spelled(["/user", "/auth/user", "/api/auth/user"], get(show_user));
    let me = Router::new().route("/auth/me", get(show_me));
    speaking(Dialect::Parking, table).merge(speaking(Dialect::AccountsAndParking, me))
}

#[derive(Serialize)]
struct Entered {
    token: String,
}

impl From<SignedIn> for Json<Entered> {
    fn from(signed_in: SignedIn) -> Self {
        Json(Entered {
            token: signed_in.token,
        })
    }
}

#[derive(Deserialize)]
struct Registration {
    email: String,
    login: String,
    password: String,
    role: ParkingRole,
    telegram_id: Option<i64>,
}

/// An admin is made by another way than this.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ParkingRole {
    Driver,
    Owner,
}

async fn register(
    client: Client,
    Json(asked): Json<Registration>,
) -> Result<Json<Entered>, Problem> {
    let (new, password) = asked.checked().map_err(rejected)?;
    let entered = entering::register_and_enter(new, &password, Patience::SignsInAgain, &client);
    Ok(entered.await.map_err(rejected)?.into())
}

impl Registration {
    fn checked(self) -> Result<(NewAccount, Password), Error> {
        let login = Login::try_from(self.login).map_err(|it| Error::Malformed("login", it))?;
        if !login.is_word() {
            let rule = Malformed("a login is 3 to 50 letters, digits or '_'");
            return Err(Error::Malformed("login", rule));
        }
        let email = Email::try_from(self.email).map_err(|it| Error::Malformed("email", it))?;
        let password =
            Password::try_from(self.password).map_err(|it| Error::Malformed("password", it))?;
        let telegram_id = self.telegram_id.map(TelegramId::try_from).transpose();
        let role = match self.role {
            ParkingRole::Driver => Role::Driver,
            ParkingRole::Owner => Role::Owner,
        };
        let new = NewAccount {
            telegram_id: telegram_id.map_err(|it| Error::Malformed("telegram_id", it))?,
            ..NewAccount::new(login, Some(email), role)
        };
        Ok((new, password))
    }
}

/// These clients know one refusal of a registration, whatever its reason.
fn rejected(error: Error) -> Problem {
    match error {
        Error::Malformed(..) | Error::PasswordIsName => Problem::new(
            StatusCode::CONFLICT,
            "registration-rejected",
            "The registration is not acceptable",
        )
        .detail(error.to_string()),
        other => other.into(),
    }
}

#[derive(Deserialize)]
struct Credentials {
    login: String,
    password: String,
    code: Option<String>,
}

async fn sign_in(client: Client, Json(asked): Json<Credentials>) -> Result<Json<Entered>, Problem> {
    let attempt = Attempt {
        name: &asked.login,
        password: &asked.password,
        code: asked.code.as_deref(),
    };
    let entered = entering::sign_in(attempt, Patience::SignsInAgain, &client).await?;
    Ok(entered.into())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PasswordChange {
    login: String,
    old_password: String,
    new_password: String,
    code: Option<String>,
}

/// The old password is proof enough: no token is asked for.
async fn change_password(
    client: Client,
    Json(asked): Json<PasswordChange>,
) -> Result<Json<Entered>, Problem> {
    let new = Password::try_from(asked.new_password)
        .map_err(|it| unfit(Error::Malformed("newPassword", it)))?;
    let attempt = Attempt {
        name: &asked.login,
        password: &asked.old_password,
        code: asked.code.as_deref(),
    };
    let entered = entering::change_password(attempt, &new, Patience::SignsInAgain, &client);
    Ok(entered.await.map_err(unfit)?.into())
}

fn unfit(error: Error) -> Problem {
    match error {
        Error::Malformed(..) | Error::PasswordIsName => Problem::new(
            StatusCode::BAD_REQUEST,
            "unfit-password",
            "The new password is not acceptable",
        )
        .detail(error.to_string()),
        other => other.into(),
    }
}

/// What every client reads of its own user, under each of the names they know.
#[derive(Serialize)]
pub struct Me {
    /// OpenID's name for it: the address is told as the userinfo endpoint.
    sub: Uuid,
    id: Uuid,
    user_id: Uuid,
    login: String,
    email: Option<String>,
    role: &'static str,
    roles: Roles,
    telegram_id: i64,
}

impl From<Account> for Me {
    fn from(account: Account) -> Self {
        Self {
            sub: account.id,
            id: account.id,
            user_id: account.id,
            role: first_role(account.roles).map_or("", Role::name),
            login: account.login,
            email: account.email,
            roles: account.roles,
            telegram_id: account.telegram_id.unwrap_or(0),
        }
    }
}

/// The one role of somebody who holds several: the one whose pages they would want to see.
fn first_role(roles: Roles) -> Option<Role> {
    const ORDER: [Role; 8] = [
        Role::Admin,
        Role::Owner,
        Role::Driver,
        Role::ZoneAdmin,
        Role::Controller,
        Role::Moderator,
        Role::Customer,
        Role::Anonymous,
    ];
    ORDER.into_iter().find(|it| roles.has(*it))
}

pub async fn show_me(caller: Caller) -> Result<Json<Me>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::me(&db, caller.session).await?.into()))
}

#[derive(Deserialize)]
struct Asked {
    user_id: Option<Uuid>,
    login: Option<String>,
}

/// Any user, for an admin; without a query, the admin.
async fn show_user(Admin(caller): Admin, Query(asked): Query<Asked>) -> Result<Json<Me>, Problem> {
    let db = store::open().await?;
    let whom = Whom {
        id: asked.user_id,
        login: asked.login.as_deref(),
        ..Whom::default()
    };
    let account = match whom {
        Whom {
            id: None,
            login: None,
            ..
        } => store::me(&db, caller.session).await?,
        whom => store::find(&db, caller.session, whom).await?,
    };
    Ok(Json(account.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_of_several_roles_is_shown_by_one() {
        let both = Roles::default().with(Role::Driver).with(Role::Owner);
        assert_eq!(first_role(both), Some(Role::Owner));
        assert_eq!(first_role(both.with(Role::Admin)), Some(Role::Admin));
        assert_eq!(first_role(Roles::default()), None);
        for role in Role::ALL {
            assert_eq!(first_role(Roles::default().with(role)), Some(role));
        }
    }
}
