//! Accounts that users open and name themselves: their bodies and rows, with
//! decimals, as their clients speak. No I/O in this file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Type {
    Debit,
    Loan,
    Credit,
}

impl Type {
    pub fn name(self) -> &'static str {
        match self {
            Self::Debit => "DEBIT",
            Self::Loan => "LOAN",
            Self::Credit => "CREDIT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Debit, Self::Loan, Self::Credit]
            .into_iter()
            .find(|it| it.name() == name)
    }
}

/// The name of an account, chosen by its owner: 1 to 100 characters that print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

#[derive(Debug, thiserror::Error)]
#[error("an account's id is 1 to 100 printable characters")]
pub struct NotAName;

impl TryFrom<String> for Name {
    type Error = NotAName;
    fn try_from(name: String) -> Result<Self, NotAName> {
        let fits = (1..=100).contains(&name.chars().count())
            && !name.trim().is_empty()
            && !name.chars().any(char::is_control);
        fits.then_some(Self(name)).ok_or(NotAName)
    }
}

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: Uuid,
    #[serde(with = "kit::decimal")]
    pub balance: i64,
    pub payment_account_id: String,
    pub payment_account_type: Type,
    pub created_at: Timestamp,
    pub user_id: Uuid,
}

/// The answer to a movement. Deposit and withdrawal have the account on both
/// sides; the sign tells the direction.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub id: Uuid,
    pub to_payment_account_id: String,
    pub from_payment_account_id: String,
    #[serde(with = "kit::decimal")]
    pub amount: i64,
    pub status: &'static str,
    pub created_at: Timestamp,
    /// Where to pay, for a deposit that comes through the PSP.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub payment: Option<ToPay>,
}

#[derive(Debug, Serialize)]
pub struct ToPay {
    pub payment_id: Uuid,
    pub payment_link: Option<String>,
    pub qr_code: Option<String>,
}

/// Where a withdrawal goes.
#[derive(Clone, Copy, Debug)]
pub enum House {
    /// Out of the game.
    External,
    /// To wait until somebody pays it out.
    Payouts,
}

impl House {
    pub fn name(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Payouts => "payouts",
        }
    }
}

/// A withdrawal that somebody has to pay out, has paid out, or has given back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payout {
    pub id: Uuid,
    pub user_id: Uuid,
    pub email: Option<String>,
    pub payment_account_id: String,
    #[serde(with = "kit::decimal")]
    pub amount: i64,
    pub currency: String,
    pub created_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    pub paid_by: Option<Uuid>,
    pub returned_at: Option<Timestamp>,
    pub returned_by: Option<Uuid>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub id: Uuid,
    #[serde(with = "kit::decimal")]
    pub amount: i64,
    pub status: &'static str,
    pub created_at: Timestamp,
    pub from_account: Side,
    pub to_account: Side,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    pub payment_account_id: String,
    pub user: User,
}

#[derive(Debug, Serialize)]
pub struct User {
    pub email: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_cannot_be_named_by_nothing() {
        for wrong in ["", " ", "a\nb", &"x".repeat(101)] {
            assert!(Name::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
        assert!(Name::try_from("main-1 ✓".to_owned()).is_ok());
    }
}
