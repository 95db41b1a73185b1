//! The gate of a place: cars come and leave, by their plates.

use kit::identity::Caller;
use kit::store::{Keyed, Replayable, event};
use kit::web::{Json, Path, Problem, Schema};
use plate::Plate;
use serde::Deserialize;

use crate::booking::Booking;
use crate::charge::{Canceled, Owing};
use crate::{saga, store};

#[derive(Deserialize, Schema)]
pub struct Car {
    /// However it is written: blanks, hyphens and capitals do not matter.
    plate: Plate,
}

pub async fn set_plate(
    caller: Caller,
    Path(id): Path<i64>,
    Json(car): Json<Car>,
) -> Result<Json<Booking>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::set_plate(&db, id, &caller, &car.plate).await?))
}

pub async fn check_in(
    caller: Caller,
    Path(place): Path<i64>,
    Keyed { body, once }: Keyed<Car>,
) -> Result<Replayable<Json<Booking>>, Problem> {
    let db = store::open().await?;
    let come = async {
        Ok(Json(
            store::check_in(&db, place, &caller, &body.plate).await?,
        ))
    };
    once.answer(&db, &caller, come).await
}

pub async fn check_out(
    caller: Caller,
    Path(place): Path<i64>,
    Keyed { body, once }: Keyed<Car>,
) -> Result<Replayable<Json<Booking>>, Problem> {
    let db = store::open().await?;
    let leave = async {
        let booking = store::check_out(&db, place, &caller, &body.plate).await?;
        if booking.overstay_owed == 0 {
            return Ok(Json(booking));
        }
        event::wake();
        let owing = Owing {
            booking: booking.id,
            driver: booking.driver,
        };
        // The car has left, whether the money comes or not.
        match saga::collect_overstay(&db, owing).await {
            Ok(collected) => Ok(Json(collected.unwrap_or(booking))),
            Err(error) => {
                eprintln!(
                    "the overstay of booking {} is left to the sweep: {error}",
                    booking.id
                );
                Ok(Json(booking))
            }
        }
    };
    once.answer(&db, &caller, leave).await
}

pub async fn waive_overstay(caller: Caller, Path(id): Path<i64>) -> Result<Json<Booking>, Problem> {
    let db = store::open().await?;
    let Canceled { booking, owed } = store::waive_overstay(&db, id, &caller).await?;
    saga::pay_refunds(&db, owed).await;
    event::wake();
    Ok(Json(booking))
}
