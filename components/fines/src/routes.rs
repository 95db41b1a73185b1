//! The HTTP face of fines: every operation of the parking zones below `/api/v1` except signing in.

mod appeals;
mod cars;
mod cases;
mod checks;
mod fines;
mod people;
mod photos;
mod plans;
mod tickets;
mod totems;
mod zones;

use kit::identity::Clock;
use kit::web::{Dialect, NoContent, Problem, Routes};

use crate::saga;

pub fn routes() -> Routes {
    let operation =
        Routes::new("Operation", Dialect::Zones).post("/api/v1/fines/tick", tick, |it| {
            it.summary("Sweep tickets and fines")
                .note("Does what the host's tick does, on platforms that have none.")
        });
    Routes::of([
        zones::routes(),
        people::routes(),
        totems::routes(),
        cars::routes(),
        tickets::routes(),
        checks::routes(),
        fines::routes(),
        plans::routes(),
        appeals::routes(),
        photos::routes(),
        cases::routes(),
        operation,
    ])
}

async fn tick(_: Clock) -> Result<NoContent, Problem> {
    saga::sweep().await?;
    Ok(NoContent)
}
