//! Orders: the menu of a shop, orders from it, each paid once, and the lists of its kitchen.
//!
//! Read in this order: [`routes`] holds the HTTP operations; [`shop`], [`product`], [`photo`] and [`order`] are types and
//! rules; [`saga`] keeps an order and its money together; [`store`] is the SQL, [`calls`] the calls to payments and signin,
//! [`error`] every refusal.
//!
//! Invariants, held by the functions in `migrations/orders`:
//! - a stock is never below zero, and every change of it is a movement;
//! - an order takes the steps of the table `step` and no others, each with a row of tracking;
//! - an order is paid exactly when its charge is, except for the moments that the sweep closes; a payment that
//!   comes too late is owed back by the statement that records it, once.

kit::bindings!(
    "wharf:orders/orders",
    [
        "../../wit/payments.wit",
        "../../wit/signin.wit",
        "../../wit/orders.wit"
    ]
);

mod calls;
mod charge;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod menu_file;
mod order;
mod photo;
mod product;
pub mod routes;
pub mod saga;
mod shop;
mod store;
#[cfg(test)]
mod tests;
