//! The HTTP face of sign-in: one table per dialect, over the same few acts.

mod accounts;
mod fast_food;
mod keys;
mod letters;
mod methods;
mod parking;
mod personal;
mod second_factor;
mod sessions;
mod token;
mod users;
mod zones;

use kit::web::{Problem, Routes};

use crate::error::Error;

pub fn routes() -> Routes {
    Routes::of([
        parking::routes(),
        accounts::routes(),
        fast_food::routes(),
        zones::routes(),
        methods::routes(),
        sessions::routes(),
        personal::routes(),
        second_factor::routes(),
        letters::routes(),
        users::routes(),
        keys::routes(),
    ])
}

/// What signing in by password may be refused with.
fn signing_in() -> [Problem; 5] {
    [
        Error::WRONG_PASSWORD,
        Error::CODE_REQUIRED,
        Error::WRONG_CODE,
        Error::TOO_MANY_TRIES,
        Error::BUSY,
    ]
}

/// What registering may be refused with.
fn registering() -> [Problem; 5] {
    [
        Error::LOGIN_TAKEN,
        Error::EMAIL_TAKEN,
        Error::PASSWORD_IS_NAME,
        Error::TOO_MANY_TRIES,
        Error::BUSY,
    ]
}
