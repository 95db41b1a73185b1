//! What an admin does with people, and what people may know of themselves: the
//! audit trail, everything that is kept, and being forgotten.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use jiff::Timestamp;
use kit::{
    Caller, Dialect, FORBIDDEN, Json, Page, Path, Problem, Query, Role, Roles, Spellings, event,
    speaking,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::account::Account;
use crate::client::{AdminInPerson, Client, Person};
use crate::entering;
use crate::store::{self, Change, RoleChange};

pub fn router() -> Router {
    let table = Router::new()
        .spelled(["/auth/me", "/api/auth/me"], delete(erase_me))
        .spelled(["/auth/export", "/api/auth/export"], get(export))
        .spelled(["/auth/audit", "/api/auth/audit"], get(show_my_audit))
        .spelled(
            ["/auth/users/{id}/audit", "/api/auth/users/{id}/audit"],
            get(show_audit),
        )
        .spelled(
            ["/auth/users/{id}/roles", "/api/auth/users/{id}/roles"],
            put(set_roles),
        )
        .spelled(
            ["/auth/users/{id}/disable", "/api/auth/users/{id}/disable"],
            post(disable),
        )
        .spelled(
            ["/auth/users/{id}/enable", "/api/auth/users/{id}/enable"],
            post(enable),
        )
        .spelled(
            ["/auth/users/{id}/totp", "/api/auth/users/{id}/totp"],
            delete(take_second_factor_off),
        );
    speaking(Dialect::Plain, table)
}

#[derive(Serialize)]
struct User {
    id: Uuid,
    login: String,
    email: Option<String>,
    roles: Roles,
    is_disabled: bool,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            login: account.login,
            email: account.email,
            roles: account.roles,
            is_disabled: account.is_disabled,
        }
    }
}

#[derive(Deserialize)]
struct NewRoles {
    roles: Vec<Role>,
}

/// Nobody changes their own: the last admin would lock everybody out.
async fn set_roles(
    AdminInPerson(caller): AdminInPerson,
    Path(id): Path<Uuid>,
    client: Client,
    Json(new): Json<NewRoles>,
) -> Result<Json<User>, Problem> {
    if id == caller.id {
        return Err(FORBIDDEN);
    }
    let roles: Roles = new.roles.into_iter().collect();
    let change = Change {
        roles: Some(RoleChange::exactly(roles)),
        ..Change::default()
    };
    let db = store::open().await?;
    let (account, ended) = store::update(&db, &caller, id, change, &client).await?;
    entering::tell_ended(ended).await?;
    Ok(Json(account.into()))
}

async fn disable(
    admin: AdminInPerson,
    path: Path<Uuid>,
    client: Client,
) -> Result<Json<User>, Problem> {
    set_disabled(admin, path, client, true).await
}

async fn enable(
    admin: AdminInPerson,
    path: Path<Uuid>,
    client: Client,
) -> Result<Json<User>, Problem> {
    set_disabled(admin, path, client, false).await
}

async fn set_disabled(
    AdminInPerson(caller): AdminInPerson,
    Path(id): Path<Uuid>,
    client: Client,
    is_disabled: bool,
) -> Result<Json<User>, Problem> {
    if id == caller.id {
        return Err(FORBIDDEN);
    }
    let db = store::open().await?;
    let (account, ended) =
        store::set_disabled(&db, caller.session, id, is_disabled, &client).await?;
    entering::tell_ended(ended).await?;
    Ok(Json(account.into()))
}

/// For who lost the app and the backup codes. An admin who lost theirs asks another one: whoever
/// holds a stolen session has no code either.
async fn take_second_factor_off(
    AdminInPerson(caller): AdminInPerson,
    Path(id): Path<Uuid>,
    client: Client,
) -> Result<StatusCode, Problem> {
    if id == caller.id {
        return Err(FORBIDDEN);
    }
    let db = store::open().await?;
    store::take_totp_off(&db, caller.session, id, &client).await?;
    event::wake();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Before {
    /// The id of the last row that was read.
    before: Option<i64>,
}

#[derive(Serialize)]
struct Event {
    id: i64,
    at: Timestamp,
    what: String,
    session: Option<Uuid>,
    actor: Option<Uuid>,
    address: String,
    request_id: String,
    detail: Option<String>,
}

async fn show_my_audit(
    Person(caller): Person,
    before: Query<Before>,
    page: Query<Page>,
) -> Result<Json<Vec<Event>>, Problem> {
    let me = caller.id;
    audit(caller, me, before, page).await
}

async fn show_audit(
    AdminInPerson(caller): AdminInPerson,
    Path(id): Path<Uuid>,
    before: Query<Before>,
    page: Query<Page>,
) -> Result<Json<Vec<Event>>, Problem> {
    audit(caller, id, before, page).await
}

async fn audit(
    caller: Caller,
    whom: Uuid,
    Query(before): Query<Before>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Event>>, Problem> {
    let db = store::open().await?;
    let events = store::audit(&db, caller.session, whom, before.before, page).await?;
    let shown = |it: store::Event| Event {
        id: it.id,
        at: it.at,
        what: it.what,
        session: it.session,
        actor: it.actor,
        address: it.address,
        request_id: it.request_id,
        detail: it.detail,
    };
    Ok(Json(events.into_iter().map(shown).collect()))
}

async fn export(Person(caller): Person, client: Client) -> Result<Json<Value>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::export(&db, caller.session, &client).await?))
}

async fn erase_me(Person(caller): Person, client: Client) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let ended = store::erase(&db, &caller, caller.id, &client).await?;
    entering::tell_ended(ended).await?;
    event::wake();
    Ok(StatusCode::NO_CONTENT)
}
