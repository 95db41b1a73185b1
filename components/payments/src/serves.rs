//! The interfaces of `wit/payments.wit` for other functions, over the same store as the routes.

mod checkout;
mod ledger;

use jiff::Timestamp;
use kit::money::{Cents, Currency};
use uuid::Uuid;

use crate::reference::is_printable;

/// The component that `entry` exports.
pub struct Payments;

/// The name of a field whose value does not fit.
struct Malformed(&'static str);

fn id(text: &str) -> Result<Uuid, Malformed> {
    text.parse().map_err(|_| Malformed("id"))
}

fn amount(minor: u64) -> Result<Cents, Malformed> {
    i64::try_from(minor)
        .ok()
        .and_then(|it| Cents::new(it).ok())
        .ok_or(Malformed("amount"))
}

fn currency(code: &str) -> Result<Currency, Malformed> {
    Currency::parse(code).ok_or(Malformed("currency"))
}

/// A name that the caller chose, as a reference.
fn name(field: &'static str, text: String) -> Result<String, Malformed> {
    match is_printable(&text) {
        true => Ok(text),
        false => Err(Malformed(field)),
    }
}

fn moment(seconds: u64) -> Result<Timestamp, Malformed> {
    i64::try_from(seconds)
        .ok()
        .and_then(|it| Timestamp::from_second(it).ok())
        .ok_or(Malformed("moment"))
}

/// An amount that the schema keeps at 0 or above.
fn unsigned(amount: i64) -> u64 {
    u64::try_from(amount).unwrap_or_default()
}
