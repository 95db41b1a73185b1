//! Bookings: taking a place, seeing a booking, changing it, canceling it.

use axum::http::Uri;
use jiff::Timestamp;
use kit::identity::{Admin, Caller, Role};
use kit::store::{Db, Keyed, Replayable, event};
use kit::web::{Created, Json, Path, Problem, Query, Schema};
use plate::Plate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::booking::{
    Agreed, Booking, Listing, Quote, Status, Window, check_end, check_start, parse_moment,
};
use crate::charge::{Canceled, Taken, WaitingRefund};
use crate::error::Error;
use crate::identity::Driver;
use crate::list::{Paging, Rows, page_rows};
use crate::routes::Done;
use crate::{saga, store};

/// The request of a driver. The price, the status and the driver are not part of it.
#[derive(Deserialize, Schema)]
pub struct NewBooking {
    #[schemars(example = 1)]
    parking_place_id: Option<i64>,
    /// RFC 3339. The window may have begun.
    #[schemars(extend("format" = "date-time"))]
    date_from: Option<String>,
    /// RFC 3339, at most a year ahead.
    #[schemars(extend("format" = "date-time"))]
    date_to: Option<String>,
    /// The price of a quote, in minor units: at another price nothing is booked.
    expected_cost: Option<i64>,
    /// The plate of the car, for checks of cars.
    plate: Option<Plate>,
}

impl NewBooking {
    fn checked(&self) -> Result<(i64, Window), Error> {
        let place = self
            .parking_place_id
            .ok_or(Error::MissingField("parking_place_id"))?;
        let window = Window::bookable(
            self.date_from.as_deref(),
            self.date_to.as_deref(),
            kit::now(),
        )?;
        Ok((place, window))
    }
}

#[derive(Serialize, Schema)]
pub struct Booked {
    booking_id: i64,
    status: Status,
    full_cost: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    plate: Option<String>,
}

pub async fn create_booking(
    Driver(caller): Driver,
    Keyed { body, once }: Keyed<NewBooking>,
) -> Result<Replayable<Created<Booked, 200>>, Problem> {
    let (place, window) = body.checked()?;
    let db = store::open().await?;
    let request = once.id(&caller);
    let book = async {
        let agreed = Agreed {
            expected_cost: body.expected_cost,
            plate: body.plate.as_ref(),
        };
        let taken = saga::book(&db, request, place, caller.id, window, agreed).await?;
        let booking = match taken {
            Taken::Settled { booking, .. } => booking,
            Taken::ToPay(charge) => saga::settle_charge(&db, charge).await?,
        };
        if booking.status == Status::Canceled {
            return Err(Error::BookingCanceled.into());
        }
        event::wake();
        let booked = Booked {
            booking_id: booking.id,
            status: booking.status,
            full_cost: booking.full_cost,
            plate: booking.plate,
        };
        Ok(Created::at(format!("/booking/{}", booking.id), booked))
    };
    once.answer(&db, &caller, book).await
}

pub async fn quote_booking(Json(wish): Json<NewBooking>) -> Result<Json<Quote>, Problem> {
    let (place, window) = wish.checked()?;
    let db = store::open().await?;
    Ok(Json(store::quote(&db, place, window).await?))
}

pub async fn quote_booking_by_query(
    Query(wish): Query<NewBooking>,
) -> Result<Json<Quote>, Problem> {
    quote_booking(Json(wish)).await
}

#[derive(Deserialize, Schema)]
pub struct Wanted {
    parking_place_id: Option<i64>,
    user_id: Option<Uuid>,
    status: Option<Status>,
    /// RFC 3339: bookings that end later.
    #[schemars(extend("format" = "date-time"))]
    date_from: Option<String>,
    /// RFC 3339: bookings that begin sooner.
    #[schemars(extend("format" = "date-time"))]
    date_to: Option<String>,
}

