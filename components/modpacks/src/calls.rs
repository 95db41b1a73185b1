//! Calls to signin: users by their logins.

use crate::bindings::wharf::signin::accounts::{self, Key};
use crate::error::Error;

/// Users that something is shared with, by id and by login.
#[derive(Default)]
pub struct Users {
    pub ids: Vec<String>,
    pub logins: Vec<String>,
}

/// The users of these logins or serial numbers. A name of digits alone is a number first, as launchers send it.
pub async fn find_users(names: Vec<String>) -> Result<Users, Error> {
    let mut users = Users::default();
    for name in names {
        let by_number = match name.parse() {
            Ok(number) => find(Key::Number(number)).await?,
            Err(_) => None,
        };
        let found = match by_number {
            Some(account) => Some(account),
            None => find(Key::Login(name.clone())).await?,
        };
        let Some(account) = found else {
            return Err(Error::UnknownUser(name));
        };
        users.ids.push(account.id);
        users.logins.push(account.login);
    }
    Ok(users)
}

async fn find(key: Key) -> Result<Option<accounts::Account>, Error> {
    match accounts::find(key).await {
        Ok(found) => Ok(found),
        Err(accounts::Refusal::Malformed(_)) => Ok(None),
        Err(accounts::Refusal::Unavailable) => Err(Error::SigninAway),
    }
}
