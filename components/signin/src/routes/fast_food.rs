//! The fast-food clients' dialect: OAuth's form at `/token`, customers by
//! number, CPF or no name at all.

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kit::{
    Caller, Dialect, FORBIDDEN, Form, Json, Page, Problem, Query, Role, Spellings, setting,
    speaking,
};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Cpf, Email, Login, Malformed, NewAccount, Text};
use crate::client::{AdminInPerson, Client};
use crate::entering::{self, Attempt};
use crate::error::Error;
use crate::issue::{Patience, SignedIn};
use crate::password::Password;
use crate::routes::personal;
use crate::store::{self, Whom};
use crate::tries;

pub fn router() -> Router {
    let table = Router::new()
        .route("/token", post(issue_token))
        .route("/auth", get(check_token))
        .spelled(["/customer", "/customers"], get(list_customers))
        .spelled(["/customer/admin", "/customers/admin"], post(create_admin))
        .spelled(
            ["/customer/identify", "/customers/identify"],
            post(identify_customer),
        )
        .spelled(
            ["/customer/register", "/customers/register"],
            post(register_customer),
        )
        .spelled(
            ["/customer/anonymous", "/customers/anonymous"],
            post(register_anonymous),
        )
        .route("/health", get(show_health));
    speaking(Dialect::FastFood, table)
}

/// OAuth's token endpoint. Without a grant type it is the password's.
#[derive(Deserialize)]
struct TokenRequest {
    grant_type: Option<String>,
    username: Option<String>,
    password: Option<String>,
    /// Of the second factor.
    code: Option<String>,
    refresh_token: Option<String>,
    subject_token: Option<String>,
}

#[derive(Serialize)]
struct Tokens {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    customer_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

impl From<SignedIn> for Tokens {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.token,
            token_type: "bearer",
            expires_in: signed_in.expires_in_s,
            customer_id: signed_in.account.number,
            refresh_token: signed_in.refresh_token,
            issued_token_type: None,
        }
    }
}

const UNCACHED: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

async fn issue_token(
    client: Client,
    Form(asked): Form<TokenRequest>,
) -> Result<impl IntoResponse, Problem> {
    let tokens = match asked.grant_type.as_deref() {
        None | Some("" | "password") => by_password(&asked, &client).await?.into(),
        Some("refresh_token") => {
            let token = given(asked.refresh_token.as_deref(), "refresh_token")?;
            entering::refresh(token, &client)
                .await
                .map_err(ungranted)?
                .into()
        }
        Some("urn:ietf:params:oauth:grant-type:token-exchange") => {
            let token = given(asked.subject_token.as_deref(), "subject_token")?;
            let entered = personal::exchange(token, &client)
                .await
                .map_err(ungranted)?;
            Tokens {
                issued_token_type: Some("urn:ietf:params:oauth:token-type:access_token"),
                ..entered.into()
            }
        }
        Some(_) => return Err(BAD_GRANT.detail("unsupported grant_type")),
    };
    Ok((UNCACHED, Json(tokens)))
}

async fn by_password(asked: &TokenRequest, client: &Client) -> Result<SignedIn, Problem> {
    let attempt = Attempt {
        name: given(asked.username.as_deref(), "username")?,
        password: given(asked.password.as_deref(), "password")?,
        code: asked.code.as_deref(),
    };
    entering::sign_in(attempt, Patience::Refreshes, client)
        .await
        .map_err(ungranted)
}

fn given<'a>(value: Option<&'a str>, field: &'static str) -> Result<&'a str, Problem> {
    value.ok_or(crate::error::invalid(field, "missing field"))
}

const BAD_GRANT: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "invalid-grant",
    "Incorrect username or password",
);

/// At this address a refusal is a 400, as OAuth has it.
fn ungranted(error: Error) -> Problem {
    match error {
        Error::UnknownName | Error::WrongPassword => BAD_GRANT,
        Error::CodeRequired
        | Error::WrongCode
        | Error::SessionOver
        | Error::BadRefreshToken(_)
        | Error::BadForeignToken => BAD_GRANT.detail(error.to_string()),
        other => other.into(),
    }
}

/// These clients know people by number.
#[derive(Serialize)]
struct Customer {
    id: i64,
    name: Option<String>,
    email: Option<String>,
    cpf: Option<String>,
}

impl From<Account> for Customer {
    fn from(account: Account) -> Self {
        Self {
            id: account.number,
            name: match account.roles.has(Role::Anonymous) {
                true => Some("Anonymous".to_owned()),
                false => account.name.or(Some(account.login)),
            },
            email: account.email,
            cpf: account.cpf,
        }
    }
}

