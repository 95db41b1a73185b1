//! Bookings: taking a place, seeing it, changing it, calling it off.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use kit::{Admin, Caller, Driver, Json, Keyed, Page, Path, Problem, Query, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::booking::{Booking, Status, Window, end_bookable, moment};
use crate::error::Error;
use crate::routes::paged;
use crate::saga;
use crate::store::{self, Canceled, Listing, Quote, Taken};

/// What a driver asks for. Price, status and whose it is are not theirs to say.
#[derive(Deserialize)]
pub struct NewBooking {
    parking_place_id: Option<i64>,
    date_from: Option<String>,
    date_to: Option<String>,
    /// What a quote said: at another price nothing is booked.
    expected_cost: Option<i64>,
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
        let taken = store::book(&db, request, place, caller.id, window, body.expected_cost).await?;
        let booking = match taken {
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
pub struct Wanted {
    parking_place_id: Option<i64>,
    user_id: Option<Uuid>,
    status: Option<Status>,
    /// What ends later, and what begins sooner.
    date_from: Option<String>,
    date_to: Option<String>,
}

/// List bookings: a driver's own, those of an owner's place, or any for an admin.
pub async fn list_bookings(
    caller: Caller,
    uri: Uri,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let sees_own = caller.is(Role::Driver) && wanted.user_id.is_none_or(|it| it == caller.id);
    let may_own = caller.is(Role::Owner) && wanted.parking_place_id.is_some();
    let (driver, viewer) = if caller.is_admin() {
        (wanted.user_id, None)
    } else if may_own {
        // Whose place it is, the statement finds.
        (wanted.user_id, Some(caller.id))
    } else if sees_own {
        (Some(caller.id), Some(caller.id))
    } else {
        return Err(Error::Forbidden.into());
    };
    let listing = Listing {
        driver,
        place: wanted.parking_place_id,
        viewer,
        sees_own,
        status: wanted.status,
        from: bound("date_from", wanted.date_from.as_deref())?,
        to: bound("date_to", wanted.date_to.as_deref())?,
    };
    let listed = store::list(&store::open().await?, listing, page).await?;
    Ok(paged(&uri, page, listed))
}

fn bound(name: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    text.map(|it| moment(name, Some(it))).transpose()
}

/// List what is owed back and could not be paid yet.
pub async fn list_owed_refunds(
    _: Admin,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let owed = store::owed_refunds(&store::open().await?, page).await?;
    Ok(paged(&uri, page, owed))
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
    if change.status == Status::Canceled {
        return Ok(Json(call_off(&caller, id, false).await?));
    }
    let Json(booking) = show_booking(caller, Path(id)).await?;
    match (change.status, booking.status) {
        (Status::Confirmed, _) => Err(Error::ConfirmedByPayment.into()),
        // A whole booking as it was read: nothing is asked for, unless it has moved on.
        (_, Status::Waiting) => Ok(Json(booking)),
        (_, Status::Confirmed | Status::Canceled) => Err(Error::NotBack.into()),
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
