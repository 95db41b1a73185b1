//! Six digits that stand for a zone's staff at a kiosk. They are few, so wrong
//! ones are counted.

use kit::Db;

use crate::account::Account;
use crate::client::Client;
use crate::error::Error;
use crate::{store, tries};

/// As long as it takes to walk to the kiosk and set it up.
pub const SECONDS: i64 = 15 * 60;

/// Whose code it is.
pub async fn owner(code: &str, client: &Client) -> Result<Option<Account>, Error> {
    let db = store::open().await?;
    let gates = tries::passcode(client);
    tries::take(&db, &gates).await?;
    let owner = store::passcode_owner(&db, code, client).await?;
    counted(&db, owner, &gates, client).await
}

/// The same for the last time: the code is used up.
pub async fn redeem(code: &str, client: &Client) -> Result<Option<Account>, Error> {
    let db = store::open().await?;
    let gates = tries::passcode(client);
    tries::take(&db, &gates).await?;
    let owner = store::redeem_passcode(&db, code, client).await?;
    counted(&db, owner, &gates, client).await
}

async fn counted(
    db: &Db,
    owner: Option<Account>,
    gates: &[tries::Gate],
    client: &Client,
) -> Result<Option<Account>, Error> {
    match owner {
        Some(_) => tries::give_back(db, gates).await?,
        None => store::refused(db, None, &Error::WrongPasscode, client).await?,
    }
    Ok(owner)
}
