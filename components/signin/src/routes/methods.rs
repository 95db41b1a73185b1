//! The modpack launchers' dialect: methods by name under `/api/method/`, with
//! GET and everything in the query, as they always did, or with POST.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use kit::{Caller, Dialect, FORBIDDEN, Form, Json, Page, Problem, Query, Role, Roles, speaking};
use serde::Serialize;
use serde_json::Value;

use crate::account::{Account, Email, Login, NewAccount};
use crate::client::{AdminInPerson, Client, Person};
use crate::entering::{self, Attempt};
use crate::error::Error;
use crate::issue::{Patience, SignedIn};
use crate::password::Password;
use crate::store::{self, Change, RoleChange, Whom};

pub fn router() -> Router {
    let table = Router::new()
        .route("/api/method/auth.login", get(sign_in).post(sign_in))
        .route("/api/method/auth.register", get(register).post(register))
        .route("/api/method/auth.refreshToken", get(refresh).post(refresh))
        .route("/api/method/users.get", get(show_user).post(show_user))
        .route("/api/method/users.list", get(list_users).post(list_users))
        .route("/api/method/users.setRole", get(set_role).post(set_role))
        .layer(axum::middleware::map_response(uncached));
    speaking(Dialect::Rpc, table)
}

/// A GET that changes something, or carries a token, is nobody's to keep.
async fn uncached(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// What a method is called with, from the query and from a body of JSON or a form.
struct Arguments(HashMap<String, String>);

impl<S: Send + Sync> FromRequest<S> for Arguments {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let query = request.uri().query().unwrap_or_default();
        let mut arguments: HashMap<String, String> = pairs(query.as_bytes());
        if request.method() == Method::POST && has_body(&request) {
            arguments.extend(body(request, state).await?);
        }
        let arguments = Self(arguments);
        match arguments.text("v")? {
            "1.0" => Ok(arguments),
            _ => Err(refused(1, "Invalid API version")),
        }
    }
}

fn pairs(text: &[u8]) -> HashMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn has_body(request: &Request) -> bool {
    request.headers().contains_key(header::CONTENT_TYPE)
}

async fn body<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<HashMap<String, String>, Problem> {
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|it| {
            it.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
    if is_form {
        return Ok(
            Form::<HashMap<String, String>>::from_request(request, state)
                .await?
                .0,
        );
    }
    let Json(values) = Json::<HashMap<String, Value>>::from_request(request, state).await?;
    values
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            Value::Number(number) => Ok((name, number.to_string())),
            Value::Bool(flag) => Ok((name, flag.to_string())),
            _ => Err(refused(32, "Invalid argument type").detail(name)),
        })
        .collect()
}

fn refused(number: u16, title: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-argument", title).number(number)
}

impl Arguments {
    fn text(&self, name: &'static str) -> Result<&str, Problem> {
        let given = self.optional(name);
        given.ok_or_else(|| {
            refused(30, "Missing argument").detail(format!("missing argument {name}"))
        })
    }

    fn optional(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|it| !it.is_empty())
    }

    fn parsed<T: TryFrom<String, Error = crate::account::Malformed>>(
        &self,
        name: &'static str,
    ) -> Result<T, Problem> {
        T::try_from(self.text(name)?.to_owned())
            .map_err(|it| refused(33, "Invalid format").detail(format!("{name}: {it}")))
    }

    fn number(&self, name: &'static str) -> Result<i64, Problem> {
        self.text(name)?
            .parse()
            .map_err(|_| refused(32, "Invalid type").detail(format!("{name} is a number")))
    }
}

/// What somebody may do, as these clients count it.
fn level(roles: Roles) -> u8 {
    if roles.has(Role::Admin) {
        99
    } else if roles.has(Role::Moderator) {
        50
    } else {
        10
    }
}

#[derive(Serialize)]
struct User {
    id: i64,
    login: String,
    roles: [u8; 1],
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            id: account.number,
            roles: [level(account.roles)],
            login: account.login,
        }
    }
}

