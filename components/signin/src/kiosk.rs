//! Passcodes that are shown at a kiosk. They can be guessed, so wrong ones are counted.

use crate::account::Account;
use crate::client::Client;
use crate::error::Error;
use crate::store::{self, audit, passcodes};
use crate::{limit, throttle};

/// What happens to a passcode that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It stays valid.
    Show,
    /// It is used up.
    Redeem,
}

/// The account of a passcode.
pub async fn find_owner(code: &str, usage: Use, client: &Client) -> Result<Option<Account>, Error> {
    let db = store::open().await?;
    let limits = limit::passcodes(client);
    throttle::count(&db, &limits).await?;
    let owner = match usage {
        Use::Show => passcodes::find_passcode_owner(&db, code, client).await?,
        Use::Redeem => passcodes::redeem_passcode(&db, code, client).await?,
    };
    match owner {
        Some(_) => throttle::forgive(&db, &limits).await?,
        None => audit::record_refusal(&db, None, &Error::WrongPasscode, client).await?,
    }
    Ok(owner)
}
