//! The parking zones' dialect under `/api/v1`: sessions with a user in them,
//! the administration of users, and passcodes for kiosks.
//!
//! These clients call a zone admin `admin` and a platform admin `superuser`.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use jiff::Timestamp;
use kit::{
    Admin, Caller, Dialect, FORBIDDEN, Json, NO_TOKEN, Page, Path, Problem, Query, Role, Roles,
    speaking,
};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Email, Login, NewAccount, TelegramId, Text};
use crate::client::{AdminInPerson, Client, Person};
use crate::entering::{self, Attempt};
use crate::error::Error;
use crate::issue::{Patience, SignedIn};
use crate::password::Password;
use crate::store::{self, Change, RoleChange};
use crate::{passcode, secret};

pub fn router() -> Router {
    let table = Router::new()
        .route("/api/v1/login", post(sign_in).get(renew))
        .route("/api/v1/register", post(register))
        .route("/api/v1/otp", get(issue_passcode))
        .route("/api/v1/otp/validate", post(validate_passcode))
        .route("/api/v1/otp/users/{otp}", get(show_passcode_owner))
        .route("/api/v1/users", get(list_users).delete(delete_all_users))
        .route(
            "/api/v1/users/me",
            get(show_me).patch(update_me).delete(delete_me),
        )
        .route(
            "/api/v1/users/{username}",
            get(show_user).patch(update_user).delete(delete_user),
        );
    speaking(Dialect::Zones, table)
}

/// A role in the words of these clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ZoneRole {
    Driver,
    Controller,
    Admin,
    Superuser,
}

impl ZoneRole {
    const ALL: [Self; 4] = [Self::Superuser, Self::Admin, Self::Controller, Self::Driver];

    fn role(self) -> Role {
        match self {
            Self::Driver => Role::Driver,
            Self::Controller => Role::Controller,
            Self::Admin => Role::ZoneAdmin,
            Self::Superuser => Role::Admin,
        }
    }

    /// The strongest one; everybody is at least a driver to them.
    fn of(roles: Roles) -> Self {
        let held = Self::ALL.into_iter().find(|it| roles.has(it.role()));
        held.unwrap_or(Self::Driver)
    }

    /// To be this and nothing else that these clients know. Other roles stay.
    fn change(self) -> RoleChange {
        RoleChange {
            add: Roles::default().with(self.role()),
            drop: Self::ALL.into_iter().map(Self::role).collect(),
        }
    }
}

#[derive(Serialize)]
struct User {
    id: i64,
    name: Option<String>,
    surname: Option<String>,
    username: String,
    email: Option<String>,
    role: ZoneRole,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            id: account.number,
            name: account.name,
            surname: account.surname,
            username: account.login,
            email: account.email,
            role: ZoneRole::of(account.roles),
        }
    }
}

#[derive(Serialize)]
struct Session {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl From<SignedIn> for Session {
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

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
    code: Option<String>,
}

async fn sign_in(client: Client, Json(asked): Json<Credentials>) -> Result<Json<Session>, Problem> {
    let attempt = Attempt {
        name: &asked.username,
        password: &asked.password,
        code: asked.code.as_deref(),
    };
    let entered = entering::sign_in(attempt, Patience::Refreshes, &client).await;
    // These clients offer to register whoever is unknown.
    let entered = entered.map_err(|it| match it {
        Error::UnknownName => Error::UnknownAccount,
        other => other,
    })?;
    Ok(Json(entered.into()))
}

async fn renew(Person(caller): Person) -> Result<Json<Session>, Problem> {
    Ok(Json(entering::renew(&caller).await?.into()))
}

#[derive(Deserialize)]
struct Registration {
    name: Text,
    surname: Text,
    username: Login,
    email: Email,
    password: Password,
    role: Option<ZoneRole>,
}

async fn register(
    caller: Option<Caller>,
    client: Client,
    Json(asked): Json<Registration>,
) -> Result<(StatusCode, Json<Session>), Problem> {
    let role = asked.role.unwrap_or(ZoneRole::Driver);
    let created_by = match role {
        ZoneRole::Driver => None,
        ZoneRole::Controller | ZoneRole::Admin => {
            let Manager(caller) = Manager::try_from(caller.ok_or(NO_TOKEN)?)?;
            let db = store::open().await?;
            Some(store::me(&db, caller.session).await?.id)
        }
        // A platform admin is never made by registration.
        ZoneRole::Superuser => return Err(FORBIDDEN),
    };
    let new = NewAccount {
        name: Some(asked.name),
        surname: Some(asked.surname),
        created_by,
        ..NewAccount::new(asked.username, Some(asked.email), role.role())
    };
    let entered =
        entering::register_and_enter(new, &asked.password, Patience::Refreshes, &client).await?;
    Ok((StatusCode::CREATED, Json(entered.into())))
}

async fn list_users(
    Admin(caller): Admin,
    Query(page): Query<Page>,
) -> Result<Json<Vec<User>>, Problem> {
    let db = store::open().await?;
    let users = store::list(&db, caller.session, page, 20).await?;
    Ok(Json(users.into_iter().map(User::from).collect()))
}

/// Everybody but admins.
async fn delete_all_users(
    AdminInPerson(caller): AdminInPerson,
    client: Client,
) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    store::erase_all(&db, caller.session, &client).await?;
    kit::event::wake();
    Ok(StatusCode::NO_CONTENT)
}

async fn show_me(caller: Caller) -> Result<Json<User>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::me(&db, caller.session).await?.into()))
}

#[derive(Deserialize)]
struct UserChange {
    username: Option<Login>,
    name: Option<Text>,
    surname: Option<Text>,
    email: Option<Email>,
    /// Of the parking clients, who give it when they register and change it nowhere else.
    telegram_id: Option<TelegramId>,
    password: Option<Password>,
    role: Option<ZoneRole>,
}