#[derive(Serialize)]
struct Entered {
    token: String,
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl From<SignedIn> for Json<Entered> {
    fn from(signed_in: SignedIn) -> Self {
        Json(Entered {
            token: signed_in.token,
            user: signed_in.account.into(),
            refresh_token: signed_in.refresh_token,
        })
    }
}

async fn sign_in(client: Client, arguments: Arguments) -> Result<Json<Entered>, Problem> {
    let attempt = Attempt {
        name: arguments.text("login")?,
        password: arguments.text("password")?,
        code: arguments.optional("code"),
    };
    let entered = entering::sign_in(attempt, Patience::Refreshes, &client).await?;
    Ok(entered.into())
}

async fn register(client: Client, arguments: Arguments) -> Result<Json<Entered>, Problem> {
    let login: Login = arguments.parsed("login")?;
    let password: Password = arguments.parsed("password")?;
    let email: Option<Email> = match arguments.optional("email") {
        Some(_) => Some(arguments.parsed("email")?),
        None => None,
    };
    let new = NewAccount::new(login, email, Role::Customer);
    let entered = entering::register_and_enter(new, &password, Patience::Refreshes, &client);
    let entered = entered.await.map_err(|it| match it {
        Error::PasswordIsName => refused(31, "Invalid value").detail(it.to_string()),
        Error::LoginTaken | Error::EmailTaken => Problem::from(it).number(31),
        other => other.into(),
    })?;
    Ok(entered.into())
}

/// With a refresh token, or with a token that is still good. Launchers send the token along with
/// every call, so beside a refresh token it may have expired.
async fn refresh(client: Client, request: Request) -> Result<Json<Entered>, Problem> {
    let (mut parts, body) = request.into_parts();
    let request = Request::from_parts(parts.clone(), body);
    let arguments = Arguments::from_request(request, &()).await?;
    let entered = match arguments.optional("refresh_token") {
        Some(token) => entering::refresh(token, &client).await?,
        None => {
            let Person(caller) = Person::from_request_parts(&mut parts, &()).await?;
            entering::renew(&caller).await?
        }
    };
    Ok(entered.into())
}

/// Oneself, or anybody for those who moderate.
async fn show_user(caller: Caller, arguments: Arguments) -> Result<Json<User>, Problem> {
    let db = store::open().await?;
    let whom = arguments.optional("login");
    let number = match arguments.optional("user_id") {
        Some(_) => Some(arguments.number("user_id")?),
        None => None,
    };
    let me = store::me(&db, caller.session).await?;
    let is_me = whom.is_none_or(|it| it.eq_ignore_ascii_case(&me.login))
        && number.is_none_or(|it| it == me.number);
    if is_me {
        return Ok(Json(me.into()));
    }
    if !caller.roles.any(&[Role::Moderator, Role::Admin]) {
        return Err(FORBIDDEN);
    }
    let whom = Whom {
        login: whom,
        number,
        ..Whom::default()
    };
    Ok(Json(store::find(&db, caller.session, whom).await?.into()))
}

#[derive(Serialize)]
struct Users {
    users: Vec<User>,
}

async fn list_users(
    caller: Caller,
    Query(page): Query<Page>,
    _: Arguments,
) -> Result<Json<Users>, Problem> {
    if !caller.roles.any(&[Role::Moderator, Role::Admin]) {
        return Err(FORBIDDEN);
    }
    let db = store::open().await?;
    let users = store::list(&db, caller.session, page, 100).await?;
    Ok(Json(Users {
        users: users.into_iter().map(User::from).collect(),
    }))
}

/// To be of one level is to be of no other; nobody changes their own.
async fn set_role(
    AdminInPerson(caller): AdminInPerson,
    client: Client,
    arguments: Arguments,
) -> Result<Json<User>, Problem> {
    let number = arguments.number("user_id")?;
    let add = match arguments.number("role")? {
        99 => Roles::default().with(Role::Admin),
        50 => Roles::default().with(Role::Moderator),
        10 => Roles::default(),
        _ => return Err(refused(31, "Invalid value").detail("role is 99, 50 or 10")),
    };
    let db = store::open().await?;
    let whom = Whom {
        number: Some(number),
        ..Whom::default()
    };
    let user = store::find(&db, caller.session, whom).await?;
    if user.id == caller.id {
        return Err(FORBIDDEN);
    }
    let drop = Roles::default().with(Role::Admin).with(Role::Moderator);
    let change = Change {
        roles: Some(RoleChange { add, drop }),
        ..Change::default()
    };
    let (user, ended) = store::update(&db, &caller, user.id, change, &client).await?;
    entering::tell_ended(ended).await?;
    Ok(Json(user.into()))
}
