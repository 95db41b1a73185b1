//! Payments through the PSP, in decimals, and what admins do with them.

use axum::http::{HeaderName, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use kit::identity::{Admin, Caller};
use kit::money::{Cents, Currency, decimal};
use kit::now;
use kit::store::{Keyed, Replayable};
use kit::web::{Created, Json, Listed, Operation, Output, Page, Path, Problem, Query, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::manual::{Because, hand};
use crate::attempt::{Attempt, Dispute};
use crate::checkout::{
    Checkout, Credit, Method, NewCheckout, OPENER, Status, description, expiry, payer_email,
};
use crate::error::Error;
use crate::ledger::TrialBalance;
use crate::manual::{Acted, Reason};
use crate::part::Return;
use crate::qr::{self, QrError};
use crate::reference::{self, Reference};
use crate::settlement;
use crate::store::{self, checkout as checkouts};

/// A payment as its clients read it.
#[derive(Serialize, Schema)]
pub struct Payment {
    payment_id: Uuid,
    order_id: String,
    customer_id: Reference,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    amount: i64,
    currency: String,
    status: Status,
    /// A PNG in base64, while it can be paid.
    qr_code: Option<String>,
    /// The page of the provider on which it is paid.
    payment_link: Option<String>,
    expires_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<Checkout> for Payment {
    type Error = QrError;

    fn try_from(it: Checkout) -> Result<Self, QrError> {
        Ok(Self {
            payment_id: it.id,
            qr_code: it.qr_code()?,
            order_id: it.reference,
            customer_id: Reference::shown(&it.customer),
            amount: it.amount.get(),
            currency: it.currency,
            status: it.status,
            payment_link: it.link,
            expires_at: it.expires_at,
            created_at: it.created_at,
            updated_at: it.updated_at,
        })
    }
}

fn brl() -> Currency {
    Currency::Brl
}

#[derive(Deserialize, Schema)]
pub struct NewPayment {
    #[serde(deserialize_with = "reference::read")]
    #[schemars(with = "Reference")]
    order_id: String,
    #[serde(with = "decimal")]
    #[schemars(with = "f64", extend("minimum" = 0.01, "maximum" = 10_000_000_000_i64), example = 25.5)]
    amount: i64,
    /// What the payer reads; the order's number when absent.
    #[serde(default)]
    #[schemars(example = &"Two burgers")]
    description: String,
    #[serde(deserialize_with = "reference::read")]
    #[schemars(with = "Reference")]
    customer_id: String,
    /// A QR code is paid in BRL.
    #[serde(default = "brl")]
    currency: Currency,
    /// The payer's e-mail; a malformed address is left out.
    #[schemars(example = &"ana@example.com")]
    email: Option<String>,
    #[serde(default)]
    method: Method,
}

pub async fn create_payment(
    caller: Caller,
    Keyed { body, once }: Keyed<NewPayment>,
) -> Result<Replayable<Created<Payment, 200>>, Problem> {
    if !body.method.supports(body.currency) {
        return Err(Error::NotForQr.into());
    }
    let new = NewCheckout {
        id: once.id(&caller),
        opener: OPENER.to_owned(),
        description: description(&body.description, &body.order_id),
        reference: body.order_id,
        customer: body.customer_id,
        owner: caller.id,
        amount: Cents::new(body.amount).map_err(|_| Error::UnfitAmount)?,
        currency: body.currency,
        email: payer_email(body.email),
        method: body.method,
        credit: Credit::Sales,
        expires_at: expiry(now(), None),
    };
    let db = store::open_to_move().await?;
    once.answer(&db, &caller, async {
        let checkout = settlement::open(&db, new).await?;
        let payment = to_payment(checkout)?;
        Ok(Created::at(
            format!("/payments/{}", payment.payment_id),
            payment,
        ))
    })
    .await
}

fn to_payment(checkout: Checkout) -> Result<Payment, Error> {
    Ok(Payment::try_from(checkout)?)
}

#[derive(Deserialize, Schema)]
pub struct WantedPayments {
    /// The one payment with this id.
    payment_id: Option<String>,
    order_id: Option<String>,
    customer_id: Option<String>,
}

/// One payment when its id was asked for; a list otherwise.
pub enum Found {
    One(Json<Payment>),
    Several(Listed<Payment>),
}

impl IntoResponse for Found {
    fn into_response(self) -> Response {
        match self {
            Self::One(payment) => payment.into_response(),
            Self::Several(payments) => payments.into_response(),
        }
    }
}

impl Output for Found {
    fn describe(operation: &mut Operation) {
        #[derive(Schema)]
        #[schemars(untagged)]
        #[allow(dead_code)]
        enum FoundPayments {
            One(Payment),
            Several(Vec<Payment>),
        }
        Listed::<Payment>::describe(operation);
        operation.add_answer::<FoundPayments>(200);
    }
}

/// Payments of a page when the client does not say how many.
const PAYMENTS: i64 = 20;

/// Admins see every payment, other callers those that they own.
fn viewer(caller: &Caller) -> Option<Uuid> {
    (!caller.is_admin()).then_some(caller.id)
}

pub async fn list_payments(
    caller: Caller,
    uri: Uri,
    Query(wanted): Query<WantedPayments>,
    Query(page): Query<Page>,
) -> Result<Found, Problem> {
    if let Some(id) = wanted.payment_id {
        let id = id.parse().map_err(|_| Error::UnknownPayment)?;
        return Ok(Found::One(show_payment(caller, Path(id)).await?));
    }
    if wanted.order_id.is_none() && wanted.customer_id.is_none() {
        return Err(Error::NothingAskedFor.into());
    }
    // PostgreSQL's texts hold no NUL, so no payment has such a name.
    let names = [&wanted.order_id, &wanted.customer_id];
    if names.into_iter().flatten().any(|it| it.contains('\0')) {
        return Err(Error::UnknownPayment.into());
    }
    let db = store::open().await?;
    let found = checkouts::list_checkouts(
        &db,
        wanted.order_id,
        wanted.customer_id,
        viewer(&caller),
        page.limit(PAYMENTS),
        page.offset(),
    )
    .await?;
    if found.is_empty() && page.offset() == 0 {
        return Err(Error::UnknownPayment.into());
    }
    let payments = found
        .into_iter()
        .map(to_payment)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Found::Several(Listed::page(&uri, page, PAYMENTS, payments)))
}

pub async fn show_payment(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Payment>, Problem> {
    let db = store::open().await?;
    let checkout = checkouts::find_checkout(&db, id, viewer(&caller)).await?;
    Ok(Json(to_payment(checkout)?))
}

#[derive(Deserialize, Schema)]
pub struct NewStatus {
    new_status: Status,
    /// Why: the trace of the act keeps it.
    reason: Option<Reason>,
}

/// Changes a status by an admin's decision, which books money or takes it back.
pub async fn change_payment(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
    Query(wanted): Query<NewStatus>,
) -> Result<Acted<Payment>, Problem> {
    // Clients of the replaced system have no field for one.
    let reason = wanted
        .reason
        .or_else(|| wanted.new_status.moves_money().then(Reason::not_given));
    let db = store::open_to_move().await?;
    let hand = hand(&caller, reason).await?;
    let (is_proposed, checkout) =
        settlement::change_by_hand(&db, id, wanted.new_status, &hand).await?;
    Ok(Acted {
        is_proposed,
        body: to_payment(checkout)?,
    })
}

pub async fn list_attempts(
    Admin(_): Admin,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<Attempt>>, Problem> {
    let db = store::open().await?;
    Ok(Json(checkouts::list_attempts(&db, id).await?))
}

pub async fn return_attempt(
    Admin(caller): Admin,
    Path((id, attempt)): Path<(Uuid, String)>,
    Query(because): Query<Because>,
) -> Result<Json<Vec<Attempt>>, Problem> {
    let db = store::open_to_move().await?;
    let hand = hand(&caller, Some(because.reason)).await?;
    settlement::return_disputed(&db, id, &attempt, &hand).await?;
    Ok(Json(checkouts::list_attempts(&db, id).await?))
}

/// Disputes of a page when the client does not say how many.
const DISPUTES: i64 = 50;

pub async fn list_disputes(
    Admin(_): Admin,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Listed<Dispute>, Problem> {
    let db = store::open().await?;
    let disputes = checkouts::list_disputes(&db, page.limit(DISPUTES), page.offset()).await?;
    Ok(Listed::page(&uri, page, DISPUTES, disputes))
}

/// Returns of a page when the client does not say how many.
const RETURNS: i64 = 50;

pub async fn list_returns(
    Admin(_): Admin,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Listed<Return>, Problem> {
    let db = store::open().await?;
    let returns = store::part::list_returns(&db, page.limit(RETURNS), page.offset()).await?;
    Ok(Listed::page(&uri, page, RETURNS, returns))
}

pub async fn show_trial_balance(Admin(_): Admin) -> Result<Json<TrialBalance>, Problem> {
    let db = store::open().await?;
    let totals = store::ledger::trial_balance(&db).await?;
    Ok(Json(TrialBalance::of(totals)))
}

/// The page to which the PSP leads the payer in the end. It is public, so it does not say how the payment ended.
pub async fn show_done(
    Path(_): Path<Uuid>,
) -> ([(HeaderName, &'static str); 1], Html<&'static str>) {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, Html(include_str!("done.html")))
}

async fn find_scan(caller: &Caller, id: Uuid) -> Result<String, Error> {
    let db = store::open().await?;
    let checkout = checkouts::find_checkout(&db, id, viewer(caller)).await?;
    checkout.scan.ok_or(Error::WrongStatus(checkout.status))
}

pub async fn show_png(caller: Caller, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let png = qr::png(&find_scan(&caller, id).await?).map_err(Error::from)?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
}

pub async fn show_svg(caller: Caller, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let svg = qr::svg(&find_scan(&caller, id).await?).map_err(Error::from)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}
