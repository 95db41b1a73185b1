//! Accounts that users open and name themselves, with decimals, as their clients expect. No I/O in this file.

use jiff::Timestamp;
use kit::Word;
use kit::money::decimal;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::checkout::Status;
use crate::destination::{Kind, PayoutState};
use crate::ledger::Moved;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
#[word(rename_all = "UPPERCASE")]
pub enum Type {
    Debit,
    Loan,
    Credit,
}

/// The name of an account, chosen by its owner and unique: 1 to 100 printable characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(try_from = "String")]
#[schemars(extend("minLength" = 1, "maxLength" = 100), example = &"savings")]
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

#[derive(Debug, Serialize, FromRow, Schema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: Uuid,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub balance: i64,
    #[row(column = "name")]
    pub payment_account_id: String,
    #[row(column = "type")]
    pub payment_account_type: Type,
    pub created_at: Timestamp,
    #[row(column = "owner")]
    pub user_id: Uuid,
}

/// The balance of an account at some moment.
#[derive(Debug, Serialize, Schema)]
#[serde(rename_all = "camelCase")]
pub struct BalanceThen {
    pub payment_account_id: Name,
    pub user_id: Uuid,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub balance: i64,
    pub at: Timestamp,
}

/// The answer to a deposit, a withdrawal or a transfer. A deposit and a withdrawal have the account on both sides;
/// the sign of the amount tells the direction.
#[derive(Debug, Serialize, Schema)]
#[serde(rename_all = "camelCase")]
pub struct Movement {
    pub id: Uuid,
    pub to_payment_account_id: Name,
    pub from_payment_account_id: Name,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub status: MovementStatus,
    pub created_at: Timestamp,
    /// Where to pay, for a deposit that comes through the PSP.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub payment: Option<ToPay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
#[word(rename_all = "UPPERCASE")]
pub enum MovementStatus {
    /// A deposit that is not paid yet.
    Pending,
    Completed,
    /// A deposit that is not paid in time, or that the provider refused.
    Failed,
}

impl From<Status> for MovementStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::PaymentServiceUnavailable
            | Status::Pending
            | Status::InProcess
            | Status::Rejected => Self::Pending,
            Status::Approved => Self::Completed,
            Status::Expired | Status::Cancelled | Status::Refunded => Self::Failed,
        }
    }
}

impl Movement {
    pub fn completed(moved: Moved, from: Name, to: Name, amount: i64) -> Self {
        Self {
            id: moved.id,
            to_payment_account_id: to,
            from_payment_account_id: from,
            amount,
            status: MovementStatus::Completed,
            created_at: moved.created_at,
            payment: None,
        }
    }
}

#[derive(Debug, Serialize, Schema)]
pub struct ToPay {
    pub payment_id: Uuid,
    pub payment_link: Option<String>,
    /// A PNG in base64.
    pub qr_code: Option<String>,
}

/// The house account that a withdrawal goes to.
#[derive(Clone, Copy, Debug, Word)]
pub enum House {
    /// In a sandbox, where money has no value: at once.
    Sandbox,
    /// Withdrawals that wait until an admin has paid them out.
    Payouts,
}

/// A withdrawal that an admin has to pay out, has paid out, or has returned.
#[derive(Debug, Serialize, FromRow, Schema)]
#[serde(rename_all = "camelCase")]
pub struct Payout {
    pub id: Uuid,
    /// Grows with every payout.
    pub seq: i64,
    #[row(column = "owner")]
    pub user_id: Uuid,
    pub email: Option<String>,
    /// Absent when it left a wallet.
    #[row(column = "account")]
    pub payment_account_id: Option<String>,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub currency: String,
    pub state: PayoutState,
    /// Where to pay it; absent when it left an account that its user opened.
    pub destination_kind: Option<Kind>,
    /// The Pix key, the IBAN, or routing and account number.
    pub destination_account: Option<String>,
    pub holder_name: Option<String>,
    pub created_at: Timestamp,
    pub approved_at: Option<Timestamp>,
    /// The admin who approved it.
    pub approved_by: Option<Uuid>,
    pub paid_at: Option<Timestamp>,
    /// The admin who paid it out.
    pub paid_by: Option<Uuid>,
    pub returned_at: Option<Timestamp>,
    /// The admin who returned it.
    pub returned_by: Option<Uuid>,
}

/// A transfer that an account of the user took part in.
#[derive(Debug, Serialize, Schema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub id: Uuid,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub status: MovementStatus,
    pub created_at: Timestamp,
    pub from_account: Side,
    pub to_account: Side,
}

#[derive(Debug, Serialize, Schema)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    pub payment_account_id: String,
    pub user: Holder,
}

#[derive(Debug, Serialize, Schema)]
pub struct Holder {
    pub email: Option<String>,
}

/// The row of a history.
#[derive(FromRow)]
pub struct HistoryRow {
    /// Its place in the list.
    pub seq: i64,
    id: Uuid,
    amount: i64,
    from_name: String,
    to_name: String,
    from_email: Option<String>,
    to_email: Option<String>,
    created_at: Timestamp,
}

impl From<HistoryRow> for History {
    fn from(row: HistoryRow) -> Self {
        let side = |payment_account_id, email| Side {
            payment_account_id,
            user: Holder { email },
        };
        Self {
            id: row.id,
            amount: row.amount,
            status: MovementStatus::Completed,
            created_at: row.created_at,
            from_account: side(row.from_name, row.from_email),
            to_account: side(row.to_name, row.to_email),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_printable_name() {
        for wrong in ["", " ", "a\nb", &"x".repeat(101)] {
            assert!(Name::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
        assert!(Name::try_from("main-1 ✓".to_owned()).is_ok());
    }
}
