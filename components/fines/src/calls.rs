//! What fines asks of payments and signin, over WIT.

use jiff::Timestamp;
use uuid::Uuid;

use crate::bindings::wharf::payments::checkout::{self, Status};
use crate::bindings::wharf::payments::ledger;
use crate::bindings::wharf::signin::accounts::{self, Account, Key, Role};
use crate::bindings::wharf::signin::passcodes;
use crate::charge::{Charge, Method, OwedRefund};
use crate::error::Error;

/// The name of this function among those that open checkouts.
pub const OPENER: &str = "fines";

/// Moves the amount from the payer's wallet, once.
pub async fn pay(charge: &Charge) -> Result<(), Error> {
    ledger::pay(ledger::Charge {
        id: charge.id.to_string(),
        payer: charge.payer.to_string(),
        payee: charge.payee.to_string(),
        amount: charge.amount.unsigned_abs(),
        currency: charge.currency.name().to_owned(),
        reference: charge.reference(),
        description: charge.description(),
        held_until: charge.held_until.map(|it| it.as_second().unsigned_abs()),
    })
    .await
    .map(drop)
    .map_err(Error::from)
}

/// Whether the ledger moved a charge. A charge that it has not moved by now is void from then on.
pub async fn was_paid(charge: Uuid) -> Result<bool, Error> {
    Ok(ledger::void(charge.to_string()).await?.is_some())
}

/// Sends money back to its payer, once. A checkout goes back whole.
pub async fn refund(owed: &OwedRefund) -> Result<(), Error> {
    match owed.method {
        Method::Wallet => {
            ledger::refund(ledger::Repayment {
                id: owed.id.to_string(),
                payment: owed.charge_id.to_string(),
                amount: Some(owed.amount.unsigned_abs()),
                description: owed.description.clone(),
            })
            .await?;
        }
        Method::Checkout => {
            checkout::refund(owed.charge_id.to_string()).await?;
        }
    }
    Ok(())
}

/// Opens a payment at the provider, once; answers where to pay, when the provider has said it.
pub async fn open_checkout(charge: &Charge, now: Timestamp) -> Result<Option<String>, Error> {
    let ends = charge.expires_at.unwrap_or(now);
    let seconds = now.duration_until(ends).as_secs().clamp(1, 3_600);
    let opened = checkout::open(checkout::Request {
        id: charge.id.to_string(),
        opener: OPENER.to_owned(),
        reference: charge.reference(),
        customer: charge.payer.to_string(),
        owner: charge.payer.to_string(),
        amount: charge.amount.unsigned_abs(),
        currency: charge.currency.name().to_owned(),
        description: charge.description(),
        email: None,
        method: checkout::Method::Link,
        seconds_to_pay: u32::try_from(seconds).ok(),
    })
    .await?;
    Ok(opened.link)
}

/// How a payment at the provider stands.
pub enum Standing {
    Open,
    Paid,
    /// It never will be.
    Over,
}

pub async fn find_checkout(charge: Uuid) -> Result<Standing, Error> {
    standing(checkout::find(charge.to_string()).await)
}

/// Calls an unpaid payment off.
pub async fn cancel_checkout(charge: Uuid) -> Result<Standing, Error> {
    standing(checkout::cancel(charge.to_string()).await)
}

fn standing(answer: Result<checkout::Payment, checkout::Refusal>) -> Result<Standing, Error> {
    let status = match answer {
        Ok(payment) => payment.status,
        Err(checkout::Refusal::WrongStatus(status)) => status,
        // The request died before it asked.
        Err(checkout::Refusal::UnknownPayment) => return Ok(Standing::Over),
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(match status {
        Status::PaymentServiceUnavailable
        | Status::Pending
        | Status::InProcess
        | Status::Rejected => Standing::Open,
        Status::Approved => Standing::Paid,
        Status::Expired | Status::Cancelled | Status::Refunded => Standing::Over,
    })
}

/// A user whom a zone admin names.
pub struct Person {
    pub id: Uuid,
    pub login: String,
    pub is_admin: bool,
}

pub async fn find_user(login: &str) -> Result<Option<Person>, Error> {
    // What cannot be a login is not looked up.
    if login.is_empty() || login.len() > 254 || login.contains(char::is_control) {
        return Ok(None);
    }
    match accounts::find(Key::Login(login.to_owned())).await {
        Ok(found) => found.map(person).transpose(),
        Err(accounts::Refusal::Malformed(_)) => Ok(None),
        Err(accounts::Refusal::Unavailable) => Err(Error::SigninUnavailable),
    }
}

/// The user of a passcode, which stays valid.
pub async fn passcode_owner(code: &str, address: &str) -> Result<Person, Error> {
    check_passcode(code)?;
    taken(passcodes::owner(code.to_owned(), address.to_owned()).await)
}

/// The same, and uses the passcode up.
pub async fn redeem_passcode(code: &str, address: &str) -> Result<Person, Error> {
    check_passcode(code)?;
    taken(passcodes::redeem(code.to_owned(), address.to_owned()).await)
}

/// What cannot be a passcode is not looked up.
fn check_passcode(code: &str) -> Result<(), Error> {
    match code.len() == 6 && code.bytes().all(|it| it.is_ascii_digit()) {
        true => Ok(()),
        false => Err(Error::WrongPasscode),
    }
}

fn taken(answer: Result<Account, passcodes::Refusal>) -> Result<Person, Error> {
    match answer {
        Ok(account) => person(account),
        Err(passcodes::Refusal::Unknown) => Err(Error::WrongPasscode),
        Err(passcodes::Refusal::TooManyTries(_)) => Err(Error::TooManyTries),
        Err(passcodes::Refusal::Unavailable) => Err(Error::SigninUnavailable),
    }
}

fn person(account: Account) -> Result<Person, Error> {
    Ok(Person {
        id: account
            .id
            .parse()
            .map_err(|_| Error::Stored("the id of an account"))?,
        is_admin: account.roles.contains(&Role::Admin) && !account.disabled,
        login: account.login,
    })
}

impl From<ledger::Refusal> for Error {
    fn from(refusal: ledger::Refusal) -> Self {
        match refusal {
            ledger::Refusal::InsufficientFunds => Self::InsufficientFunds,
            ledger::Refusal::LimitReached | ledger::Refusal::SameAccount => Self::PaymentRefused,
            ledger::Refusal::Voided => Self::PaidTooLate,
            ledger::Refusal::Unavailable => Self::PaymentUnavailable,
            ledger::Refusal::UnknownPayment
            | ledger::Refusal::NothingLeft(_)
            | ledger::Refusal::IdTaken
            | ledger::Refusal::Malformed(_) => Self::Ledger(refusal),
        }
    }
}

impl From<checkout::Refusal> for Error {
    fn from(refusal: checkout::Refusal) -> Self {
        match refusal {
            checkout::Refusal::Unavailable => Self::PaymentUnavailable,
            checkout::Refusal::RefusedByProvider => Self::PaymentRefused,
            checkout::Refusal::InsufficientFunds
            | checkout::Refusal::NothingLeft(_)
            | checkout::Refusal::UnknownPayment
            | checkout::Refusal::IdTaken
            | checkout::Refusal::WrongStatus(_)
            | checkout::Refusal::Malformed(_) => Self::Checkout(refusal),
        }
    }
}
