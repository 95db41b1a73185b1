//! Users by login: the caller, and those whom the caller manages.

use axum::http::Uri;
use kit::identity::{Admin, Caller, FORBIDDEN, PROOF_TOO_OLD, SAME_DAY_S};
use kit::store::{Db, event};
use kit::web::{Dialect, Json, Listed, NoContent, Page, Path, Problem, Query, Routes, Schema};
use serde::{Deserialize, Serialize};

use super::ZoneRole;
use crate::account::{Account, Change};
use crate::authentication;
use crate::calls::passwords;
use crate::client::Actor;
use crate::error::Error;
use crate::first_admin;
use crate::identity::{Manager, Unscoped, UnscopedAdmin};
use crate::letter::{Letter, Purpose};
use crate::name::{Email, Login, TelegramId, Text};
use crate::password::Password;
use crate::revocation::mark_revoked;
use crate::routes::users::{erase, erase_caller_today};
use crate::store::{self, accounts};
use crate::{limit, throttle};

pub fn routes() -> Routes {
    Routes::new("Users", Dialect::Zones)
        .get("/api/v1/users", list_users, |it| it.summary("List all users"))
        .delete("/api/v1/users", erase_all_users, |it| {
            it.summary("Erase all users")
                .note("Everyone but platform admins. It cannot be undone.")
        })
        .get("/api/v1/users/me", show_caller, |it| {
            it.summary("Show the caller by zone role").instead("GET /auth/me")
        })
        .patch("/api/v1/users/me", update_caller, |it| {
            it.summary("Change the caller's account")
                .note("Absent members stay as they are. A new password ends every other session. A new e-mail replaces a proven one once it is proven by the letter that is sent to it. The role cannot be changed here.")
                .note(TODAY)
                .refuses(updating())
                .refuses([PROOF_TOO_OLD])
        })
        .delete("/api/v1/users/me", erase_caller_today, |it| {
            it.summary("Erase the caller from a zone")
                .note(TODAY)
                .instead("DELETE /auth/me")
                .refuses([Error::UNKNOWN_ACCOUNT, Error::LAST_ADMIN])
        })
        .get("/api/v1/users/{username}", show_user, |it| {
            it.summary("Show a managed user").refuses([Error::UNKNOWN_ACCOUNT])
        })
        .patch("/api/v1/users/{username}", update_user, |it| {
            it.summary("Change a managed user")
                .note("A new password or role ends the user's sessions.")
                .refuses(updating())
        })
        .delete("/api/v1/users/{username}", erase_user, |it| {
            it.summary("Erase a managed user").refuses([Error::UNKNOWN_ACCOUNT])
        })
}

/// These clients cannot prove again who a person is, but by signing in.
const TODAY: &str = "An e-mail, a password and erasure ask for a sign-in within the last day; the person gets a notice.";

fn updating() -> [Problem; 6] {
    [
        Error::TOO_MANY_TRIES,
        Error::UNKNOWN_ACCOUNT,
        Error::LOGIN_TAKEN,
        Error::EMAIL_TAKEN,
        Error::PASSWORD_IS_NAME,
        Error::BUSY,
    ]
}

#[derive(Serialize, Schema)]
pub struct ZoneUser {
    /// The serial number of the account.
    id: i64,
    name: Option<String>,
    surname: Option<String>,
    username: String,
    email: Option<String>,
    role: ZoneRole,
}

