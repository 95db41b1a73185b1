//! Tickets: buying, paying, extending and ending them.

use axum::http::Uri;
use jiff::Timestamp;
use kit::identity::{Admin, Caller};
use kit::store::{Db, Keyed, Once, Replayable, event};
use kit::web::{
    Created, Dialect, Json, Listed, NoContent, Page, Path, Problem, Query, Routes, Schema,
};
use serde::{Deserialize, Serialize};

use crate::charge::Method;
use crate::error::Error;
use crate::identity::is_guest;
use crate::saga;
use crate::store;
use crate::ticket::{NewTicket, Ticket};

pub fn routes() -> Routes {
    Routes::new("Tickets", Dialect::Zones)
        .get("/api/v1/users/me/tickets", list_own_tickets, |it| {
            it.summary("List the caller's tickets")
                .note("Tickets of the caller's cars, except those that were over when the car became the caller's, and tickets that the caller bought for others. The newest first. Without `limit` everything, up to 5000 tickets. The list of the shared guest is empty.")
        })
        .get("/api/v1/tickets", list_tickets, |it| {
            it.summary("List all tickets").note("The newest first.")
        })
        .get("/api/v1/tickets/{id}", show_ticket, |it| {
            it.summary("Show a ticket")
                .note("For staff of its zone, the owners of its cars, its buyer and its payer; never for the shared guest.")
                .refuses([Error::UNKNOWN_TICKET, Error::FORBIDDEN])
        })
        .delete("/api/v1/tickets/{id}", remove_ticket, |it| {
            it.summary("Delete an unpaid ticket")
                .note("For the owner of its car; a ticket of several cars also for its buyer.")
                .refuses([Error::UNKNOWN_TICKET, Error::FORBIDDEN, Error::ALREADY_PAID])
        })
        .post("/api/v1/tickets/{id}/pay", pay_ticket, |it| {
            it.summary("Pay a ticket")
                .note("Pays from the wallet of the caller, who may pay for anyone. When it does not suffice, the answer is a 402 with the address of a payment page in its member `link` and its header `Link`. An extension is not sold once the ticket that it extends has ended early.")
                .refuses(paying())
                .refuses([
                    Error::UNKNOWN_TICKET,
                    Error::TICKET_OVER,
                    Error::ALREADY_EXTENDED,
                    Error::TICKET_CHANGED,
                ])
        })
        .post("/api/v1/tickets/{id}/end", end_ticket, |it| {
            it.summary("End a ticket early")
                .note("For its buyer, or the owner of all its cars; never for the shared guest. Where the zone allows it, the difference goes back to the wallet that paid.")
                .refuses([
                    Error::UNKNOWN_TICKET,
                    Error::FORBIDDEN,
                    Error::TICKET_UNPAID,
                    Error::TICKET_OVER,
                    Error::ALREADY_EXTENDED,
                    Error::TICKET_CHANGED,
                ])
        })
        .get("/api/v1/zones/{id}/tickets", list_zone_tickets, |it| {
            it.summary("List the tickets of a zone")
                .note("The newest first.")
                .refuses([Error::UNKNOWN_ZONE, Error::FORBIDDEN])
        })
        .post("/api/v1/zones/{id}/tickets", buy_ticket, |it| {
            it.summary("Buy a ticket")
                .note("A ticket is valid once it is paid; a free one is paid at once. A ticket that begins at the end of a paid ticket of the same car in the same zone extends it, and costs the price of the whole stay less what was paid for the earlier part. With `other_plates` it covers several cars, each at the same price; a ticket of exactly these cars is extended as a whole.")
                .refuses(pricing())
                .refuses([Error::UNKNOWN_CAR, Error::ZONE_UNAVAILABLE, Error::ALREADY_EXTENDED])
        })
        .post("/api/v1/zones/{id}/tickets/quote", quote_ticket, |it| {
            it.summary("Quote a ticket").note("Nothing is kept.").refuses(pricing())
        })
}

fn pricing() -> [Problem; 5] {
    [
        Error::INVALID_TICKET,
        Error::UNKNOWN_ZONE,
        Error::STAY_TOO_LONG,
        Error::PRICE_OUT_OF_RANGE,
        Error::STALE,
    ]
}

/// The refusals of payments from a wallet.
pub fn paying() -> [Problem; 6] {
    [
        Error::ALREADY_PAID,
        Error::INSUFFICIENT_FUNDS,
        Error::PAYMENT_RUNNING,
        Error::PAYMENT_REFUSED,
        Error::PAID_TOO_LATE,
        Error::PAYMENT_UNAVAILABLE,
    ]
}

/// How often a price is computed again because the zone changed meanwhile.
const MAX_PRICINGS: usize = 3;

#[derive(Deserialize, Schema)]
struct Validity {
    /// Paid, and not over.
    valid_only: Option<bool>,
}

async fn list_own_tickets(
    caller: Caller,
    uri: Uri,
    Query(wanted): Query<Validity>,
    Query(page): Query<Page>,
) -> Result<Listed<Ticket>, Problem> {
    let valid_only = wanted.valid_only.unwrap_or(false);
    let tickets = match is_guest(&caller) {
        true => Vec::new(),
        false => {
            let db = store::open().await?;
            store::list_tickets_of(&db, caller.id, valid_only, page).await?
        }
    };
    Ok(Listed::page(&uri, page, store::LONG_PAGE, tickets))
}

