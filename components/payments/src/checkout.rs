//! A payment through the PSP that an opener asks for, and its states. No I/O in this file. The effect of a payment at
//! the PSP is decided in [`crate::attempt`].

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use kit::Word;
use kit::money::{Cents, Currency};
use kit::store::FromRow;
use uuid::Uuid;

use crate::account::Name;
use crate::qr::{self, QrError};

/// How long a payment can be paid: longer than a queue at the counter, shorter than a kitchen keeps an order open.
const TIME_TO_PAY: SignedDuration = SignedDuration::from_mins(30);

/// The name of this function among those that open payments.
pub const OPENER: &str = "payments";

/// Characters that are kept of a line for people.
const MAX_LINE: usize = 250;

/// A request for money.
#[derive(Clone, Debug, FromRow)]
pub struct Checkout {
    pub id: Uuid,
    /// The function that asked for it.
    pub opener: String,
    /// The subject of the payment, in the words of the opener.
    pub reference: String,
    /// The payer, as that function knows them.
    pub customer: String,
    pub amount: Cents,
    pub currency: String,
    pub description: String,
    pub email: Option<String>,
    pub method: Method,
    pub status: Status,
    pub psp_id: Option<String>,
    pub link: Option<String>,
    pub scan: Option<String>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Payments at the PSP that it still has to send back.
    pub to_return: Vec<String>,
}

impl Checkout {
    /// What to scan, as a PNG in base64, while it can be paid.
    pub fn qr_code(&self) -> Result<Option<String>, QrError> {
        let scan = self.scan.as_deref();
        scan.filter(|_| self.status.is_open())
            .map(qr::png_base64)
            .transpose()
    }
}

/// A checkout that is to be opened.
#[derive(Debug)]
pub struct NewCheckout {
    pub id: Uuid,
    /// The function that asks.
    pub opener: String,
    pub reference: String,
    pub customer: String,
    /// The user who may see it.
    pub owner: Uuid,
    pub amount: Cents,
    pub currency: Currency,
    pub description: String,
    pub email: Option<String>,
    pub method: Method,
    pub credit: Credit,
    pub expires_at: Timestamp,
}

/// The account that the money of a checkout goes to.
#[derive(Clone, Debug)]
pub enum Credit {
    /// The house account of sales: the owner bought something.
    Sales,
    /// The owner's wallet of that currency.
    Wallet,
    /// An account of the owner.
    Account(Name),
}

impl Credit {
    /// As the database takes it. No account has an empty name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Sales => None,
            Self::Wallet => Some(""),
            Self::Account(name) => Some(name.as_str()),
        }
    }
}

/// The result of a change that was decided on an earlier read: stale when another request changed the checkout in
/// between.
#[derive(FromRow)]
pub struct Concluded {
    is_stale: bool,
    #[row(flatten)]
    checkout: Option<Checkout>,
}

impl Concluded {
    /// The changed checkout; absent when the decision was stale and nothing changed.
    pub fn changed(self) -> Option<Checkout> {
        self.checkout.filter(|_| !self.is_stale)
    }
}

/// The result of an admin's change.
#[derive(FromRow)]
pub struct ByHand {
    is_stale: bool,
    pub is_proposed: bool,
    #[row(flatten)]
    checkout: Option<Checkout>,
}

impl ByHand {
    /// The checkout as it is now; absent when the decision was stale and nothing changed.
    pub fn changed(self) -> Option<Checkout> {
        self.checkout.filter(|_| !self.is_stale)
    }
}

/// The way in which the payer pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Word)]
pub enum Method {
    #[default]
    Link,
    Qr,
}

impl Method {
    /// An order at the PSP names no currency: it is that of the till's country.
    pub fn supports(self, currency: Currency) -> bool {
        match self {
            Self::Link => true,
            Self::Qr => currency == Currency::Brl,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Status {
    /// The PSP does not know of it yet.
    PaymentServiceUnavailable,
    Pending,
    InProcess,
    /// The last attempt failed; the payer may try again.
    Rejected,
    Approved,
    Expired,
    /// Called off, or refused by the PSP.
    Cancelled,
    Refunded,
}

impl Status {
    /// Whether money may still come.
    pub fn is_open(self) -> bool {
        match self {
            Self::PaymentServiceUnavailable | Self::Pending | Self::InProcess | Self::Rejected => {
                true
            }
            Self::Approved | Self::Expired | Self::Cancelled | Self::Refunded => false,
        }
    }

    /// Whether a change to it by hand moves money.
    pub fn moves_money(self) -> bool {
        match self {
            Self::Approved | Self::Refunded => true,
            Self::PaymentServiceUnavailable
            | Self::Pending
            | Self::InProcess
            | Self::Rejected
            | Self::Expired
            | Self::Cancelled => false,
        }
    }

    /// Whether an admin, the clock or an opener may change the status to `next`. Changes by the PSP are decided by
    /// [`crate::attempt::judge`].
    pub fn may_become(self, next: Self) -> bool {
        match next {
            Self::InProcess | Self::Rejected | Self::Approved | Self::Expired | Self::Cancelled => {
                self.is_open() && self != next
            }
            Self::Refunded => self == Self::Approved,
            Self::PaymentServiceUnavailable | Self::Pending => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The end of the time to pay: the opener's, or the usual one.
pub fn expiry(now: Timestamp, time_to_pay: Option<SignedDuration>) -> Timestamp {
    now.saturating_add(time_to_pay.unwrap_or(TIME_TO_PAY))
        .unwrap_or(Timestamp::MAX)
}

/// A line for people, made from any text: printable and not too long.
pub fn line(text: &str) -> String {
    text.chars()
        .filter(|it| !it.is_control())
        .take(MAX_LINE)
        .collect()
}

/// The line that the payer reads; the order's number when there is no description.
pub fn description(text: &str, reference: &str) -> String {
    let text = line(text);
    if text.trim().is_empty() {
        format!("Order {reference}")
    } else {
        text
    }
}

/// An e-mail address that the PSP accepts, or none: the PSP takes payments without an address and refuses those with
/// a malformed one.
pub fn payer_email(email: Option<String>) -> Option<String> {
    email.filter(|it| {
        it.len() <= 254
            && !it.contains(|it: char| it.is_whitespace() || it.is_control())
            && matches!(it.split_once('@'), Some((name, host)) if !name.is_empty() && host.contains('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_approved_checkout_is_refunded() {
        for status in Status::ALL {
            assert_eq!(
                status.may_become(Status::Refunded),
                status == Status::Approved
            );
            assert!(!status.may_become(status));
        }
    }
}
