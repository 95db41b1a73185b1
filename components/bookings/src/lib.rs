//! Bookings: parking places that owners offer and drivers take by the hour, paid through the ledger of
//! payments.
//!
//! Read in this order: [`routes`] is the HTTP face; [`place`], [`rules`] and [`booking`] are the rules; [`cover`] has the answers for
//! functions that check cars; [`saga`] keeps a booking and its money together; [`store`] is the SQL; [`calls`] has the calls to
//! payments; [`error`] has every refusal.
//!
//! Invariants, held by the functions in `migrations/bookings`:
//! - at no instant do more bookings stand on a place than its capacity;
//! - a booking is Confirmed exactly when the ledger moved its price, except for the moments that the
//!   sweep closes; a refund is written by the statement that makes it owed, and paid once.

kit::bindings!(
    "wharf:bookings/bookings",
    ["../../wit/payments.wit", "../../wit/bookings.wit"]
);

mod booking;
mod calls;
mod charge;
mod cover;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod identity;
mod list;
mod place;
pub mod routes;
mod rules;
pub mod saga;
#[cfg(target_family = "wasm")]
mod serves;
mod store;
#[cfg(test)]
mod tests;
mod throttle;
