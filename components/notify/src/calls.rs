//! What notify asks of signin, over WIT.

use std::collections::HashMap;

use uuid::Uuid;

use crate::bindings::wharf::signin::accounts::{self, Account, Key};
use crate::error::Error;
use crate::plan::Contact;

/// The addresses of a person; absent when the person was erased or never existed.
pub async fn find_contact(user: Uuid) -> Result<Option<Contact>, Error> {
    let found = accounts::find(Key::Id(user.to_string())).await;
    let account = found.map_err(|_| Error::Unavailable("signin"))?;
    Ok(account.map(Contact::from))
}

/// The same for several, at most 100.
pub async fn find_contacts(users: &[Uuid]) -> Result<HashMap<Uuid, Contact>, Error> {
    let ids = users.iter().map(Uuid::to_string).collect();
    let found = accounts::find_all(ids).await;
    let accounts = found.map_err(|_| Error::Unavailable("signin"))?;
    let by_id = |it: Account| Some((it.id.parse().ok()?, Contact::from(it)));
    Ok(accounts.into_iter().filter_map(by_id).collect())
}

impl From<Account> for Contact {
    fn from(it: Account) -> Self {
        Self {
            email: it.email,
            is_email_verified: it.email_verified,
            telegram_id: it.telegram_id.and_then(|id| id.try_into().ok()),
        }
    }
}
