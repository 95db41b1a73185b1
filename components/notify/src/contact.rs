//! Where a person can be reached, as signin knows it.

use uuid::Uuid;

use crate::error::Error;

#[allow(clippy::all, clippy::restriction, unsafe_code, missing_docs)]
mod bindings {
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: "../../wit/signin.wit",
        world: "accounts-caller",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

use bindings::wharf::signin::accounts::{self, Key};

#[derive(Clone, Debug)]
pub struct Contact {
    pub email: Option<String>,
    pub is_email_verified: bool,
    /// In a private chat with the bot it is the chat's id too.
    pub telegram_id: Option<i64>,
}

/// None: the person is gone, or never was.
pub async fn of(user: Uuid) -> Result<Option<Contact>, Error> {
    let found = accounts::find(Key::Id(user.to_string())).await;
    let account = found.map_err(|_| Error::Unavailable("signin"))?;
    Ok(account.map(|it| Contact {
        email: it.email,
        is_email_verified: it.email_verified,
        telegram_id: it.telegram_id.and_then(|id| id.try_into().ok()),
    }))
}
