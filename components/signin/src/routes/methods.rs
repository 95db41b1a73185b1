//! The modpack launchers' dialect: methods by name under `/api/method/`, called with GET and everything in the
//! query, or with POST and a body of JSON or a form.

use axum::extract::{FromRequest, FromRequestParts, Request};
use kit::identity::{Caller, FORBIDDEN, Role, Roles};
use kit::web::{
    Arguments, Dialect, Input, Json, Operation, Page, Problem, Query, Routes, Schema, Security,
};
use serde::Serialize;

use crate::account::{Account, Change, Lookup, NewAccount, RoleChange};
use crate::authentication::{self, Attempt};
use crate::client::Client;
use crate::error::Error;
use crate::identity::{Moderator, Unscoped, UnscopedAdmin};
use crate::issue::Renewal;
use crate::name::{Email, Login};
use crate::password::Password;
use crate::revocation::mark_revoked;
use crate::routes::{registering, signing_in};
use crate::session::SignedIn;
use crate::store::{self, accounts};

pub fn routes() -> Routes {
    Routes::new("Signing in", Dialect::Rpc)
        .get("/api/method/auth.login", sign_in, describe_sign_in)
        .post("/api/method/auth.login", sign_in, describe_sign_in)
        .get("/api/method/auth.register", register, describe_register)
        .post("/api/method/auth.register", register, describe_register)
        .get("/api/method/auth.refreshToken", refresh, describe_refresh)
        .post("/api/method/auth.refreshToken", refresh, describe_refresh)
        .about("Users")
        .get("/api/method/users.get", show_user, describe_show_user)
        .post("/api/method/users.get", show_user, describe_show_user)
        .about("Administration")
        .get("/api/method/users.list", list_users, describe_list_users)
        .post("/api/method/users.list", list_users, describe_list_users)
        .get("/api/method/users.setRole", set_role, describe_set_role)
        .post("/api/method/users.setRole", set_role, describe_set_role)
        .no_store()
}

fn describe_sign_in(it: Operation) -> Operation {
    it.summary("Sign in from a launcher")
        .query::<Login>("login", true, "The login or the e-mail")
        .query::<Password>("password", true, "")
        .query::<String>(
            "code",
            false,
            "Of the second factor, when the account has one",
        )
        .instead("POST /token")
        .refuses(signing_in())
}

fn describe_register(it: Operation) -> Operation {
    it.summary("Register from a launcher")
        .query::<Login>("login", true, "")
        .query::<Password>("password", true, "Neither the login nor the e-mail")
        .query::<Email>("email", false, "")
        .instead("POST /auth/register")
        .refuses(registering())
}

fn describe_refresh(it: Operation) -> Operation {
    it.summary("Refresh the tokens from a launcher")
        .note("With `refresh_token`, or with an access token that is still valid.")
        .query::<String>("refresh_token", false, "")
        .instead("POST /auth/refresh")
}

fn describe_show_user(it: Operation) -> Operation {
    it.summary("Show a user to a launcher")
        .note(
            "Without arguments it shows the caller. Moderators and admins may look at other users.",
        )
        .query::<i64>("user_id", false, "The serial number of the account")
        .query::<Login>("login", false, "")
        .instead("GET /auth/me")
        .refuses([Error::UNKNOWN_ACCOUNT, FORBIDDEN])
}

fn describe_list_users(it: Operation) -> Operation {
    it.summary("List users to a moderator")
}

fn describe_set_role(it: Operation) -> Operation {
    it.summary("Set a user's level")
        .note("99 is an admin, 50 a moderator, 10 neither. Other roles stay. Admins cannot change their own.")
        .query::<i64>("user_id", true, "The serial number of the account")
        .query::<i64>("role", true, "99, 50 or 10")
        .instead("PUT /auth/users/{id}/roles")
        .refuses([Error::UNKNOWN_ACCOUNT, Error::UNKNOWN_LEVEL])
}

/// The rights of a user, as these clients count them.
fn level(roles: Roles) -> u8 {
    if roles.has(Role::Admin) {
        99
    } else if roles.has(Role::Moderator) {
        50
    } else {
        10
    }
}

#[derive(Serialize, Schema)]
struct LauncherUser {
    /// The serial number of the account.
    id: i64,
    login: String,
    /// The level: 99, 50 or 10.
    roles: [u8; 1],
}

impl From<Account> for LauncherUser {
    fn from(account: Account) -> Self {
        Self {
            id: account.number,
            roles: [level(account.roles)],
            login: account.login,
        }
    }
}

