//! The fast-food clients' dialect: OAuth's form at `/token`, customers by number, by CPF or without a name.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kit::identity::{Caller, FORBIDDEN, Role};
use kit::setting;
use kit::web::{Dialect, Input, Json, Operation, Page, Problem, Query, Routes, Schema, Security};
use serde::{Deserialize, Serialize};

use crate::account::{Account, NewAccount};
use crate::authentication;
use crate::client::Actor;
use crate::error::Error;
use crate::identity::UnscopedAdmin;
use crate::name::{Cpf, Email, Login, Text};
use crate::password::Password;
use crate::routes::token;
use crate::store::{self, accounts};
use crate::{limit, throttle};

pub fn routes() -> Routes {
    let tokens = Routes::new("Signing in", Dialect::OAuth)
        .post("/token", token::issue_token, |it| {
            it.summary("Get a token (OAuth 2.0)")
                .note("Grant types: `password` (the default), `refresh_token`, and `urn:ietf:params:oauth:grant-type:token-exchange` for a personal access token or a token of another issuer as `subject_token`.")
                .note("Refusals are those of RFC 6749.")
                .refuses([
                    Error::BAD_GRANT,
                    Error::UNSUPPORTED_GRANT,
                    Error::INVALID_FIELD,
                    Error::LAST_ADMIN,
                    Error::TOO_MANY_TRIES,
                    Error::BUSY,
                ])
        })
        .no_store();
    let customers = Routes::new("Users", Dialect::FastFood)
        .get("/auth", show_caller, |it| {
            it.summary("Show the caller as a customer").instead("GET /auth/me")
        })
        .about("Customers")
        .get(["/customers", "/customer"], list_customers, |it| {
            it.summary("List customers")
                .note("Admins see all, other callers themselves and those whom they registered. With `customer_id` the answer is that one customer.")
                .refuses([Error::UNKNOWN_ACCOUNT])
        })
        .post(["/customers/admin", "/customer/admin"], create_admin, |it| {
            it.summary("Create an admin").refuses(creating())
        })
        .post(
            ["/customers/identify", "/customer/identify"],
            identify_customer,
            |it| {
                it.summary("Find a customer by CPF")
                    .note("The account that registered the customer, and admins, see personal data; other callers the id and the first letters of the name. 60 within five minutes, found or not; customers of the caller's own do not count.")
                    .refuses([Error::UNKNOWN_ACCOUNT, Error::TOO_MANY_TRIES])
            },
        )
        .post(
            ["/customers/register", "/customer/register"],
            register_customer,
            |it| it.summary("Register a customer").refuses(creating()),
        )
        .post(
            ["/customers/anonymous", "/customer/anonymous"],
            register_anonymous,
            |it| {
                it.summary("Register a customer without a name")
                    .refuses([Error::TOO_MANY_TRIES])
            },
        )
        .about("Operation")
        .get("/health", show_health, |it| it.summary("Check the liveness of sign-in"));
    Routes::of([tokens, customers])
}

fn creating() -> [Problem; 6] {
    [
        Error::EMAIL_REGISTERED,
        Error::CPF_REGISTERED,
        Error::PASSWORD_IS_NAME,
        Error::INVALID_FIELD,
        Error::TOO_MANY_TRIES,
        Error::BUSY,
    ]
}

