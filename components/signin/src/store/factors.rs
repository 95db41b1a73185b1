//! The second factor of an account.

use kit::store::{Db, FromRow, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::acting;
use crate::account::Credentials;
use crate::client::Actor;
use crate::error::Error;
use crate::factor::Code;

/// The caller's credentials.
#[derive(Debug, FromRow)]
pub struct Proofs {
    #[row(flatten)]
    pub credentials: Credentials,
    /// An enrolment of which no code was seen yet.
    pub totp_offered: Option<Uuid>,
}

pub async fn find_proofs(db: &Db, actor: &Actor) -> Result<Proofs, Error> {
    let params = params![actor.caller.session, actor.client.network()];
    Ok(db.one(sql!("find_proofs"), params).await?)
}

/// Uses a code up; false when it was used before.
pub async fn spend_code(db: &Db, credentials: &Credentials, code: Code) -> Result<bool, Error> {
    let (step, bit) = match code {
        Code::Step(step) => (Some(step), 0),
        Code::Backup(bit) => (None, bit),
    };
    let params = params![
        credentials.account.id,
        credentials.security_stamp,
        step,
        bit,
        credentials.backup_batch
    ];
    Ok(db.run(sql!("spend_code"), params).await? == 1)
}

pub async fn offer_totp(db: &Db, session: Uuid, enrolment: Uuid) -> Result<(), Error> {
    let params = params![session, enrolment];
    match db.run(sql!("offer_totp"), params).await? {
        0 => Err(Error::FactorExists),
        _ => Ok(()),
    }
}

pub async fn confirm_totp(db: &Db, actor: &Actor, enrolment: Uuid, step: i64) -> Result<(), Error> {
    let params = acting(actor, params![enrolment, step]);
    let confirmed: Option<Only<Uuid>> = db.optional(sql!("confirm_totp"), params).await?;
    confirmed.map(drop).ok_or(Error::NoFactor)
}

pub async fn remove_totp(db: &Db, actor: &Actor, enrolment: Uuid) -> Result<(), Error> {
    let params = acting(actor, params![enrolment]);
    let removed: Option<Only<Uuid>> = db.optional(sql!("remove_totp"), params).await?;
    removed.map(drop).ok_or(Error::NoFactor)
}

/// Replaces the backup codes; answers which batch is valid now.
pub async fn renew_backup_codes(db: &Db, actor: &Actor, enrolment: Uuid) -> Result<i32, Error> {
    let params = acting(actor, params![enrolment]);
    let batch: Option<Only<i32>> = db.optional(sql!("renew_backup_codes"), params).await?;
    batch.map(|it| it.0).ok_or(Error::NoFactor)
}

/// Removes the second factor of another account, as an admin.
pub async fn revoke_totp(db: &Db, actor: &Actor, account: Uuid) -> Result<(), Error> {
    let params = acting(actor, params![account]);
    let revoked: Option<Only<Uuid>> = db.optional(sql!("revoke_totp"), params).await?;
    revoked.map(drop).ok_or(Error::UnknownAccount)
}
