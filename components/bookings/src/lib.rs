//! Bookings: parking places that owners offer and drivers take by the hour,
//! paid through the ledger of payments.
//!
//! Read in this order: [`routes`] is what the world can ask, [`place`] and
//! [`booking`] the rules, [`saga`] how a booking and its money stay together,
//! [`erasure`] what is left of whoever was erased, [`store`] the SQL,
//! [`error`] every refusal.
//!
//! Invariants, held by the functions in `migrations/bookings`:
//! - at no instant do more bookings stand on a place than its capacity;
//! - a booking is Confirmed exactly when the ledger moved its price, but for
//!   the moments that the sweep closes; what is owed back is written by the
//!   statement that made it owed, and paid back once.

mod booking;
#[cfg(target_family = "wasm")]
mod entry;
mod erasure;
pub mod error;
mod ledger;
mod place;
pub mod routes;
pub mod saga;
mod store;
#[cfg(test)]
mod tests;
