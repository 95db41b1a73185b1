//! Fines: issuing, polling and paying them.

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};
use kit::identity::{Admin, Caller};
use kit::setting;
use kit::store::{Db, Keyed, Once, Replayable, event};
use kit::web::{
    Created, Dialect, Json, Listed, NoContent, Page, Path, Problem, Query, Routes, Schema,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::checks::booked;
use super::tickets::{elsewhere_at, paying};
use crate::charge::Method;
use crate::error::Error;
use crate::fine::{Fine, HistoryLine, NewFine, Wanted, payment_address, reference};
use crate::identity::is_guest;
use crate::plan::Portion;
use crate::saga;
use crate::store::{self, Due, Poll};

pub fn routes() -> Routes {
    Routes::new("Fines", Dialect::Zones)
        .get("/api/v1/users/me/fines", poll_fines, |it| {
            it.summary("Poll the caller's fines")
                .note("The newest first; without `limit` everything, up to 5000 fines. With `since`, the fines after that `cursor`, the oldest first: no fine is left out and none comes twice, even if fines are issued meanwhile. The ETag changes with every change of a fine; until then `If-None-Match` is answered with 304.")
                .header("If-None-Match", false, "The ETag of the answer that the client has")
                .returns::<Vec<Fine>>(200)
                .returns_header(200, "ETag", "The version of the caller's fines")
                .returns_nothing(304)
        })
        .get("/api/v1/zones/{id}/fines", list_zone_fines, |it| {
            it.summary("List the fines of a zone")
                .note("The newest first.")
                .refuses([Error::UNKNOWN_ZONE, Error::FORBIDDEN])
        })
        .post("/api/v1/zones/{id}/fines", issue_fine, |it| {
            it.summary("Issue a fine")
                .note("For staff of the zone. The plate need not be registered: the fine waits for its driver. A car that is covered by a ticket, by the booking of a place in the zone or by the grace after them is not fined, unless an admin of the zone gives a reason. The same violation is fined once within the zone's `duplicate_minutes`.")
                .refuses([
                    Error::INVALID_FINE,
                    Error::UNKNOWN_ZONE,
                    Error::FORBIDDEN,
                    Error::UNKNOWN_CODE,
                    Error::OTHER_CURRENCY,
                    Error::OTHER_AMOUNT,
                    Error::COVERED,
                    Error::ALREADY_FINED,
                    Error::BOOKINGS_UNAVAILABLE,
                ])
        })
        .get("/api/v1/fines", list_fines, |it| {
            it.summary("List all fines").note("The newest first.")
        })
        .delete("/api/v1/fines", hide_all_fines, |it| {
            it.summary("Hide all fines").note("The rows stay, with the user who hid them and the time. Fines that were paid and whose appeal is open stay visible.")
        })
        .get("/api/v1/fines/references/{reference}", show_by_reference, |it| {
            it.summary("Show a fine by its reference")
                .note("The reference stands on the paper at the car.")
                .refuses([Error::UNKNOWN_FINE])
        })
        .post("/api/v1/fines/references/{reference}/pay", pay_by_reference, |it| {
            it.summary("Pay a fine by its reference")
                .note("Opens a payment page; the fine is paid once the provider says so.")
                .refuses([
                    Error::UNKNOWN_FINE,
                    Error::ALREADY_PAID,
                    Error::FINE_CANCELLED,
                    Error::PAYMENT_REFUSED,
                    Error::PAYMENT_UNAVAILABLE,
                ])
        })
        .get("/api/v1/fines/references/{reference}/pay", follow_to_payment, |it| {
            it.summary("Go to the payment page of a fine")
                .note("For browsers: the target of the code on the paper.")
                .returns_nothing(303)
                .returns_header(303, "Location", "The payment page")
                .refuses([
                    Error::UNKNOWN_FINE,
                    Error::ALREADY_PAID,
                    Error::FINE_CANCELLED,
                    Error::PAYMENT_REFUSED,
                    Error::PAYMENT_UNAVAILABLE,
                ])
        })
        .get("/api/v1/fines/references/{reference}/qr.svg", show_code, |it| {
            it.summary("Show the code of a fine")
                .note("A QR code for the paper at the car. It leads to the payment page.")
                .returns_media(200, "image/svg+xml")
                .refuses([Error::UNKNOWN_FINE])
        })
        .get("/api/v1/fines/{id}", show_fine, |it| {
            it.summary("Show a fine")
                .note("For staff of its zone, its driver and its payers; never for the shared guest.")
                .refuses([Error::UNKNOWN_FINE, Error::FORBIDDEN])
        })
        .delete("/api/v1/fines/{id}", hide_fine, |it| {
            it.summary("Hide a fine")
                .note("For staff of its zone. The row stays, with the user who hid it and the time. A fine that was paid is not hidden while its appeal is open. Hiding gives no money back: an accepted appeal does.")
                .refuses([
                    Error::UNKNOWN_FINE,
                    Error::FORBIDDEN,
                    Error::APPEAL_OPEN,
                ])
        })
        .post("/api/v1/fines/{id}/pay", pay_fine, |it| {
            it.summary("Pay a fine")
                .note("Pays from the wallet of the caller, who may pay for anyone. When it does not suffice, the answer is a 402 with the address of a payment page in its member `link` and its header `Link`. With `waive_appeal` the driver gives up the appeal, for good, and gets a discount. A fine in parts is paid off.")
                .refuses(paying())
                .refuses([
                    Error::UNKNOWN_FINE,
                    Error::FORBIDDEN,
                    Error::FINE_CANCELLED,
                    Error::NO_WAIVER,
                    Error::APPEALED,
                ])
        })
        .get("/api/v1/fines/{id}/history", list_history, |it| {
            it.summary("Show the history of a fine")
                .note("For staff of its zone, and its driver. Lines are only added.")
                .refuses([Error::UNKNOWN_FINE, Error::FORBIDDEN])
        })
}

#[derive(Deserialize, Schema)]
struct Since {
    /// The `cursor` of the last fine that the client has.
    #[schemars(range(min = 0))]
    since: Option<i64>,
}

async fn poll_fines(
    caller: Caller,
    headers: HeaderMap,
    Query(Since { since }): Query<Since>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| {
            it.trim()
                .trim_start_matches("W/")
                .trim_matches('"')
                .parse()
                .ok()
        });
    let poll = Poll { known, since, page };
    let (version, fines) = store::poll_fines(&store::open().await?, caller.id, &poll).await?;
    let tag = [(
        header::ETAG,
        HeaderValue::from_str(&format!("\"{version}\"")),
    )];
    let tag = tag.map(|(name, it)| (name, it.unwrap_or(HeaderValue::from_static("\"0\""))));
    Ok(match fines {
        None => (StatusCode::NOT_MODIFIED, tag).into_response(),
        Some(fines) => (tag, Json(fines)).into_response(),
    })
}