async fn check_token(caller: Caller) -> Result<Json<Customer>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::me(&db, caller.session).await?.into()))
}

#[derive(Deserialize)]
struct Wanted {
    customer_id: Option<i64>,
}

async fn list_customers(
    caller: Caller,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let db = store::open().await?;
    let mut found = store::list_customers(&db, &caller, wanted.customer_id, page).await?;
    if wanted.customer_id.is_some() {
        let one = found.pop().ok_or(Error::UnknownAccount)?;
        return Ok(Json(Customer::from(one)).into_response());
    }
    let customers: Vec<Customer> = found.into_iter().map(Customer::from).collect();
    Ok(Json(customers).into_response())
}

#[derive(Deserialize)]
struct Identification {
    cpf: Cpf,
}

/// Somebody who has a name themselves.
struct Named(Caller);

impl<S: Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        match caller.is(Role::Anonymous) {
            true => Err(FORBIDDEN),
            false => Ok(Self(caller)),
        }
    }
}

/// Whoever runs the kiosk asks for whoever stands before it. So that nobody reads the whole
/// register number by number, misses are counted.
async fn identify_customer(
    Named(caller): Named,
    Json(asked): Json<Identification>,
) -> Result<Json<Customer>, Problem> {
    let db = store::open().await?;
    let gates = tries::lookup(&caller.id.to_string());
    tries::take(&db, &gates).await?;
    let whom = Whom {
        cpf: Some(asked.cpf.as_str()),
        ..Whom::default()
    };
    let found = store::find(&db, caller.session, whom).await;
    if !matches!(found, Err(Error::UnknownAccount)) {
        tries::give_back(&db, &gates).await?;
    }
    Ok(Json(found?.into()))
}

#[derive(Deserialize)]
struct NewCustomer {
    name: Option<Text>,
    email: Email,
    cpf: Option<Cpf>,
    password: Password,
}

async fn register_customer(
    caller: Caller,
    client: Client,
    Json(asked): Json<NewCustomer>,
) -> Result<Json<Customer>, Problem> {
    let new = NewAdmin {
        name: asked.name,
        email: Some(asked.email),
        cpf: asked.cpf,
        password: Some(asked.password),
    };
    create(Role::Customer, caller, client, new).await
}

/// Without an e-mail or a password nobody signs in as them yet.
#[derive(Deserialize)]
struct NewAdmin {
    name: Option<Text>,
    email: Option<Email>,
    cpf: Option<Cpf>,
    password: Option<Password>,
}

/// Of all that these clients may do, this takes an admin.
async fn create_admin(
    AdminInPerson(caller): AdminInPerson,
    client: Client,
    Json(asked): Json<NewAdmin>,
) -> Result<Json<Customer>, Problem> {
    create(Role::Admin, caller, client, asked).await
}

async fn create(
    role: Role,
    caller: Caller,
    client: Client,
    asked: NewAdmin,
) -> Result<Json<Customer>, Problem> {
    if let Some(cpf) = &asked.cpf
        && setting("cpf_check").await? == "strict"
        && !cpf.checks()
    {
        let why = Malformed("its check digits do not fit");
        return Err(Error::Malformed("cpf", why).into());
    }
    let new = NewAccount {
        name: asked.name,
        cpf: asked.cpf,
        created_by: Some(caller.id),
        ..match asked.email {
            Some(email) => NewAccount::new(Login::from(&email), Some(email), role),
            None => NewAccount::nameless(role),
        }
    };
    let account = registered(&caller, new, asked.password.as_ref(), &client).await?;
    Ok(Json(account.into()))
}

async fn register_anonymous(caller: Caller, client: Client) -> Result<Json<Customer>, Problem> {
    let new = NewAccount {
        created_by: Some(caller.id),
        ..NewAccount::nameless(Role::Anonymous)
    };
    Ok(Json(registered(&caller, new, None, &client).await?.into()))
}

/// By somebody who is still signed in. Whatever of it is taken, these clients know one refusal.
async fn registered(
    caller: &Caller,
    new: NewAccount,
    password: Option<&Password>,
    client: &Client,
) -> Result<Account, Problem> {
    let db = store::open().await?;
    store::me(&db, caller.session).await?;
    drop(db);
    entering::register(new, password, client)
        .await
        .map_err(|it| match it {
            Error::LoginTaken | Error::EmailTaken => Problem::new(
                StatusCode::BAD_REQUEST,
                "email-taken",
                "Email already registered",
            ),
            Error::CpfTaken => Problem::new(
                StatusCode::BAD_REQUEST,
                "cpf-taken",
                "CPF already registered",
            ),
            other => other.into(),
        })
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

async fn show_health() -> Json<Health> {
    Json(Health {
        status: "Operational",
    })
}