#[derive(Deserialize, Schema)]
struct Wanted {
    /// Paid, and not over.
    valid_only: Option<bool>,
    /// RFC 3339: tickets that start later.
    start_date_after: Option<Timestamp>,
    /// RFC 3339: tickets that end sooner.
    end_date_before: Option<Timestamp>,
}

async fn list_tickets(
    _: Admin,
    uri: Uri,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Listed<Ticket>, Problem> {
    let wanted = store::Wanted {
        valid_only: wanted.valid_only.unwrap_or(false),
        starts_after: wanted.start_date_after,
        ends_before: wanted.end_date_before,
    };
    let tickets = store::list_tickets(&store::open().await?, wanted, page).await?;
    Ok(Listed::page(&uri, page, store::PAGE, tickets))
}

async fn list_zone_tickets(
    caller: Caller,
    uri: Uri,
    Path(id): Path<i64>,
    Query(wanted): Query<Validity>,
    Query(page): Query<Page>,
) -> Result<Listed<Ticket>, Problem> {
    let valid_only = wanted.valid_only.unwrap_or(false);
    let db = store::open().await?;
    let tickets = store::list_tickets_in(&db, id, &caller, valid_only, page).await?;
    Ok(Listed::page(&uri, page, store::PAGE, tickets))
}

async fn show_ticket(caller: Caller, Path(id): Path<i64>) -> Result<Json<Ticket>, Problem> {
    if is_guest(&caller) {
        return Err(Error::Forbidden.into());
    }
    Ok(Json(
        store::find_ticket(&store::open().await?, id, &caller).await?,
    ))
}

async fn remove_ticket(caller: Caller, Path(id): Path<i64>) -> Result<NoContent, Problem> {
    store::remove_ticket(&store::open().await?, id, caller.id).await?;
    Ok(NoContent)
}

async fn buy_ticket(
    caller: Caller,
    Path(zone): Path<i64>,
    Keyed { body, once }: Keyed<NewTicket>,
) -> Result<Replayable<Created<Ticket>>, Problem> {
    let stay = body.checked(kit::now())?;
    let db = store::open().await?;
    let request = once.id(&caller);
    let buy = async {
        for _ in 0..MAX_PRICINGS {
            let basis = store::find_basis(&db, zone, &body, stay).await?;
            let price = basis.price(stay, body.plates().len())?;
            let made = store::create_ticket(&db, request, &body, caller.id, stay, &basis, price);
            match made.await {
                Err(Error::Stale) => {}
                Err(error) => return Err(error.into()),
                Ok(ticket) => {
                    return Ok(Created::at(
                        format!("/api/v1/tickets/{}", ticket.id),
                        ticket,
                    ));
                }
            }
        }
        Err(Error::Stale.into())
    };
    once.answer(&db, &caller, buy).await
}

/// The price that a ticket would have.
#[derive(Serialize, Schema)]
struct Quote {
    #[serde(with = "kit::money::decimal")]
    #[schemars(with = "f64")]
    price: i64,
    currency: kit::money::Currency,
    end_date: Timestamp,
    /// The ticket that it would extend.
    extends: Option<i64>,
}

async fn quote_ticket(
    Path(zone): Path<i64>,
    Json(wish): Json<NewTicket>,
) -> Result<Json<Quote>, Problem> {
    let stay = wish.checked(kit::now())?;
    let db = store::open().await?;
    let basis = store::find_basis(&db, zone, &wish, stay).await?;
    Ok(Json(Quote {
        price: basis.price(stay, wish.plates().len())?,
        currency: basis.zone.currency,
        end_date: stay.to,
        extends: basis.follows,
    }))
}

async fn pay_ticket(
    caller: Caller,
    Path(id): Path<i64>,
    once: Once,
) -> Result<Replayable<Created<Ticket>>, Problem> {
    let db = store::open().await?;
    let pay = async {
        pay(&db, id, &caller).await?;
        let ticket = store::find_paid_ticket(&db, id).await?;
        Ok(Created::at(format!("/api/v1/tickets/{id}"), ticket))
    };
    once.answer(&db, &caller, pay).await
}

async fn pay(db: &Db, id: i64, caller: &Caller) -> Result<(), Problem> {
    let charge = store::open_ticket_charge(db, id, caller.id, Method::Wallet).await?;
    if saga::pay_by_wallet(db, &charge).await? {
        return Ok(());
    }
    let elsewhere = store::open_ticket_charge(db, id, caller.id, Method::Checkout).await?;
    Err(elsewhere_at(saga::open_checkout(&elsewhere).await?))
}

/// The wallet does not suffice; the payment page, once the provider has said it.
pub fn elsewhere_at(link: Option<String>) -> Problem {
    let problem = Problem::from(Error::InsufficientFunds);
    match link {
        Some(link) => problem.payment_link(link),
        None => problem,
    }
}

async fn end_ticket(caller: Caller, Path(id): Path<i64>) -> Result<Json<Ticket>, Problem> {
    if is_guest(&caller) {
        return Err(Error::Forbidden.into());
    }
    let db = store::open().await?;
    let ending = store::find_ending(&db, id).await?;
    let (ends, price) = ending.shortened(kit::now())?;
    let ticket = store::end_ticket(&db, id, caller.id, ending.end_at, ends, price).await?;
    saga::pay_due_refunds(&db).await?;
    event::wake();
    Ok(Json(ticket))
}
