//! Six digits that stand for a zone's staff at a kiosk. They are few, so wrong
//! ones are counted.

use crate::account::Account;
use crate::error::Error;
use crate::{store, tries};

/// As long as it takes to walk to the kiosk and set it up.
pub const SECONDS: i64 = 15 * 60;

/// Whose code it is, asked for from that address.
pub async fn owner(code: &str, address: &str) -> Result<Option<Account>, Error> {
    let db = store::open().await?;
    let gates = tries::passcode(address);
    tries::pass(&db, &gates).await?;
    let owner = store::passcode_owner(&db, code).await?;
    if owner.is_none() {
        tries::count(&db, &gates).await?;
    }
    Ok(owner)
}

/// The same for the last time: the code is used up.
pub async fn redeem(code: &str, address: &str) -> Result<Option<Account>, Error> {
    let db = store::open().await?;
    let gates = tries::passcode(address);
    tries::pass(&db, &gates).await?;
    let owner = store::redeem_passcode(&db, code).await?;
    if owner.is_none() {
        tries::count(&db, &gates).await?;
    }
    Ok(owner)
}
