//! What other functions call: the interfaces of `wit/payments.wit`, over the same
//! store as the routes. `entry` exports them.

mod checkout;
mod ledger;
mod upkeep;

use jiff::Timestamp;
use kit::{Cents, Currency};
use uuid::Uuid;

#[allow(
    unsafe_code,
    reason = "generated: what crosses the boundary is passed as pointers"
)]
pub mod bindings {
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: "../../wit/payments.wit",
        world: "payments",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        pub_export_macro: true,
        generate_all,
    });
}

/// The component, as other components know it.
pub struct Payments;

/// A field that cannot be what it should.
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

/// A name that others gave, as a reference: what PostgreSQL keeps and an index holds.
fn name(field: &'static str, text: String) -> Result<String, Malformed> {
    let fits = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then_some(text).ok_or(Malformed(field))
}

fn moment(seconds: u64) -> Result<Timestamp, Malformed> {
    i64::try_from(seconds)
        .ok()
        .and_then(|it| Timestamp::from_second(it).ok())
        .ok_or(Malformed("moment"))
}

/// What the schema keeps at 0 or above.
fn unsigned(amount: i64) -> u64 {
    u64::try_from(amount).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_kept_is_malformed() {
        for wrong in ["", "a\0b", "a\nb", &"x".repeat(201)] {
            assert!(name("reference", wrong.to_owned()).is_err(), "{wrong:?}");
        }
        assert!(name("reference", "é".repeat(200)).is_ok());
    }
}
