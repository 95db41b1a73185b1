//! A payment service provider (PSP): requests to it and its possible answers. The wire format of a provider stands
//! in a file below.
//!
//! Variables choose the provider: `psp_url` and `psp_path` lead to MercadoPago or to the platform's own sandbox,
//! which speaks the same API.

pub mod mercadopago;
pub mod signature;

use jiff::Timestamp;
use kit::{Unset, Word};
use uuid::Uuid;

use crate::checkout::{Checkout, Method};

/// Where the payer pays, once the provider knows the checkout.
#[derive(Debug)]
pub struct Opened {
    /// The provider's id of it.
    pub id: String,
    /// A page; absent when there is only a code to scan.
    pub link: Option<String>,
    /// The content of the QR code.
    pub scan: String,
}

/// One attempt to pay, as the provider holds it.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: String,
    /// The checkout that it refers to.
    pub checkout: Option<Uuid>,
    pub state: State,
    /// A dispute about it was won: the provider took the money and gave it back.
    pub is_reimbursed: bool,
    /// Why, in the provider's words.
    pub detail: Option<String>,
    /// Minor units.
    pub amount: i64,
    pub currency: String,
    /// The part of the amount that has gone back to the payer.
    pub refunded: i64,
    /// The part that is on its way back, and may still fail to arrive.
    pub under_way: i64,
    pub approved_at: Option<Timestamp>,
}

impl Payment {
    /// The part that has not gone back and is not on its way.
    pub fn left(&self) -> i64 {
        self.amount
            .saturating_sub(self.refunded)
            .saturating_sub(self.under_way)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum State {
    /// Nothing has been paid.
    Pending,
    /// The provider is deciding.
    InProcess,
    /// The money is there.
    Approved,
    /// Declined or given up.
    Rejected,
    /// The money was there and has gone back.
    Refunded,
}

/// The subject of a webhook. Nothing else in a webhook is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Payment(String),
    Order(String),
}

impl Subject {
    /// The resource of the provider that shows a payment.
    pub fn of(checkout: &Checkout, payment: &str) -> Self {
        match (checkout.method, &checkout.psp_id) {
            (Method::Qr, Some(order)) => Self::Order(order.clone()),
            (Method::Qr, None) | (Method::Link, _) => Self::Payment(payment.to_owned()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may or may not have received the request.
    #[error("the payment provider does not answer: {0}")]
    Away(String),
    /// It limits the rate of requests, and did nothing.
    #[error("the payment provider takes no more requests for now")]
    Crowded,
    /// It does not accept the token, or not for this request. The request may work once the token is replaced.
    #[error("the payment provider denied access with {status}: {text}")]
    Denied { status: u16, text: String },
    /// It has no such payment or order.
    #[error("the payment provider has no such payment or order")]
    Unknown,
    /// It received the request and said no; asking again does not help.
    #[error("the payment provider refused with {status}: {text}")]
    Refused { status: u16, text: String },
    /// It accepted a refund, answered with this word, and still holds the money.
    #[error("the payment provider answered a refund with {0:?} and has not sent the money back")]
    NotMade(String),
    #[error("the payment provider's answer cannot be read: {0}")]
    Nonsense(String),
    #[error(transparent)]
    Setting(#[from] Unset),
}
