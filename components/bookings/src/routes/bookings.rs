//! Bookings: taking a place, seeing it, changing it, calling it off.

use axum::http::StatusCode;
use axum::response::Response;
use kit::{Caller, Driver, Json, Keyed, Page, Path, Problem, Query, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::booking::{Booking, Status, Window, end_bookable, moment};
use crate::error::Error;
use crate::saga;
use crate::store::{self, Canceled, Quote, Taken};

/// What a driver asks for. Price, status and whose it is are not theirs to say.
#[derive(Deserialize)]
pub struct NewBooking {
    parking_place_id: Option<i64>,
    date_from: Option<String>,
    date_to: Option<String>,
}

impl NewBooking {
    fn checked(&self) -> Result<(i64, Window), Error> {
        let place = self
            .parking_place_id
            .ok_or(Error::Missing("parking_place_id"))?;
        let window = Window::bookable(
            self.date_from.as_deref(),
            self.date_to.as_deref(),
            kit::now(),
        )?;
        Ok((place, window))
    }
}

#[derive(Serialize)]
struct Booked {
    booking_id: i64,
    status: Status,
    full_cost: i64,
}

/// Take a place and pay for it.
pub async fn create_booking(
    Driver(caller): Driver,
    Keyed { body, once }: Keyed<NewBooking>,
) -> Result<Response, Problem> {
    let (place, window) = body.checked()?;
    let db = store::open().await?;
    let request = once.id(&caller);
    let book = async {
        let booking = match store::book(&db, request, place, caller.id, window).await? {
            Taken::Settled { booking, .. } => booking,
            Taken::ToPay(charged) => saga::charge(&db, charged).await?,
        };
        if booking.status == Status::Canceled {
            return Err(Error::CalledOff.into());
        }
        kit::event::wake();
        let booked = Booked {
            booking_id: booking.id,
            status: booking.status,
            full_cost: booking.full_cost,
        };
        Ok((StatusCode::OK, booked))
    };
    once.answer(&db, &caller, book).await
}

/// What a booking would cost, and whether there is room.
pub async fn quote_booking(Json(wish): Json<NewBooking>) -> Result<Json<Quote>, Problem> {
    let (place, window) = wish.checked()?;
    let db = store::open().await?;
    Ok(Json(store::quote(&db, place, window).await?))
}

/// The same, for a link.
pub async fn quote_booking_by_query(
    Query(wish): Query<NewBooking>,
) -> Result<Json<Quote>, Problem> {
    quote_booking(Json(wish)).await
}

#[derive(Deserialize)]
pub struct Listed {
    parking_place_id: Option<i64>,
    user_id: Option<Uuid>,
}

/// List bookings: a driver's own, those of an owner's place, or any for an admin.
pub async fn list_bookings(
    caller: Caller,
    Query(listed): Query<Listed>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Booking>>, Problem> {
    let db = store::open().await?;
    if caller.is_admin() {
        let all = store::list(&db, listed.user_id, listed.parking_place_id, page).await?;
        return Ok(Json(all));
    }
    if let Some(place) = listed.parking_place_id.filter(|_| caller.is(Role::Owner)) {
        let place = store::place(&db, place).await?.ok_or(Error::UnknownPlace)?;
        if place.owner == caller.id {
            let of_place = store::list(&db, listed.user_id, Some(place.id), page).await?;
            return Ok(Json(of_place));
        }
    }
    if !caller.is(Role::Driver) || listed.user_id.is_some_and(|it| it != caller.id) {
        return Err(Error::Forbidden.into());
    }
    let own = store::list(&db, Some(caller.id), listed.parking_place_id, page).await?;
    Ok(Json(own))
}

/// Show a booking to its driver, the owner of its place or an admin.
pub async fn show_booking(caller: Caller, Path(id): Path<i64>) -> Result<Json<Booking>, Problem> {
    let db = store::open().await?;
    let (booking, owner) = store::find(&db, id).await?;
    if !caller.is_admin() && ![booking.driver, owner].contains(&caller.id) {
        return Err(Error::Forbidden.into());
    }
    Ok(Json(booking))
}

/// A whole booking is sent; only its status is read.
#[derive(Deserialize)]
pub struct Change {
    status: Status,
}

/// Change the status, which is to say: call it off.
pub async fn change_booking(
    caller: Caller,
    Path(id): Path<i64>,
    Json(change): Json<Change>,
) -> Result<Json<Booking>, Problem> {
    match change.status {
        Status::Confirmed => Err(Error::ConfirmedByPayment.into()),
        Status::Canceled => Ok(Json(call_off(&caller, id, false).await?)),
        // A whole booking as it was read: nothing is asked for, unless it has moved on.
        Status::Waiting => {
            let Json(booking) = show_booking(caller, Path(id)).await?;
            match booking.status {
                Status::Waiting => Ok(Json(booking)),
                Status::Confirmed | Status::Canceled => Err(Error::NotBack.into()),
            }
        }
    }
}

/// Call a booking off, give its price back and forget it.
pub async fn delete_booking(caller: Caller, Path(id): Path<i64>) -> Result<Json<Value>, Problem> {
    call_off(&caller, id, true).await?;
    Ok(Json(
        json!({ "status": "success", "message": "Booking deleted" }),
    ))
}

async fn call_off(caller: &Caller, id: i64, hide: bool) -> Result<Booking, Problem> {
    let db = store::open().await?;
    let Canceled { booking, owed } = store::cancel(&db, id, caller, hide).await?;
    saga::repay(&db, owed).await;
    kit::event::wake();
    Ok(booking)
}

#[derive(Deserialize)]
pub struct NewEnd {
    date_to: Option<String>,
}

/// Stay longer or leave earlier; the difference is charged or given back.
pub async fn move_booking_end(
    caller: Caller,
    Path(id): Path<i64>,
    Keyed { body, once }: Keyed<NewEnd>,
) -> Result<Response, Problem> {
    let to = moment("date_to", body.date_to.as_deref())?;
    end_bookable(to, kit::now())?;
    let db = store::open().await?;
    let move_end = async {
        let booking = match store::move_end(&db, id, &caller, to).await? {
            Taken::ToPay(charged) => saga::charge(&db, charged).await?,
            Taken::Settled { booking, owed } => {
                saga::repay(&db, owed).await;
                booking
            }
        };
        if booking.status == Status::Canceled {
            return Err(Error::CalledOff.into());
        }
        kit::event::wake();
        Ok((StatusCode::OK, booking))
    };
    once.answer(&db, &caller, move_end).await
}
