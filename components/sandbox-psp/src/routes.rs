//! The HTTP face of the sandbox: the provider's API for the merchant, and a page for the payer.

mod callers;
mod orders;
mod page;
mod payments;
mod preferences;

use kit::web::{Dialect, Routes};

use crate::error::Error;

/// The path of the sandbox; the variable `psp_path` of payments has the same value.
const PREFIX: &str = "/sandbox-psp";

pub fn routes() -> Routes {
    let routes = Routes::new("Sandbox payment provider", Dialect::Plain)
        .post("/checkout/preferences", preferences::create_preference, |it| {
            it.summary("Create a bill to pay on a page")
                .note("A preference with one item. Repeated with the same `X-Idempotency-Key`: the first one again.")
                .refuses([Error::MALFORMED])
        })
        .post("/v1/orders", orders::create_order, |it| {
            it.summary("Create a bill to pay by scanning")
                .note("An order in BRL. Repeated with the same `X-Idempotency-Key`: the first one again.")
                .refuses([Error::MALFORMED])
        })
        .get("/v1/orders/{id}", orders::show_order, |it| {
            it.summary("Show an order").refuses([Error::UNKNOWN])
        })
        .post("/v1/orders/{id}/refund", orders::refund_order, |it| {
            it.summary("Refund an order")
                .note("Refunds every approved payment of the order, or the parts that `transactions` names. Repeated with the same `X-Idempotency-Key`: no effect.")
                .refuses([Error::UNKNOWN, Error::MALFORMED, Error::NOT_REFUNDABLE])
        })
        .get("/v1/payments/search", payments::search_payments, |it| {
            it.summary("Find payments by their reference")
        })
        .get("/v1/payments/{id}", payments::show_payment, |it| {
            it.summary("Show a payment").refuses([Error::UNKNOWN])
        })
        .post("/v1/payments/{id}/refunds", payments::refund_payment, |it| {
            it.summary("Refund a payment")
                .note("Refunds an `amount`, or all that is left. Repeated with the same `X-Idempotency-Key`: no effect.")
                .refuses([Error::UNKNOWN, Error::MALFORMED, Error::NOT_REFUNDABLE])
        })
        .get("/pay/{id}", page::show_bill, |it| {
            it.summary("Show the page to pay on")
                .returns_media(200, "text/html")
                .refuses([Error::UNKNOWN])
        })
        .post("/pay/{id}", page::decide, |it| {
            it.summary("Approve or decline a bill")
                .note("An approved preference leads back to the merchant.")
                .returns_media(200, "text/html")
                .returns_nothing(303)
                .refuses([Error::UNKNOWN, Error::CLOSED])
        });
    Routes::of([]).below(PREFIX, routes)
}