async fn list_zone_fines(
    caller: Caller,
    uri: Uri,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Listed<Fine>, Problem> {
    let (db, wanted) = (store::open().await?, wanted.bare());
    let fines = store::list_fines_in(&db, id, &caller, &wanted, page).await?;
    Ok(Listed::page(&uri, page, store::PAGE, fines))
}

async fn list_fines(
    _: Admin,
    uri: Uri,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Listed<Fine>, Problem> {
    let (db, wanted) = (store::open().await?, wanted.bare());
    let fines = store::list_fines(&db, &wanted, page).await?;
    Ok(Listed::page(&uri, page, store::PAGE, fines))
}

async fn issue_fine(
    caller: Caller,
    Path(zone): Path<i64>,
    Keyed { body, once }: Keyed<NewFine>,
) -> Result<Replayable<Created<Fine>>, Problem> {
    body.check()?;
    let db = store::open().await?;
    let request = once.id(&caller);
    let issue = async {
        let booked = booked(&db, zone, &body.plate).await?;
        let reference = reference(Uuid::new_v4(), Uuid::new_v4());
        let fine =
            store::issue_fine(&db, request, &reference, zone, &caller, &body, &booked).await?;
        event::wake();
        Ok(Created::at(format!("/api/v1/fines/{}", fine.id), fine))
    };
    once.answer(&db, &caller, issue).await
}

async fn show_fine(caller: Caller, Path(id): Path<i64>) -> Result<Json<Fine>, Problem> {
    if is_guest(&caller) {
        return Err(Error::Forbidden.into());
    }
    Ok(Json(
        store::find_fine(&store::open().await?, id, &caller).await?,
    ))
}

async fn show_by_reference(Path(reference): Path<String>) -> Result<Json<Fine>, Problem> {
    Ok(Json(
        store::find_by_reference(&store::open().await?, &reference).await?,
    ))
}

async fn hide_fine(caller: Caller, Path(id): Path<i64>) -> Result<NoContent, Problem> {
    store::hide_fine(&store::open().await?, id, &caller).await?;
    Ok(NoContent)
}

async fn hide_all_fines(Admin(caller): Admin) -> Result<NoContent, Problem> {
    store::hide_all_fines(&store::open().await?, caller.id).await?;
    Ok(NoContent)
}

async fn list_history(
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Vec<HistoryLine>>, Problem> {
    Ok(Json(
        store::list_history(&store::open().await?, id, &caller).await?,
    ))
}

#[derive(Deserialize, Schema)]
struct Waiver {
    /// The driver gives up the appeal, for good.
    waive_appeal: Option<bool>,
}

async fn pay_fine(
    caller: Caller,
    Path(id): Path<i64>,
    Query(waiver): Query<Waiver>,
    once: Once,
) -> Result<Replayable<Created<Fine>>, Problem> {
    let portion = Portion::Rest {
        waives: waiver.waive_appeal.unwrap_or(false),
    };
    let db = store::open().await?;
    let pay = async {
        pay(&db, id, &caller, portion).await?;
        let fine = store::find_paid_fine(&db, id).await?;
        Ok(Created::at(format!("/api/v1/fines/{id}"), fine))
    };
    once.answer(&db, &caller, pay).await
}

/// Pays from the wallet; the refusal has the address of a payment page when the wallet does not suffice.
pub async fn pay(db: &Db, id: i64, caller: &Caller, portion: Portion) -> Result<(), Problem> {
    let charge = match store::open_fine_charge(db, id, caller.id, Method::Wallet, portion).await? {
        Due::Nothing(_) => return Ok(()),
        Due::ToPay(_, charge) => charge,
    };
    if saga::pay_by_wallet(db, &charge).await? {
        return Ok(());
    }
    match store::open_fine_charge(db, id, caller.id, Method::Checkout, portion).await? {
        Due::Nothing(_) => Ok(()),
        Due::ToPay(_, charge) => Err(elsewhere_at(saga::open_checkout(&charge).await?)),
    }
}

/// Where to pay, and how much.
#[derive(Serialize, Schema)]
pub struct PaymentPage {
    #[serde(with = "kit::money::decimal")]
    #[schemars(with = "f64")]
    amount: i64,
    currency: kit::money::Currency,
    /// Absent when nothing is left to pay, and while the provider does not answer: ask again.
    link: Option<String>,
    fine_id: i64,
}

/// Payers without an account share this payer, so a repeated request gets the same page.
const NO_ACCOUNT: Uuid = Uuid::nil();

async fn pay_by_reference(Path(reference): Path<String>) -> Result<Json<PaymentPage>, Problem> {
    Ok(Json(open_page(&reference, REST).await?))
}

async fn follow_to_payment(Path(reference): Path<String>) -> Result<Response, Problem> {
    let page = open_page(&reference, REST).await?;
    // With a discount of 100 percent the fine is paid now, without a page.
    let link = page.link.ok_or(match page.amount {
        0 => Error::AlreadyPaid,
        _ => Error::PaymentUnavailable,
    })?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, link)]).into_response())
}

/// The part that payers without an account pay. They cannot give up the appeal.
const REST: Portion = Portion::Rest { waives: false };

pub async fn open_page(reference: &str, portion: Portion) -> Result<PaymentPage, Problem> {
    let db = store::open().await?;
    let due = store::open_reference_charge(&db, reference, NO_ACCOUNT, portion).await?;
    Ok(match due {
        Due::Nothing(fine) => PaymentPage {
            amount: 0,
            currency: fine.currency,
            link: None,
            fine_id: fine.id,
        },
        Due::ToPay(fine, charge) => PaymentPage {
            amount: charge.amount,
            currency: charge.currency,
            link: saga::open_checkout(&charge).await?,
            fine_id: fine.id,
        },
    })
}

/// The standard asks for four modules of white around the code.
const QUIET: usize = 4;

async fn show_code(Path(reference): Path<String>) -> Result<Response, Problem> {
    store::find_by_reference(&store::open().await?, &reference).await?;
    let address = payment_address(setting("public_url").await?, &reference);
    let code = QRBuilder::new(address).ecl(ECL::M).build();
    let code = code.map_err(|_| Error::Stored("an address that is too long for a code"))?;
    let svg = SvgBuilder::default().margin(QUIET).to_str(&code);
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}
