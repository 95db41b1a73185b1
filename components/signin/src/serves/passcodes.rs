//! `wharf:signin/passcodes`: the account of six digits.

use super::Signin;
use crate::bindings::exports::wharf::signin::accounts::Account;
use crate::bindings::exports::wharf::signin::passcodes::{Guest, Refusal};
use crate::client::Client;
use crate::error::Error;
use crate::kiosk::{self, Use};

impl Guest for Signin {
    async fn owner(code: String, address: String) -> Result<Account, Refusal> {
        find_owner(code, Use::Show, address).await
    }

    async fn redeem(code: String, address: String) -> Result<Account, Refusal> {
        find_owner(code, Use::Redeem, address).await
    }
}

async fn find_owner(code: String, usage: Use, address: String) -> Result<Account, Refusal> {
    let owner = kiosk::find_owner(&code, usage, &Client::at(address)).await?;
    owner.map(Account::from).ok_or(Refusal::Unknown)
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        if let Error::TooManyTries(limit) = error {
            return Self::TooManyTries(limit.retry_after_s);
        }
        eprintln!("passcodes: {error}");
        Self::Unavailable
    }
}
