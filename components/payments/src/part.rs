//! Parts of approved payments that go back, and money that the PSP still has to send back. No I/O in this file.

use jiff::Timestamp;
use kit::money::decimal;
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

use crate::checkout::Checkout;

/// A part that the PSP has not carried out yet.
#[derive(Debug, FromRow)]
pub struct Part {
    /// Chosen by the opener.
    pub id: Uuid,
    /// The payment at the PSP.
    pub payment: String,
    pub amount: i64,
}

/// The result of sending a part back.
#[derive(FromRow)]
pub struct Parted {
    /// The status of the payment does not allow it.
    pub is_stale: bool,
    /// The rest of the payment, when less is left than was asked for.
    pub left_over: Option<i64>,
    #[row(flatten)]
    pub checkout: Option<Checkout>,
}

/// Money that the provider has not sent back yet.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Return {
    /// The id of the payment at the provider.
    pub id: String,
    #[row(column = "checkout")]
    pub payment_id: Uuid,
    #[row(column = "reference")]
    pub order_id: String,
    /// The amount of the part, or of the whole payment.
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub currency: String,
    /// It is a part of the payment.
    pub is_part: bool,
    /// Why the provider refused it last.
    pub refusal: Option<String>,
    pub owed_since: Timestamp,
    pub tried_again_at: Option<Timestamp>,
}