impl From<Account> for ZoneUser {
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

/// Rows of a list when the client does not say how many.
const PAGE: i64 = 20;

async fn list_users(
    Admin(caller): Admin,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Listed<ZoneUser>, Problem> {
    let db = store::open().await?;
    let users = accounts::list_accounts(&db, caller.session, page, PAGE).await?;
    let users = users.into_iter().map(ZoneUser::from).collect();
    Ok(Listed::page(&uri, page, PAGE, users))
}

async fn erase_all_users(UnscopedAdmin(actor): UnscopedAdmin) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    accounts::erase_all_accounts(&db, &actor).await?;
    event::wake();
    Ok(NoContent)
}

async fn show_caller(caller: Caller) -> Result<Json<ZoneUser>, Problem> {
    let db = store::open().await?;
    let account = accounts::find_caller(&db, caller.session).await?;
    Ok(Json(account.into()))
}

/// What is absent stays.
#[derive(Deserialize, Schema)]
struct UserChange {
    username: Option<Login>,
    name: Option<Text>,
    surname: Option<Text>,
    email: Option<Email>,
    /// 0 for none. Of the parking clients, who can change it nowhere else.
    telegram_id: Option<TelegramId>,
    password: Option<Password>,
    role: Option<ZoneRole>,
}

async fn update_caller(
    Unscoped(actor): Unscoped,
    Json(body): Json<UserChange>,
) -> Result<Json<ZoneUser>, Problem> {
    if body.role.is_some() {
        return Err(FORBIDDEN);
    }
    if body.password.is_some() || body.email.is_some() {
        actor.caller.check_proof(SAME_DAY_S)?;
    }
    let db = store::open().await?;
    let me = accounts::find_caller(&db, actor.caller.session).await?;
    drop(db);
    Ok(Json(update(&actor, me, body).await?.into()))
}

async fn show_user(
    Manager(actor): Manager,
    Path(username): Path<String>,
) -> Result<Json<ZoneUser>, Problem> {
    Ok(Json(find(&actor, &username).await?.into()))
}

async fn find(actor: &Actor, login: &str) -> Result<Account, Error> {
    let db = store::open().await?;
    accounts::find_managed_account(&db, &actor.caller, login).await
}

async fn update_user(
    Manager(actor): Manager,
    Path(username): Path<String>,
    Json(body): Json<UserChange>,
) -> Result<Json<ZoneUser>, Problem> {
    let user = find(&actor, &username).await?;
    let caller = &actor.caller;
    if let Some(role) = body.role
        && (user.id == caller.id || (role == ZoneRole::Superuser && !caller.is_admin()))
    {
        return Err(FORBIDDEN);
    }
    Ok(Json(update(&actor, user, body).await?.into()))
}

async fn update(actor: &Actor, user: Account, body: UserChange) -> Result<Account, Error> {
    let login = body
        .username
        .as_ref()
        .filter(|it| it.as_str() != user.login);
    if login.is_some_and(Login::is_reserved) {
        return Err(Error::LoginTaken);
    }
    let login = login.map(Login::as_str);
    let email = body.email.as_ref().map(Email::as_str);
    let email = email.filter(|it| Some(*it) != user.email.as_deref());
    first_admin::check_names(login, email).await?;
    let new_login = login.unwrap_or(&user.login);
    let new_email = email.or(user.email.as_deref());
    let db = store::open().await?;
    let letter = match email {
        Some(email) => find_letter(&db, actor, &user, email).await?,
        None => None,
    };
    let hash = match &body.password {
        Some(password) if password.is_name(new_login, new_email) => {
            return Err(Error::PasswordIsName);
        }
        Some(password) => {
            let caller = actor.caller.id.to_string();
            let limits = limit::new_passwords(&caller, &actor.client);
            throttle::count(&db, &limits).await?;
            Some(passwords::hash(password.as_str(), &actor.client).await?)
        }
        None => None,
    };
    let change = Change {
        login,
        name: body.name.as_ref(),
        surname: body.surname.as_ref(),
        email,
        letter: letter.as_ref(),
        telegram_id: body.telegram_id,
        password_hash: hash.as_deref(),
        roles: body.role.map(ZoneRole::change),
    };
    let (user, ended) = accounts::update_account(&db, actor, user.id, change).await?;
    mark_revoked(&ended).await?;
    if email.is_some() && letter.is_none() {
        authentication::announce(&user);
    }
    event::wake();
    Ok(user)
}

/// The letter that proves a new e-mail of the caller, whose present one is proven.
pub async fn find_letter(
    db: &Db,
    actor: &Actor,
    user: &Account,
    email: &str,
) -> Result<Option<Letter>, Error> {
    if accounts::is_email_taken(db, email, user.id).await? {
        return Err(Error::EmailTaken);
    }
    let is_own = user.id == actor.caller.id;
    let is_other = user
        .email
        .as_deref()
        .is_some_and(|it| !it.eq_ignore_ascii_case(email));
    if !is_own || !user.is_email_verified || !is_other {
        return Ok(None);
    }
    let mut limits = limit::letters(email, &actor.client);
    limits.extend(limit::letters_by(user.id));
    throttle::count(db, &limits).await?;
    Ok(Some(Letter::new(Purpose::Verify)))
}

async fn erase_user(
    Manager(actor): Manager,
    Path(username): Path<String>,
) -> Result<NoContent, Problem> {
    let user = find(&actor, &username).await?;
    erase(&actor, user.id).await
}