/// One's own role is not one's own to change.
async fn update_me(
    Person(caller): Person,
    client: Client,
    Json(asked): Json<UserChange>,
) -> Result<Json<User>, Problem> {
    if asked.role.is_some() {
        return Err(FORBIDDEN);
    }
    let db = store::open().await?;
    let me = store::me(&db, caller.session).await?;
    update(&caller, me, asked, &client).await
}

async fn delete_me(Person(caller): Person, client: Client) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let ended = store::erase(&db, &caller, caller.id, &client).await?;
    entering::tell_ended(ended).await?;
    kit::event::wake();
    Ok(StatusCode::NO_CONTENT)
}

/// Admins manage everybody, a zone admin whom they registered.
struct Manager(Caller);

impl<S: Sync> axum::extract::FromRequestParts<S> for Manager {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Problem> {
        let Person(caller) = Person::from_request_parts(parts, state).await?;
        caller.try_into()
    }
}

impl TryFrom<Caller> for Manager {
    type Error = Problem;

    fn try_from(caller: Caller) -> Result<Self, Problem> {
        let stands_for_all = caller.scope.is_none();
        if stands_for_all && caller.roles.any(&[Role::ZoneAdmin, Role::Admin]) {
            Ok(Self(caller))
        } else {
            Err(FORBIDDEN)
        }
    }
}

async fn show_user(
    Manager(caller): Manager,
    Path(username): Path<String>,
) -> Result<Json<User>, Problem> {
    let db = store::open().await?;
    Ok(Json(
        store::find_managed(&db, &caller, &username).await?.into(),
    ))
}

async fn update_user(
    Manager(caller): Manager,
    Path(username): Path<String>,
    client: Client,
    Json(asked): Json<UserChange>,
) -> Result<Json<User>, Problem> {
    let db = store::open().await?;
    let user = store::find_managed(&db, &caller, &username).await?;
    if let Some(role) = asked.role
        && (user.id == caller.id || (role == ZoneRole::Superuser && !caller.is_admin()))
    {
        return Err(FORBIDDEN);
    }
    update(&caller, user, asked, &client).await
}

async fn update(
    caller: &Caller,
    user: Account,
    asked: UserChange,
    client: &Client,
) -> Result<Json<User>, Problem> {
    let login = asked.username.as_ref().map(Login::as_str);
    let login = login.filter(|it| *it != user.login);
    let email = asked.email.as_ref().map(Email::as_str);
    let email = email.filter(|it| Some(*it) != user.email.as_deref());
    entering::not_the_admins(login, email).await?;
    let (new_login, new_email) = (
        login.unwrap_or(&user.login),
        email.or(user.email.as_deref()),
    );
    let hash = match &asked.password {
        Some(password) if password.is_name(new_login, new_email) => {
            return Err(Error::PasswordIsName.into());
        }
        Some(password) => Some(password.hash().await?),
        None => None,
    };
    let change = Change {
        login,
        name: asked.name.as_ref().map(Text::as_str),
        surname: asked.surname.as_ref().map(Text::as_str),
        email,
        telegram_id: asked.telegram_id,
        hash: hash.as_deref(),
        roles: asked.role.map(ZoneRole::change),
    };
    let db = store::open().await?;
    let (user, ended) = store::update(&db, caller, user.id, change, client).await?;
    entering::tell_ended(ended).await?;
    if email.is_some() {
        entering::tell_of(&user);
    }
    kit::event::wake();
    Ok(Json(user.into()))
}

async fn delete_user(
    Manager(caller): Manager,
    Path(username): Path<String>,
    client: Client,
) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let user = store::find_managed(&db, &caller, &username).await?;
    let ended = store::erase(&db, &caller, user.id, &client).await?;
    entering::tell_ended(ended).await?;
    kit::event::wake();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Passcode {
    otp: String,
    valid_until: Timestamp,
}

async fn issue_passcode(
    Manager(caller): Manager,
    client: Client,
) -> Result<Json<Passcode>, Problem> {
    let db = store::open().await?;
    // Of a million codes few are in use: hardly ever does a second one have to be drawn.
    for _ in 0..10 {
        let otp = secret::six_digits();
        let issued =
            store::issue_passcode(&db, caller.session, &otp, passcode::SECONDS, &client).await?;
        if let Some(valid_until) = issued {
            return Ok(Json(Passcode { otp, valid_until }));
        }
    }
    Err(Error::NoCodeLeft.into())
}

#[derive(Deserialize)]
struct Shown {
    otp: String,
}

#[derive(Serialize)]
struct Valid {
    valid: bool,
}

async fn validate_passcode(
    client: Client,
    Json(shown): Json<Shown>,
) -> Result<Json<Valid>, Problem> {
    if shown.otp.is_empty() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "no-otp",
            "No OTP provided",
        ));
    }
    let owner = passcode::owner(&shown.otp, &client).await?;
    owner.ok_or(Error::WrongPasscode)?;
    Ok(Json(Valid { valid: true }))
}

#[derive(Serialize)]
struct PasscodeOwner {
    username: String,
}

async fn show_passcode_owner(
    client: Client,
    Path(otp): Path<String>,
) -> Result<Json<PasscodeOwner>, Problem> {
    let owner = passcode::owner(&otp, &client).await?;
    let username = owner.ok_or(Error::UnknownAccount)?.login;
    Ok(Json(PasscodeOwner { username }))
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
    fn to_become_one_is_to_stop_being_another() {
        let change = ZoneRole::Controller.change();
        assert!(change.drop.has(Role::Admin) && !change.drop.has(Role::Owner));
        assert_eq!(change.add, Roles::default().with(Role::Controller));
    }
}
