//! Letters that reset a password or verify a mailbox.

use kit::store::{Db, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::{Ids, acting};
use crate::account::Account;
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::letter::{Letter, Purpose};

/// Sends a letter to a mailbox, if it is an account's.
pub async fn send_reset(
    db: &Db,
    email: &str,
    letter: Letter,
    client: &Client,
) -> Result<(), Error> {
    let params = params![
        email,
        letter.digest,
        letter.secret,
        letter.seconds,
        &client.address,
        client.request_id.as_str(),
    ];
    let _: Option<()> = db.optional(sql!("send_reset"), params).await?;
    Ok(())
}

/// The account of a letter; the letter stays valid.
pub async fn find_letter_owner(
    db: &Db,
    digest: Vec<u8>,
    purpose: Purpose,
) -> Result<Account, Error> {
    db.optional(sql!("find_letter_owner"), params![digest, purpose])
        .await?
        .ok_or(Error::BadSecret)
}

/// Uses a letter up to set a new password. Answers the sessions that ended.
pub async fn reset_password(
    db: &Db,
    digest: Vec<u8>,
    password_hash: &str,
    client: &Client,
) -> Result<Vec<Uuid>, Error> {
    let request = client.request_id.as_str();
    let params = params![digest, password_hash, &client.address, request];
    let ended: Option<Only<Ids>> = db.optional(sql!("reset_password"), params).await?;
    ended.map(|it| it.0.0).ok_or(Error::BadSecret)
}

/// The caller's address that is still to be proven.
pub async fn find_unproven_email(db: &Db, session: Uuid) -> Result<Option<String>, Error> {
    let Only(email) = db
        .one(sql!("find_unproven_email"), params![session])
        .await?;
    Ok(email)
}

/// Sends a letter to the caller's mailbox; false when there is none, or it is verified.
pub async fn send_verification(db: &Db, actor: &Actor, letter: Letter) -> Result<bool, Error> {
    let params = acting(actor, params![letter.digest, letter.secret, letter.seconds]);
    let sent: Option<Only<Uuid>> = db.optional(sql!("send_verification"), params).await?;
    Ok(sent.is_some())
}

/// Uses a letter up: its mailbox is verified.
pub async fn verify_email(db: &Db, digest: Vec<u8>, client: &Client) -> Result<(), Error> {
    let params = params![digest, &client.address, client.request_id.as_str()];
    let verified: Option<Only<Uuid>> = db.optional(sql!("verify_email"), params).await?;
    verified.map(drop).ok_or(Error::BadSecret)
}
