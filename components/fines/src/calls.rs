//! Calls to payments and signin over WIT, and to bookings over HTTP in memory.

use std::fmt::Display;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use jiff::Timestamp;
use kit::web::outbound;
use plate::Plate;
use uuid::Uuid;

use crate::bindings::wharf::payments::checkout::{self, Status};
use crate::bindings::wharf::payments::ledger;
use crate::bindings::wharf::signin::accounts::{self, Account, Key, Role};
use crate::bindings::wharf::signin::passcodes;
use crate::charge::{Charge, Hold, Method, OwedRefund};
use crate::cover::Booked;
use crate::error::Error;
use crate::geometry::Bounds;
use crate::statistics::{Holders, UserRole, Users};

/// The name under which this function opens checkouts.
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

/// Whether the ledger moved a charge. A charge that was not moved is void from now on.
pub async fn was_paid(charge: Uuid) -> Result<bool, Error> {
    Ok(ledger::void(charge.to_string()).await?.is_some())
}

/// Keeps the payee from spending a payment until then.
pub async fn hold(hold: &Hold) -> Result<(), Error> {
    let until = hold.held_until.as_second().unsigned_abs();
    ledger::hold(hold.charge_id.to_string(), until).await?;
    Ok(())
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

/// The status of a payment at the provider.
pub enum Standing {
    Open,
    Paid,
    /// It will never be paid.
    Over,
    /// It was paid and went back.
    Returned,
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
        // The request died before it opened the payment.
        Err(checkout::Refusal::UnknownPayment) => return Ok(Standing::Over),
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(match status {
        Status::PaymentServiceUnavailable
        | Status::Pending
        | Status::InProcess
        | Status::Rejected => Standing::Open,
        Status::Approved => Standing::Paid,
        Status::Expired | Status::Cancelled => Standing::Over,
        Status::Refunded => Standing::Returned,
    })
}

/// Bookings that ended up to two hours ago are asked for, too: the grace after a booking and the time in which a check
/// shows it as `expired` are at most that long.
const ENDED_WITHIN_S: u32 = 2 * 60 * 60;
/// An upper bound: bookings answers from an index, much faster.
const PATIENCE: Duration = Duration::from_secs(3);

/// The bookings of a car that hold now or ended lately. They are asked for over HTTP in memory and not over WIT, because
/// Spin 4.1 does not pass on a dependency's own dependencies.
pub async fn find_booked(plate: &Plate) -> Result<Vec<Booked>, Error> {
    ask_bookings(&format!(
        "/covers/{}?ended_within={ENDED_WITHIN_S}",
        plate.as_str()
    ))
    .await
}

/// The same for all cars on places within the bounds.
pub async fn find_booked_within(bounds: Bounds) -> Result<Vec<Booked>, Error> {
    let Bounds {
        west,
        south,
        east,
        north,
    } = bounds;
    ask_bookings(&format!(
        "/covers?west={west}&south={south}&east={east}&north={north}&ended_within={ENDED_WITHIN_S}"
    ))
    .await
}

async fn ask_bookings(path: &str) -> Result<Vec<Booked>, Error> {
    let unavailable = |why: &dyn Display| {
        eprintln!("bookings: {why}");
        Error::BookingsUnavailable
    };
    let request = Request::get(format!("http://bookings.spin.internal{path}"))
        .body(Bytes::new())
        .map_err(|it| unavailable(&it))?;
    let answer = outbound::send(request, PATIENCE)
        .await
        .map_err(|it| unavailable(&it))?;
    if !answer.status.is_success() {
        return Err(unavailable(&answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|it| unavailable(&it))
}

/// A user whom a zone admin names.
pub struct Person {
    pub id: Uuid,
    pub login: String,
    pub is_admin: bool,
}

pub async fn find_user(login: &str) -> Result<Option<Person>, Error> {
    // A text that cannot be a login is not looked up.
    if login.is_empty() || login.len() > 254 || login.contains(char::is_control) {
        return Ok(None);
    }
    match accounts::find(Key::Login(login.to_owned())).await {
        Ok(found) => found.map(person).transpose(),
        Err(accounts::Refusal::Malformed(_)) => Ok(None),
        Err(accounts::Refusal::Unavailable) => Err(Error::SigninUnavailable),
    }
}

/// How many users there are.
pub async fn count_users() -> Result<Users, Error> {
    let census = match accounts::count().await {
        Ok(census) => census,
        Err(refusal) => {
            eprintln!("signin: {refusal:?}");
            return Err(Error::SigninUnavailable);
        }
    };
    let count = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    let by_role = census.by_role.into_iter().map(|it| Holders {
        role: shown(it.role),
        users: count(it.accounts),
    });
    Ok(Users {
        total: count(census.accounts),
        by_role: by_role.collect(),
    })
}

/// The word that clients of zones know for a role.
fn shown(role: Role) -> UserRole {
    match role {
        Role::Driver => UserRole::Driver,
        Role::Controller => UserRole::Controller,
        Role::ZoneAdmin => UserRole::Admin,
        Role::Admin => UserRole::Superuser,
        Role::Owner => UserRole::Owner,
        Role::Customer => UserRole::Customer,
        Role::Moderator => UserRole::Moderator,
        Role::Anonymous => UserRole::Anonymous,
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

/// Refuses a text that cannot be a passcode without asking signin.
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
