//! A payment service provider, in our words: what it is asked and what it can
//! answer. How one provider says these things on the wire is a file below.
//!
//! The provider is a variable: `psp_url` and `psp_path` lead to MercadoPago or
//! to the platform's own sandbox, which answers the same.

pub mod mercadopago;
pub mod signature;

use jiff::Timestamp;
use uuid::Uuid;

/// Where the payer goes, once the provider knows what is to be paid.
#[derive(Debug)]
pub struct Opened {
    /// The provider's own name for it.
    pub id: String,
    /// A page; absent when there is only a code to scan.
    pub link: Option<String>,
    /// What the QR code says.
    pub scan: String,
}

/// One attempt to pay, as the provider holds it.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: String,
    /// The checkout that it says it is for.
    pub checkout: Option<Uuid>,
    pub state: State,
    /// Minor units.
    pub amount: i64,
    pub currency: String,
    /// Of the amount, what has gone back to the payer.
    pub refunded: i64,
    pub approved_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProcess => "in_process",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Refunded => "refunded",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::InProcess,
            Self::Approved,
            Self::Rejected,
            Self::Refunded,
        ]
        .into_iter()
        .find(|it| it.name() == name)
    }
}

/// What a webhook says to look at. Nothing else it says is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Payment(String),
    Order(String),
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may or may not have heard us.
    #[error("the payment provider does not answer: {0}")]
    Away(String),
    /// It does not know what it was asked about.
    #[error("the payment provider knows nothing of it")]
    Unknown,
    /// It heard us and said no; asking again is useless.
    #[error("the payment provider refused with {status}: {text}")]
    Refused { status: u16, text: String },
    #[error("the payment provider's answer makes no sense: {0}")]
    Nonsense(String),
    #[error(transparent)]
    Setting(#[from] kit::Unset),
}
