//! What notify asks of signin, over WIT.

use uuid::Uuid;

use crate::bindings::wharf::signin::accounts::{self, Key};
use crate::error::Error;
use crate::plan::Contact;

/// The addresses of a person; absent when the person was erased or never existed.
pub async fn find_contact(user: Uuid) -> Result<Option<Contact>, Error> {
    let found = accounts::find(Key::Id(user.to_string())).await;
    let account = found.map_err(|_| Error::Unavailable("signin"))?;
    Ok(account.map(|it| Contact {
        email: it.email,
        is_email_verified: it.email_verified,
        telegram_id: it.telegram_id.and_then(|id| id.try_into().ok()),
    }))
}
