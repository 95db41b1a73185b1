//! Passcodes for kiosks.

use jiff::Timestamp;
use kit::store::{Db, Only};
use kit::{params, sql};

use super::acting;
use crate::account::Account;
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::passcode;

/// Answers when the code expires; `None` when another account holds the same digits.
pub async fn issue_passcode(
    db: &Db,
    actor: &Actor,
    code: &str,
) -> Result<Option<Timestamp>, Error> {
    let params = acting(actor, params![code, passcode::SECONDS]);
    let issued: Option<Only<Timestamp>> = db.optional(sql!("issue_passcode"), params).await?;
    Ok(issued.map(|it| it.0))
}

pub async fn find_passcode_owner(
    db: &Db,
    code: &str,
    client: &Client,
) -> Result<Option<Account>, Error> {
    let params = params![code, &client.address, client.request_id.as_str()];
    Ok(db.optional(sql!("find_passcode_owner"), params).await?)
}

/// The same, and uses the code up.
pub async fn redeem_passcode(
    db: &Db,
    code: &str,
    client: &Client,
) -> Result<Option<Account>, Error> {
    let params = params![code, &client.address, client.request_id.as_str()];
    Ok(db.optional(sql!("redeem_passcode"), params).await?)
}