pub async fn list_bookings(
    caller: Caller,
    uri: Uri,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<Rows<Booking>, Problem> {
    let sees_own = caller.is(Role::Driver) && wanted.user_id.is_none_or(|it| it == caller.id);
    let may_own = caller.is(Role::Owner) && wanted.parking_place_id.is_some();
    let (driver, viewer) = if caller.is_admin() {
        (wanted.user_id, None)
    } else if may_own {
        // The statement checks the owner of the place.
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
    let part = paging.part()?;
    let listed = store::list_bookings(&store::open().await?, listing, part).await?;
    Ok(Rows::full_of(&uri, part.limit, listed, |it| it.id))
}

fn bound(name: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    text.map(|it| parse_moment(name, Some(it))).transpose()
}

#[derive(Deserialize, Schema)]
pub struct Waiting {
    /// Refunds of a page; never more than 100.
    #[schemars(range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
    /// The id of the refund after which the page begins, as a `Link` says it.
    after: Option<Uuid>,
}

pub async fn list_waiting_refunds(
    _: Admin,
    uri: Uri,
    Query(wanted): Query<Waiting>,
) -> Result<Rows<WaitingRefund>, Problem> {
    let limit = page_rows(wanted.limit);
    let db = store::open().await?;
    let waiting = store::list_waiting_refunds(&db, wanted.after, limit).await?;
    Ok(Rows::full_of(&uri, limit, waiting, |it| it.id))
}

#[derive(Deserialize, Schema)]
pub struct OwingPage {
    /// Bookings of a page; never more than 100.
    #[schemars(range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
    /// The id of the booking after which the page begins, as a `Link` says it.
    #[schemars(example = 1)]
    after: Option<i64>,
}

pub async fn list_owing(
    _: Admin,
    uri: Uri,
    Query(wanted): Query<OwingPage>,
) -> Result<Rows<Booking>, Problem> {
    let limit = page_rows(wanted.limit);
    let db = store::open().await?;
    let owing = store::list_owing(&db, wanted.after, limit).await?;
    Ok(Rows::full_of(&uri, limit, owing, |it| it.id))
}

pub async fn show_booking(caller: Caller, Path(id): Path<i64>) -> Result<Json<Booking>, Problem> {
    let db = store::open().await?;
    let (booking, owner) = store::find_booking(&db, id).await?;
    if !caller.is_admin() && ![booking.driver, owner].contains(&caller.id) {
        return Err(Error::Forbidden.into());
    }
    Ok(Json(booking))
}

/// Old clients send a whole booking; only its status is read.
#[derive(Deserialize, Schema)]
pub struct Change {
    #[schemars(example = &"Canceled")]
    status: Status,
}

pub async fn change_booking(
    caller: Caller,
    Path(id): Path<i64>,
    Json(change): Json<Change>,
) -> Result<Json<Booking>, Problem> {
    if change.status == Status::Canceled {
        return Ok(Json(cancel(&caller, id, false).await?));
    }
    let Json(booking) = show_booking(caller, Path(id)).await?;
    match (change.status, booking.status) {
        (Status::Confirmed, _) => Err(Error::ConfirmedByPayment.into()),
        // The booking as it was read: nothing is asked for, unless its status changed meanwhile.
        (_, Status::Waiting) => Ok(Json(booking)),
        (_, Status::Confirmed | Status::Canceled) => Err(Error::NotBack.into()),
    }
}

pub async fn delete_booking(caller: Caller, Path(id): Path<i64>) -> Result<Json<Done>, Problem> {
    cancel(&caller, id, true).await?;
    Ok(Json(Done::that("Booking deleted")))
}

async fn cancel(caller: &Caller, id: i64, hide: bool) -> Result<Booking, Problem> {
    let db = store::open().await?;
    let Canceled { booking, owed } = store::cancel(&db, id, caller, hide).await?;
    saga::pay_refunds(&db, owed).await;
    event::wake();
    Ok(booking)
}

#[derive(Deserialize, Schema)]
pub struct NewEnd {
    /// RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    date_to: Option<String>,
}

pub async fn move_booking_end(
    caller: Caller,
    Path(id): Path<i64>,
    Keyed { body, once }: Keyed<NewEnd>,
) -> Result<Replayable<Json<Booking>>, Problem> {
    let to = parse_moment("date_to", body.date_to.as_deref())?;
    check_end(to, kit::now())?;
    let db = store::open().await?;
    let move_end = move_booking(&db, id, &caller, None, Some(to));
    once.answer(&db, &caller, move_end).await
}

#[derive(Deserialize, Schema)]
pub struct NewStart {
    /// RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    date_from: Option<String>,
}

pub async fn move_booking_start(
    caller: Caller,
    Path(id): Path<i64>,
    Keyed { body, once }: Keyed<NewStart>,
) -> Result<Replayable<Json<Booking>>, Problem> {
    let from = parse_moment("date_from", body.date_from.as_deref())?;
    check_start(from, kit::now())?;
    let db = store::open().await?;
    let move_start = move_booking(&db, id, &caller, Some(from), None);
    once.answer(&db, &caller, move_start).await
}

async fn move_booking(
    db: &Db,
    id: i64,
    caller: &Caller,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Json<Booking>, Problem> {
    let booking = match saga::move_booking(db, id, caller, from, to).await? {
        Taken::ToPay(charge) => saga::settle_charge(db, charge).await?,
        Taken::Settled { booking, owed } => {
            saga::pay_refunds(db, owed).await;
            booking
        }
    };
    if booking.status == Status::Canceled {
        return Err(Error::BookingCanceled.into());
    }
    event::wake();
    Ok(Json(booking))
}