/// A user by number.
#[derive(Serialize, Schema)]
struct Customer {
    id: i64,
    /// `Anonymous` for a customer without a name; the login when no name is known.
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

impl Customer {
    /// For callers who may not see personal data: enough for a person to recognize themselves.
    fn masked(account: Account) -> Self {
        let shown = Self::from(account);
        Self {
            id: shown.id,
            name: shown.name.as_deref().map(mask),
            email: None,
            cpf: None,
        }
    }
}

/// The first letter of every word: `Ana Maria` is `A*** M***`.
fn mask(name: &str) -> String {
    let words = name.split_whitespace();
    let first = words.filter_map(|it| it.chars().next());
    let masked: Vec<String> = first.map(|it| format!("{it}***")).collect();
    masked.join(" ")
}

async fn show_caller(caller: Caller) -> Result<Json<Customer>, Problem> {
    let db = store::open().await?;
    let account = accounts::find_caller(&db, caller.session).await?;
    Ok(Json(account.into()))
}

#[derive(Deserialize, Schema)]
struct WantedCustomer {
    customer_id: Option<i64>,
}

/// One customer when one was asked for.
#[derive(Serialize, Schema)]
#[serde(untagged)]
enum FoundCustomers {
    One(Customer),
    Several(Vec<Customer>),
}

async fn list_customers(
    caller: Caller,
    Query(wanted): Query<WantedCustomer>,
    Query(page): Query<Page>,
) -> Result<Json<FoundCustomers>, Problem> {
    let db = store::open().await?;
    let mut found = accounts::list_customers(&db, &caller, wanted.customer_id, page).await?;
    Ok(Json(if wanted.customer_id.is_some() {
        let one = found.pop().ok_or(Error::UnknownAccount)?;
        FoundCustomers::One(one.into())
    } else {
        FoundCustomers::Several(found.into_iter().map(Customer::from).collect())
    }))
}

#[derive(Deserialize, Schema)]
struct Identification {
    cpf: Cpf,
}

/// A caller who has a name.
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

impl Input for Named {
    fn describe(operation: &mut Operation) {
        <Caller as Input>::describe(operation);
        let named = Role::ALL.into_iter().filter(|it| *it != Role::Anonymous);
        operation.add_security(Security::Roles(named.map(Role::name).collect()));
    }
}

/// The kiosk asks for the customer who stands before it.
async fn identify_customer(
    Named(caller): Named,
    Json(body): Json<Identification>,
) -> Result<Json<Customer>, Problem> {
    let db = store::open().await?;
    let limits = limit::look_ups(&caller.id.to_string());
    throttle::count(&db, &limits).await?;
    let found = accounts::identify_customer(&db, &caller, &body.cpf).await?;
    if !found.is_shown {
        return Ok(Json(Customer::masked(found.account)));
    }
    throttle::forgive(&db, &limits).await?;
    Ok(Json(found.account.into()))
}

#[derive(Deserialize, Schema)]
struct NewCustomer {
    name: Option<Text>,
    email: Email,
    cpf: Option<Cpf>,
    password: Password,
}

async fn register_customer(
    actor: Actor,
    Json(body): Json<NewCustomer>,
) -> Result<Json<Customer>, Problem> {
    let new = NewAdmin {
        name: body.name,
        email: Some(body.email),
        cpf: body.cpf,
        password: Some(body.password),
    };
    create(Role::Customer, &actor, new).await
}

/// Without an e-mail or a password the account cannot sign in yet.
#[derive(Deserialize, Schema)]
struct NewAdmin {
    name: Option<Text>,
    email: Option<Email>,
    cpf: Option<Cpf>,
    password: Option<Password>,
}

async fn create_admin(
    UnscopedAdmin(actor): UnscopedAdmin,
    Json(body): Json<NewAdmin>,
) -> Result<Json<Customer>, Problem> {
    create(Role::Admin, &actor, body).await
}

async fn create(role: Role, actor: &Actor, body: NewAdmin) -> Result<Json<Customer>, Problem> {
    if let Some(cpf) = &body.cpf
        && setting("cpf_check").await? == "strict"
        && !cpf.has_valid_check_digits()
    {
        return Err(Error::invalid("cpf", "its check digits do not fit").into());
    }
    let new = NewAccount {
        name: body.name,
        cpf: body.cpf,
        created_by: Some(actor.caller.id),
        ..match body.email {
            Some(email) => NewAccount::new(Login::from(&email), Some(email), role),
            None => NewAccount::nameless(role),
        }
    };
    let account = register(actor, new, body.password.as_ref()).await?;
    Ok(Json(account.into()))
}

async fn register_anonymous(actor: Actor) -> Result<Json<Customer>, Problem> {
    let new = NewAccount {
        created_by: Some(actor.caller.id),
        ..NewAccount::nameless(Role::Anonymous)
    };
    Ok(Json(register(&actor, new, None).await?.into()))
}

/// Registers for a caller whose session is not over.
async fn register(
    actor: &Actor,
    new: NewAccount,
    password: Option<&Password>,
) -> Result<Account, Error> {
    let db = store::open().await?;
    accounts::find_caller(&db, actor.caller.session).await?;
    drop(db);
    authentication::register(new, password, &actor.client)
        .await
        .map_err(|it| match it {
            Error::LoginTaken | Error::EmailTaken => Error::EmailRegistered,
            Error::CpfTaken => Error::CpfRegistered,
            other => other,
        })
}

#[derive(Serialize, Schema)]
struct Health {
    #[schemars(example = &"Operational")]
    status: &'static str,
}

async fn show_health() -> Json<Health> {
    Json(Health {
        status: "Operational",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_name_has_the_first_letter_of_every_word() {
        assert_eq!(mask("Ana Maria  Souza"), "A*** M*** S***");
        assert_eq!(mask("Érica"), "É***");
        assert_eq!(mask(""), "");
    }
}
