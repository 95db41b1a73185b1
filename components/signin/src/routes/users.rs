//! What admins do with users, and what users may know of themselves: the audit trail, everything that is kept,
//! and erasure.

use jiff::Timestamp;
use kit::identity::{FORBIDDEN, Role, Roles};
use kit::store::event;
use kit::web::{Dialect, Json, NoContent, Page, Path, Problem, Query, Routes, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{Account, AuditEvent, Change, Export, Known, RoleChange};
use crate::client::Actor;
use crate::error::Error;
use crate::identity::{Proven, ProvenToday, Unscoped, UnscopedAdmin};
use crate::revocation::mark_revoked;
use crate::store::{self, accounts, audit, factors, sessions};

pub fn routes() -> Routes {
    Routes::new("Users", Dialect::Plain)
        .delete(["/auth/me", "/api/auth/me"], erase_caller, |it| {
            it.summary("Erase the caller")
                .note("The account and what other functions keep of the person. It cannot be undone.")
                .refuses([Error::UNKNOWN_ACCOUNT, Error::LAST_ADMIN])
        })
        .get(["/auth/export", "/api/auth/export"], export_account, |it| {
            it.summary("Export the caller's data")
                .note("Account, sessions, identities at other issuers and the audit trail, which has pages: `before` takes the id of the last line.")
        })
        .get(["/auth/audit", "/api/auth/audit"], list_own_audit, |it| {
            it.summary("List the account's audit trail").note(PAGES)
        })
        .about("Administration")
        .get(
            ["/auth/users/{id}", "/api/auth/users/{id}"],
            show_user,
            |it| it.summary("Show a user").refuses([Error::UNKNOWN_ACCOUNT]),
        )
        .get(
            ["/auth/users/{id}/audit", "/api/auth/users/{id}/audit"],
            list_audit,
            |it| it.summary("List a user's audit trail").note(PAGES),
        )
        .put(
            ["/auth/users/{id}/roles", "/api/auth/users/{id}/roles"],
            set_roles,
            |it| {
                it.summary("Set a user's roles")
                    .note("Exactly these. Sessions of the user end. Admins cannot change their own.")
                    .refuses([Error::UNKNOWN_ACCOUNT, Error::LAST_ADMIN])
            },
        )
        .post(
            ["/auth/users/{id}/disable", "/api/auth/users/{id}/disable"],
            disable,
            |it| {
                it.summary("Disable a user")
                    .note("Sessions of the user end, and signing in is refused.")
                    .refuses([Error::UNKNOWN_ACCOUNT, Error::LAST_ADMIN])
            },
        )
        .post(
            ["/auth/users/{id}/enable", "/api/auth/users/{id}/enable"],
            enable,
            |it| it.summary("Enable a user again").refuses([Error::UNKNOWN_ACCOUNT]),
        )
        .delete(
            ["/auth/users/{id}/sessions", "/api/auth/users/{id}/sessions"],
            end_sessions,
            |it| {
                it.summary("End a user's sessions")
                    .note("All of them, and all personal access tokens.")
                    .refuses([Error::UNKNOWN_ACCOUNT])
            },
        )
        .delete(
            ["/auth/users/{id}/totp", "/api/auth/users/{id}/totp"],
            revoke_second_factor,
            |it| {
                it.summary("Remove a user's second factor")
                    .note("For a user who lost the app and the backup codes. The user gets a notice. Admins cannot remove their own factor: otherwise a stolen session could.")
                    .refuses([Error::UNKNOWN_ACCOUNT])
            },
        )
}

const PAGES: &str = "Newest first; `before` takes the id of the last line of the page before.";

#[derive(Serialize, Schema)]
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

#[derive(Serialize, Schema)]
struct ShownUser {
    #[serde(flatten)]
    user: User,
    is_email_verified: bool,
    has_second_factor: bool,
    telegram_id: Option<i64>,
    created_at: Timestamp,
    /// When the newest session began that is still kept.
    last_session_at: Option<Timestamp>,
}

impl From<Known> for ShownUser {
    fn from(known: Known) -> Self {
        let account = known.account;
        Self {
            is_email_verified: account.is_email_verified,
            has_second_factor: account.has_totp,
            telegram_id: account.telegram_id,
            user: account.into(),
            created_at: known.created_at,
            last_session_at: known.last_session_at,
        }
    }
}

#[derive(Deserialize, Schema)]
struct NewRoles {
    roles: Vec<Role>,
}

/// Refuses an admin who acts on their own account.
fn check_other(actor: &Actor, id: Uuid) -> Result<(), Problem> {
    match id == actor.caller.id {
        true => Err(FORBIDDEN),
        false => Ok(()),
    }
}

async fn show_user(
    UnscopedAdmin(actor): UnscopedAdmin,
    Path(id): Path<Uuid>,
) -> Result<Json<ShownUser>, Problem> {
    let db = store::open().await?;
    let known = accounts::find_user(&db, actor.caller.session, id).await?;
    Ok(Json(known.into()))
}

async fn set_roles(
    UnscopedAdmin(actor): UnscopedAdmin,
    Path(id): Path<Uuid>,
    Json(body): Json<NewRoles>,
) -> Result<Json<User>, Problem> {
    check_other(&actor, id)?;
    let change = Change {
        roles: Some(RoleChange::exactly(body.roles.into_iter().collect())),
        ..Change::default()
    };
    let db = store::open().await?;
    let (account, ended) = accounts::update_account(&db, &actor, id, change).await?;
    mark_revoked(&ended).await?;
    Ok(Json(account.into()))
}

async fn disable(
    UnscopedAdmin(actor): UnscopedAdmin,
    Path(id): Path<Uuid>,
) -> Result<Json<User>, Problem> {
    set_disabled(&actor, id, true).await
}

async fn enable(
    UnscopedAdmin(actor): UnscopedAdmin,
    Path(id): Path<Uuid>,
) -> Result<Json<User>, Problem> {
    set_disabled(&actor, id, false).await
}

async fn set_disabled(actor: &Actor, id: Uuid, is_disabled: bool) -> Result<Json<User>, Problem> {
    check_other(actor, id)?;
    let db = store::open().await?;
    let (account, ended) = accounts::set_disabled(&db, actor, id, is_disabled).await?;
    mark_revoked(&ended).await?;
    Ok(Json(account.into()))
}

async fn end_sessions(
    UnscopedAdmin(actor): UnscopedAdmin,
    Path(id): Path<Uuid>,
) -> Result<NoContent, Problem> {
    check_other(&actor, id)?;
    let db = store::open().await?;
    let ended = sessions::end_sessions_of(&db, &actor, id).await?;
    mark_revoked(&ended).await?;
    Ok(NoContent)
}

async fn revoke_second_factor(
    UnscopedAdmin(actor): UnscopedAdmin,
    Path(id): Path<Uuid>,
) -> Result<NoContent, Problem> {
    check_other(&actor, id)?;
    let db = store::open().await?;
    factors::revoke_totp(&db, &actor, id).await?;
    event::wake();
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
struct Before {
    /// The id of the last line of the page before.
    before: Option<i64>,
}

async fn list_own_audit(
    Unscoped(actor): Unscoped,
    Query(query): Query<Before>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<AuditEvent>>, Problem> {
    audit_of(&actor, actor.caller.id, query.before, page).await
}

async fn list_audit(
    UnscopedAdmin(actor): UnscopedAdmin,
    Path(id): Path<Uuid>,
    Query(query): Query<Before>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<AuditEvent>>, Problem> {
    audit_of(&actor, id, query.before, page).await
}

async fn audit_of(
    actor: &Actor,
    account: Uuid,
    before: Option<i64>,
    page: Page,
) -> Result<Json<Vec<AuditEvent>>, Problem> {
    let db = store::open().await?;
    let events = audit::list_audit(&db, actor.caller.session, account, before, page).await?;
    Ok(Json(events))
}

async fn export_account(
    Unscoped(actor): Unscoped,
    Query(query): Query<Before>,
) -> Result<Json<Export>, Problem> {
    let db = store::open().await?;
    let export = accounts::export_account(&db, &actor, query.before).await?;
    Ok(Json(export))
}

async fn erase_caller(Proven(actor): Proven) -> Result<NoContent, Problem> {
    erase(&actor, actor.caller.id).await
}

/// The same for clients that can only sign in again.
pub async fn erase_caller_today(ProvenToday(actor): ProvenToday) -> Result<NoContent, Problem> {
    erase(&actor, actor.caller.id).await
}

/// Erases an account that the caller may erase.
pub async fn erase(actor: &Actor, account: Uuid) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    let ended = accounts::erase_account(&db, actor, account).await?;
    mark_revoked(&ended).await?;
    event::wake();
    Ok(NoContent)
}
