//! Other issuers: which of their users has which account here.

use kit::store::Db;
use kit::{params, sql};
use uuid::Uuid;

use super::{Changed, opening};
use crate::account::{Account, Credentials, ForeignIdentity, RoleChange};
use crate::client::Client;
use crate::error::Error;
use crate::name::Email;
use crate::session::Start;

/// The account of a user of another issuer, unless it is disabled.
pub async fn find_foreign_account(
    db: &Db,
    identity: &ForeignIdentity,
) -> Result<Option<Credentials>, Error> {
    let params = params![&identity.issuer, &identity.subject];
    Ok(db.optional(sql!("find_foreign_account"), params).await?)
}

/// Opens a session for a user of another issuer, with the roles that they hold there. Answers the sessions that
/// this ended, or nothing when the account changed since it was found.
pub async fn open_foreign_session(
    db: &Db,
    issuer: &str,
    found: &Credentials,
    roles: RoleChange,
    start: &Start,
    client: &Client,
) -> Result<Option<(Account, Vec<Uuid>)>, Error> {
    let user = params![
        issuer,
        found.account.id,
        found.security_stamp,
        roles.add,
        roles.drop
    ];
    let params = opening(Some(start), client, user);
    let opened: Option<Changed> = db.optional(sql!("open_foreign_session"), params).await?;
    Ok(opened.map(Into::into))
}

/// Links a user of another issuer to the account that verified the same mailbox; false when there is none.
pub async fn link_foreign_by_email(
    db: &Db,
    identity: &ForeignIdentity,
    email: &Email,
) -> Result<bool, Error> {
    let params = params![&identity.issuer, &identity.subject, email];
    Ok(db.run(sql!("link_foreign_by_email"), params).await? == 1)
}
