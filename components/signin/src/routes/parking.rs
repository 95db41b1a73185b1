//! The parking places' dialect: `{token}` for everything, in the header `api_key`.

use kit::Word;
use kit::identity::{Admin, Caller, Role, Roles};
use kit::web::{Dialect, Json, Problem, Query, Routes, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{Account, Lookup, NewAccount};
use crate::authentication::{self, Attempt};
use crate::client::Client;
use crate::error::Error;
use crate::issue::Renewal;
use crate::name::{Email, Login, Malformed, TelegramId};
use crate::password::Password;
use crate::routes::{registering, signing_in};
use crate::session::SignedIn;
use crate::store::{self, accounts};

pub fn routes() -> Routes {
    let parking = Routes::new("Signing in", Dialect::Parking)
        .post(
            ["/auth/register", "/register", "/api/auth/register"],
            register,
            |it| {
                it.summary("Register as a driver or owner")
                    .note("The answer is the first token.")
                    .refuses(registering())
                    .refuses([Error::REGISTRATION_REJECTED])
            },
        )
        .post(["/auth/login", "/login", "/api/auth/login"], sign_in, |it| {
            it.summary("Sign in by password")
                .note("The token lasts for the day. `POST /token` gives a short one with a refresh token.")
                .refuses(signing_in())
        })
        .about("Passwords and e-mail")
        .post(
            [
                "/auth/change-password",
                "/change-password",
                "/api/auth/change-password",
            ],
            change_password,
            |it| {
                it.summary("Change the password")
                    .note("The old password is proof enough: no token is needed. Every session ends and a new one begins.")
                    .refuses(signing_in())
                    .refuses([Error::UNFIT_PASSWORD])
            },
        )
        .about("Administration")
        .get(["/auth/user", "/user", "/api/auth/user"], show_user, |it| {
            it.summary("Show any user")
                .note("By `user_id` or `login`; without either, the caller.")
                .refuses([Error::UNKNOWN_ACCOUNT])
        });
    let me = Routes::new("Users", Dialect::AccountsAndParking)
        .get("/auth/me", show_me, |it| it.summary("Show the caller"));
    Routes::of([parking, me])
}

#[derive(Serialize, Schema)]
struct Token {
    token: String,
}

impl From<SignedIn> for Json<Token> {
    fn from(signed_in: SignedIn) -> Self {
        Json(Token {
            token: signed_in.token,
        })
    }
}

#[derive(Deserialize, Schema)]
struct Registration {
    #[schemars(extend("format" = "email"), example = &"ana@example.org")]
    email: String,
    /// Letters, digits and `_`.
    #[schemars(length(min = 3, max = 50), example = &"ana")]
    login: String,
    /// Neither the login nor the e-mail.
    #[schemars(length(min = 8, max = 128), example = &"Correct-Horse-1")]
    password: String,
    role: ParkingRole,
    /// 0 for none.
    #[schemars(range(min = 0), example = 0)]
    telegram_id: Option<i64>,
}

/// The roles that people may choose themselves.
#[derive(Clone, Copy, Word)]
enum ParkingRole {
    Driver,
    Owner,
}

async fn register(client: Client, Json(body): Json<Registration>) -> Result<Json<Token>, Problem> {
    let (new, password) = body.checked().map_err(reject_registration)?;
    let registered =
        authentication::register_and_sign_in(new, &password, Renewal::SignIn, &client).await;
    Ok(registered.map_err(reject_registration)?.into())
}

impl Registration {
    fn checked(self) -> Result<(NewAccount, Password), Error> {
        let login = in_field("login", Login::try_from(self.login))?;
        if !login.is_word() {
            return Err(Error::invalid(
                "login",
                "a login is 3 to 50 letters, digits or '_'",
            ));
        }
        let email = in_field("email", Email::try_from(self.email))?;
        let password = in_field("password", Password::try_from(self.password))?;
        let telegram_id = self.telegram_id.map(TelegramId::try_from).transpose();
        let role = match self.role {
            ParkingRole::Driver => Role::Driver,
            ParkingRole::Owner => Role::Owner,
        };
        let new = NewAccount {
            telegram_id: in_field("telegram_id", telegram_id)?,
            ..NewAccount::new(login, Some(email), role)
        };
        Ok((new, password))
    }
}

/// These clients expect a status of their own for such a body, so its fields are read as text first.
fn in_field<T>(field: &'static str, read: Result<T, Malformed>) -> Result<T, Error> {
    read.map_err(|it| Error::invalid(field, it.0))
}

fn reject_registration(error: Error) -> Error {
    match error {
        Error::InvalidField(_) | Error::PasswordIsName => {
            Error::RegistrationRejected(error.to_string())
        }
        other => other,
    }
}

#[derive(Deserialize, Schema)]
struct SignInByLogin {
    /// The login or the e-mail.
    #[schemars(example = &"ana")]
    login: String,
    #[schemars(example = &"Correct-Horse-1")]
    password: String,
    /// A code of the second factor, when the account has one.
    code: Option<String>,
}

async fn sign_in(client: Client, Json(body): Json<SignInByLogin>) -> Result<Json<Token>, Problem> {
    let attempt = Attempt {
        name: &body.login,
        password: &body.password,
        code: body.code.as_deref(),
    };
    let signed_in = authentication::sign_in(attempt, Renewal::SignIn, &client).await?;
    Ok(signed_in.into())
}

#[derive(Deserialize, Schema)]
#[serde(rename_all = "camelCase")]
struct PasswordChange {
    /// The login or the e-mail.
    #[schemars(example = &"ana")]
    login: String,
    #[schemars(example = &"Correct-Horse-1")]
    old_password: String,
    /// Neither the login nor the e-mail.
    #[schemars(length(min = 8, max = 128), example = &"Correct-Horse-2")]
    new_password: String,
    /// A code of the second factor, when the account has one.
    code: Option<String>,
}

async fn change_password(
    client: Client,
    Json(body): Json<PasswordChange>,
) -> Result<Json<Token>, Problem> {
    let new =
        in_field("newPassword", Password::try_from(body.new_password)).map_err(reject_password)?;
    let attempt = Attempt {
        name: &body.login,
        password: &body.old_password,
        code: body.code.as_deref(),
    };
    let signed_in = authentication::change_password(attempt, &new, Renewal::SignIn, &client).await;
    Ok(signed_in.map_err(reject_password)?.into())
}

fn reject_password(error: Error) -> Error {
    match error {
        Error::InvalidField(_) | Error::PasswordIsName => Error::UnfitPassword(error.to_string()),
        other => other,
    }
}

/// A user under each of the names that the clients of this platform know.
#[derive(Serialize, Schema)]
pub struct Me {
    /// OpenID's name for the id: this is the userinfo endpoint.
    sub: Uuid,
    id: Uuid,
    user_id: Uuid,
    login: String,
    email: Option<String>,
    /// The first of the roles, for clients that know one.
    role: &'static str,
    roles: Roles,
    /// 0 for none.
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

/// Of several roles the one whose pages the person wants to see first.
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
    let account = accounts::find_caller(&db, caller.session).await?;
    Ok(Json(account.into()))
}

#[derive(Deserialize, Schema)]
struct WantedUser {
    user_id: Option<Uuid>,
    #[schemars(example = &"ana")]
    login: Option<String>,
}

async fn show_user(
    Admin(caller): Admin,
    Query(wanted): Query<WantedUser>,
) -> Result<Json<Me>, Problem> {
    if wanted.user_id.is_none() && wanted.login.is_none() {
        return show_me(caller).await;
    }
    let db = store::open().await?;
    let lookup = Lookup {
        id: wanted.user_id,
        login: wanted.login.as_deref(),
        ..Lookup::default()
    };
    let account = accounts::find_account(&db, caller.session, lookup).await?;
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
