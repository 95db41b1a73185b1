//! The HTTP face of sign-in: one table per dialect, over the same few acts.

mod accounts;
mod fast_food;
mod import;
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

use kit::identity::Clock;
use kit::web::{Dialect, NoContent, Problem, Routes};

use crate::error::Error;
use crate::sweep;

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
        import::routes(),
        keys::routes(),
        operation(),
    ])
}

fn operation() -> Routes {
    Routes::new("Operation", Dialect::Plain).post("/auth/tick", tick, |it| {
        it.summary("Run due background work")
            .note("Does what the host's tick does, on platforms that have none.")
    })
}

async fn tick(_: Clock) -> Result<NoContent, Problem> {
    sweep::sweep().await?;
    Ok(NoContent)
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