#[derive(Serialize, Schema)]
struct LauncherSession {
    token: String,
    user: LauncherUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl From<SignedIn> for Json<LauncherSession> {
    fn from(signed_in: SignedIn) -> Self {
        Json(LauncherSession {
            token: signed_in.token,
            user: signed_in.account.into(),
            refresh_token: signed_in.refresh_token,
        })
    }
}

async fn sign_in(client: Client, arguments: Arguments) -> Result<Json<LauncherSession>, Problem> {
    let attempt = Attempt {
        name: arguments.text("login")?,
        password: arguments.text("password")?,
        code: arguments.optional("code")?,
    };
    let signed_in = authentication::sign_in(attempt, Renewal::Refresh, &client).await?;
    Ok(signed_in.into())
}

async fn register(client: Client, arguments: Arguments) -> Result<Json<LauncherSession>, Problem> {
    let login: Login = arguments.parsed("login")?;
    let password: Password = arguments.parsed("password")?;
    let email: Option<Email> = match arguments.optional("email")? {
        Some(_) => Some(arguments.parsed("email")?),
        None => None,
    };
    let new = NewAccount::new(login, email, Role::Customer);
    let registered =
        authentication::register_and_sign_in(new, &password, Renewal::Refresh, &client).await?;
    Ok(registered.into())
}

/// The token that renewing asks for. Launchers send the access token with every call, where it may have expired. So it
/// is ignored when there is a refresh token.
enum Renewable {
    RefreshToken(String),
    AccessToken(Caller),
}

impl<S: Send + Sync> FromRequest<S> for Renewable {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let arguments = Arguments::from_request(request, state).await?;
        if let Some(token) = arguments.optional("refresh_token")? {
            return Ok(Self::RefreshToken(token.to_owned()));
        }
        let Unscoped(actor) = Unscoped::from_request_parts(&mut parts, state).await?;
        Ok(Self::AccessToken(actor.caller))
    }
}

impl Input for Renewable {
    fn describe(operation: &mut Operation) {
        Arguments::describe(operation);
        Unscoped::describe(operation);
        operation.add_security(Security::Optional);
    }
}

async fn refresh(client: Client, renewable: Renewable) -> Result<Json<LauncherSession>, Problem> {
    let signed_in = match renewable {
        Renewable::RefreshToken(token) => authentication::refresh(&token, &client).await?,
        Renewable::AccessToken(caller) => authentication::renew(&caller).await?,
    };
    Ok(signed_in.into())
}

async fn show_user(caller: Caller, arguments: Arguments) -> Result<Json<LauncherUser>, Problem> {
    let db = store::open().await?;
    let login = arguments.optional("login")?;
    let number = match arguments.optional("user_id")? {
        Some(_) => Some(arguments.number("user_id")?),
        None => None,
    };
    let me = accounts::find_caller(&db, caller.session).await?;
    let is_me = login.is_none_or(|it| it.eq_ignore_ascii_case(&me.login))
        && number.is_none_or(|it| it == me.number);
    if is_me {
        return Ok(Json(me.into()));
    }
    Moderator::check(&caller)?;
    let lookup = Lookup {
        login,
        number,
        ..Lookup::default()
    };
    let user = accounts::find_account(&db, caller.session, lookup).await?;
    Ok(Json(user.into()))
}

#[derive(Serialize, Schema)]
struct LauncherUsers {
    users: Vec<LauncherUser>,
}

async fn list_users(
    Moderator(actor): Moderator,
    Query(page): Query<Page>,
    _: Arguments,
) -> Result<Json<LauncherUsers>, Problem> {
    let db = store::open().await?;
    let users = accounts::list_accounts(&db, actor.caller.session, page, 100).await?;
    Ok(Json(LauncherUsers {
        users: users.into_iter().map(LauncherUser::from).collect(),
    }))
}

async fn set_role(
    UnscopedAdmin(actor): UnscopedAdmin,
    arguments: Arguments,
) -> Result<Json<LauncherUser>, Problem> {
    let number = arguments.number("user_id")?;
    let add = match arguments.number("role")? {
        99 => Roles::default().with(Role::Admin),
        50 => Roles::default().with(Role::Moderator),
        10 => Roles::default(),
        _ => return Err(Error::UnknownLevel.into()),
    };
    let db = store::open().await?;
    let lookup = Lookup {
        number: Some(number),
        ..Lookup::default()
    };
    let user = accounts::find_account(&db, actor.caller.session, lookup).await?;
    if user.id == actor.caller.id {
        return Err(FORBIDDEN);
    }
    let drop = Roles::default().with(Role::Admin).with(Role::Moderator);
    let change = Change {
        roles: Some(RoleChange { add, drop }),
        ..Change::default()
    };
    let (user, ended) = accounts::update_account(&db, &actor, user.id, change).await?;
    mark_revoked(&ended).await?;
    Ok(Json(user.into()))
}
