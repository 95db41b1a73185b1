//! The HTTP face of sign-in: one table per dialect, over the same few acts.

mod accounts;
mod keys;
mod parking;

use axum::Router;

pub fn router() -> Router {
    Router::new()
        .merge(parking::router())
        .merge(accounts::router())
        .merge(keys::router())
}
