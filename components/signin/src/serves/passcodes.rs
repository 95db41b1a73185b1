//! `wharf:signin/passcodes`: whose six digits they are.

use super::Signin;
use super::bindings::exports::wharf::signin::accounts::Account;
use super::bindings::exports::wharf::signin::passcodes::{Guest, Refusal};
use crate::client::Client;
use crate::error::Error;
use crate::passcode;

impl Guest for Signin {
    async fn owner(code: String, address: String) -> Result<Account, Refusal> {
        let owner = passcode::owner(&code, &Client::at(address)).await?;
        owner.map(Account::from).ok_or(Refusal::Unknown)
    }

    async fn redeem(code: String, address: String) -> Result<Account, Refusal> {
        let owner = passcode::redeem(&code, &Client::at(address)).await?;
        owner.map(Account::from).ok_or(Refusal::Unknown)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        if let Error::TooManyTries(seconds) = error {
            return Self::TooManyTries(seconds);
        }
        eprintln!("passcodes: {error}");
        Self::Unavailable
    }
}
