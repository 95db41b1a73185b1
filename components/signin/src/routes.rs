//! The HTTP face of sign-in: one table per dialect, over the same few acts.

mod accounts;
mod fast_food;
mod keys;
mod letters;
mod parking;
mod people;
mod personal;
mod rpc;
mod second_factor;
mod sessions;
mod zones;

use axum::Router;

pub fn router() -> Router {
    Router::new()
        .merge(parking::router())
        .merge(accounts::router())
        .merge(fast_food::router())
        .merge(zones::router())
        .merge(rpc::router())
        .merge(sessions::router())
        .merge(personal::router())
        .merge(second_factor::router())
        .merge(letters::router())
        .merge(people::router())
        .merge(keys::router())
}
