//! Fines: the parking zones of a city, the tickets that drivers buy in them, and the fines of cars without one.
//!
//! Read in this order: [`routes`] holds the HTTP operations; [`zone`], [`geometry`], [`tariff`] and [`power`] say where
//! parking costs and how much; [`car`] and [`ticket`] are the cars and tickets of drivers, [`cover`] adds their bookings;
//! [`fine`], [`schedule`], [`plan`] and [`appeal`] are fines, their payment and objections to them, [`photo`] and [`case`]
//! the evidence; [`charge`] and [`saga`] keep tickets, fines and money together; [`store`] is the SQL, [`calls`] the calls
//! to payments, signin and bookings, [`error`] every refusal.
//!
//! Invariants, held by the functions in `migrations/fines`:
//! - no two zones cover the same ground;
//! - the rights of a caller are decided zone by zone, in the statement that acts;
//! - a ticket, a fine and each part of its plan are paid once: money of a second payment is owed back by the statement
//!   that records it;
//! - the amount of a fine is a function of its schedule, which it took with it when it was issued, and the moment;
//! - a driver's feed is numbered in the order in which its entries become visible, so a poller misses none;
//! - the history of a fine is only added to.

kit::bindings!(
    "wharf:fines/fines",
    [
        "../../wit/payments.wit",
        "../../wit/signin.wit",
        "../../wit/fines.wit"
    ]
);

mod appeal;
mod calls;
mod car;
mod case;
mod charge;
mod client;
mod cover;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod fine;
mod geometry;
mod identity;
mod photo;
mod plan;
mod power;
pub mod routes;
pub mod saga;
mod schedule;
mod statistics;
mod store;
mod tariff;
#[cfg(test)]
mod tests;
mod ticket;
mod zone;
