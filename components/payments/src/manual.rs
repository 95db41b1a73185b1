//! Manual acts of admins with money. Each act records its admin, time and reason; above an amount it takes two admins.
//! No I/O in this file.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use kit::Word;
use kit::money::decimal;
use kit::store::FromRow;
use kit::web::{Json, Operation, Output, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why an admin acts: 3 to 500 printable characters.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
#[serde(try_from = "String")]
#[schemars(extend("minLength" = 3, "maxLength" = 500), example = &"paid in cash, receipt 4711")]
pub struct Reason(String);

#[derive(Debug, thiserror::Error)]
#[error("a reason is 3 to 500 printable characters")]
pub struct NotAReason;

impl TryFrom<String> for Reason {
    type Error = NotAReason;

    fn try_from(text: String) -> Result<Self, NotAReason> {
        let text = text.trim();
        let fits = (3..=500).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned())).ok_or(NotAReason)
    }
}

impl Reason {
    /// The reason of clients that have no field for one.
    pub fn not_given() -> Self {
        Self("no reason was given".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The admin who acts, why, and how much one admin may move alone.
#[derive(Clone, Debug)]
pub struct Hand {
    pub admin: Uuid,
    pub reason: Option<Reason>,
    pub alone_up_to: i64,
}

impl Hand {
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_ref().map(Reason::as_str)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Subject {
    Payment,
    /// A payment at the provider.
    Attempt,
    Payout,
    Receivable,
    Unclaimed,
    Refund,
    Promocode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Stage {
    /// Another admin has to do the same within a week.
    Proposed,
    Done,
}

/// Something that an admin did.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Act {
    /// Grows with every act: pages go by it.
    pub id: i64,
    pub subject: Subject,
    /// The id of the subject.
    pub about: String,
    /// What was done: the new status of a payment, `approved`, `paid` or `returned` of a payout, `written_off` of a receivable, the terms of a promo code.
    pub act: String,
    pub stage: Stage,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub currency: String,
    /// The admin.
    pub actor: Uuid,
    pub reason: Option<String>,
    pub acted_at: Timestamp,
}

/// Whether an act was only proposed.
#[derive(FromRow)]
pub struct Handled {
    pub is_proposed: bool,
}

/// The answer to an act: 200 when it is done, 202 when another admin has to do the same.
pub struct Acted<T> {
    pub is_proposed: bool,
    pub body: T,
}

impl<T: Serialize> IntoResponse for Acted<T> {
    fn into_response(self) -> Response {
        let status = match self.is_proposed {
            true => StatusCode::ACCEPTED,
            false => StatusCode::OK,
        };
        (status, Json(self.body)).into_response()
    }
}

impl<T: Schema> Output for Acted<T> {
    fn describe(operation: &mut Operation) {
        operation.add_answer::<T>(200);
        operation.add_answer::<T>(202);
    }
}

/// Money that a user owes because their payer took back a payment that was spent.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Receivable {
    pub id: Uuid,
    #[row(column = "owner")]
    pub user_id: Uuid,
    pub email: Option<String>,
    #[row(column = "checkout")]
    pub payment_id: Uuid,
    pub currency: String,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    /// The part that the user has paid.
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub settled: i64,
    /// The part that the house bears.
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub written_off: i64,
    pub created_at: Timestamp,
}

/// Money that an erased person left behind.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Unclaimed {
    /// The id that the person had.
    #[row(column = "owner")]
    pub user_id: Uuid,
    pub currency: String,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something() {
        for wrong in ["", "  ", "ok", " a ", "a\nb\nc", &"x".repeat(501)] {
            assert!(Reason::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
        assert_eq!(
            Reason::try_from(" cash ".to_owned()).unwrap().as_str(),
            "cash"
        );
    }
}
