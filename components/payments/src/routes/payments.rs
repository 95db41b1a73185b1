//! The fast-food dialect: payments through the PSP, its webhook, and for admins
//! the trial balance.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use kit::{
    Admin, Caller, Cents, Currency, Dialect, Json, Keyed, Page, Path, Problem, Query, now, setting,
    speaking,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::checkout::{Attempt, Checkout, Dispute, Method, Status};
use crate::error::Error;
use crate::ledger::Total;
use crate::psp::{Subject, signature};
use crate::qr::{self, QrError};
use crate::store::{self, NewCheckout};
use crate::{cashier, reference};

use super::accounts::after;

/// How long a payment can be paid: longer than a queue at the counter, shorter
/// than a kitchen keeps an order in mind.
pub const TIME_TO_PAY: SignedDuration = SignedDuration::from_mins(30);

/// What payments calls itself where other functions open payments too.
pub const OPENER: &str = "payments";

pub fn router() -> Router {
    let table = Router::new()
        .route("/", post(create_payment).get(list_payments))
        .route("/webhook", post(receive_webhook))
        .route("/trial-balance", get(show_trial_balance))
        .route("/disputed", get(list_disputed))
        .route("/{payment_id}", get(show_payment).patch(change_payment))
        .route("/{payment_id}/attempts", get(list_attempts))
        .route(
            "/{payment_id}/attempts/{attempt}/return",
            post(return_attempt),
        )
        .route("/{payment_id}/done", get(show_done))
        .route("/{payment_id}/qr.png", get(show_png))
        .route("/{payment_id}/qr.svg", get(show_svg));
    speaking(Dialect::FastFood, table)
}

/// A payment as its clients read it: with decimals.
#[derive(Serialize)]
struct Payment {
    payment_id: Uuid,
    order_id: String,
    customer_id: Value,
    #[serde(with = "kit::decimal")]
    amount: i64,
    currency: String,
    status: &'static str,
    qr_code: Option<String>,
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
            qr_code: qr_code(&it)?,
            order_id: it.reference,
            customer_id: reference::shown(&it.customer),
            amount: it.amount.get(),
            currency: it.currency,
            status: it.status.name(),
            payment_link: it.link,
            expires_at: it.expires_at,
            created_at: it.created_at,
            updated_at: it.updated_at,
        })
    }
}

/// The PNG in base64, while there is something to scan and to pay.
pub fn qr_code(checkout: &Checkout) -> Result<Option<String>, QrError> {
    let scan = checkout.scan.as_deref();
    scan.filter(|_| checkout.status.is_open())
        .map(qr::png_base64)
        .transpose()
}

fn brl() -> Currency {
    Currency::Brl
}

#[derive(Deserialize)]
struct NewPayment {
    #[serde(deserialize_with = "reference::read")]
    order_id: String,
    #[serde(with = "kit::decimal")]
    amount: i64,
    #[serde(default)]
    description: String,
    #[serde(deserialize_with = "reference::read")]
    customer_id: String,
    #[serde(default = "brl")]
    currency: Currency,
    email: Option<String>,
    #[serde(default)]
    method: Method,
}

async fn create_payment(
    caller: Caller,
    Keyed { body, once }: Keyed<NewPayment>,
) -> Result<Response, Problem> {
    if !body.method.carries(body.currency) {
        return Err(NOT_FOR_CODES);
    }
    let new = NewCheckout {
        id: once.id(&caller),
        opener: OPENER.to_owned(),
        description: described(&body.description, &body.order_id),
        reference: body.order_id,
        customer: body.customer_id,
        owner: caller.id,
        amount: Cents::new(body.amount).map_err(|_| BAD_AMOUNT)?,
        currency: body.currency,
        email: body.email.filter(|it| is_an_address(it)),
        method: body.method,
        credit: None,
        expires_at: after(TIME_TO_PAY),
    };
    let db = store::open().await?;
    once.answer(&db, &caller, async {
        let checkout = cashier::open(&db, new).await?;
        let payment = Payment::try_from(checkout).map_err(Error::from)?;
        Ok((StatusCode::OK, payment))
    })
    .await
}

/// A line for people, of which nothing is refused.
pub fn line(text: &str) -> String {
    text.chars()
        .filter(|it| !it.is_control())
        .take(250)
        .collect()
}

/// What the payer reads, never nothing and never a page.
pub fn described(description: &str, reference: &str) -> String {
    let text = line(description);
    if text.trim().is_empty() {
        format!("Order {reference}")
    } else {
        text
    }
}

/// The PSP refuses a payment whose e-mail it does not like; without one it takes it.
pub fn is_an_address(email: &str) -> bool {
    email.len() <= 254
        && !email.contains(|it: char| it.is_whitespace() || it.is_control())
        && matches!(email.split_once('@'), Some((name, host)) if !name.is_empty() && host.contains('.'))
}

const BAD_AMOUNT: Problem = Problem::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-amount",
    "An amount is between 0.01 and 10000000000",
);

const NOT_FOR_CODES: Problem = Problem::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "currency-not-for-qr",
    "A QR code is paid in BRL",
);

#[derive(Deserialize)]
struct Wanted {
    payment_id: Option<String>,
    order_id: Option<String>,
    customer_id: Option<String>,
    #[serde(flatten)]
    page: Page,
}

/// Admins look at every payment, others at those they opened or owe.
fn viewer(caller: &Caller) -> Option<Uuid> {
    (!caller.is_admin()).then_some(caller.id)
}

async fn list_payments(caller: Caller, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    if let Some(id) = wanted.payment_id {
        let id = id.parse().map_err(|_| Error::UnknownPayment)?;
        return Ok(show_payment(caller, Path(id)).await?.into_response());
    }
    if wanted.order_id.is_none() && wanted.customer_id.is_none() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "nothing-asked-for",
            "One of payment_id, order_id and customer_id is needed",
        ));
    }
    // What no text can be, nothing is called.
    let names = [&wanted.order_id, &wanted.customer_id];
    if names.into_iter().flatten().any(|it| it.contains('\0')) {
        return Err(Error::UnknownPayment.into());
    }
    let db = store::open().await?;
    let checkouts = store::checkouts(
        &db,
        wanted.order_id,
        wanted.customer_id,
        viewer(&caller),
        wanted.page.limit(20),
        wanted.page.offset(),
    )
    .await?;
    if checkouts.is_empty() && wanted.page.offset() == 0 {
        return Err(Error::UnknownPayment.into());
    }
    let payments: Vec<Payment> = checkouts
        .into_iter()
        .map(Payment::try_from)
        .collect::<Result<_, _>>()
        .map_err(Error::from)?;
    Ok(Json(payments).into_response())
}

async fn show_payment(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Payment>, Problem> {
    let db = store::open().await?;
    let checkout = store::checkout(&db, id, viewer(&caller)).await?;
    Ok(Json(Payment::try_from(checkout).map_err(Error::from)?))
}

/// What the PSP holds for a payment, disputes among it.
async fn list_attempts(
    Admin(_): Admin,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<Attempt>>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::attempts(&db, id).await?))
}

/// Money that waits for an admin's decision, the oldest first.
async fn list_disputed(
    Admin(_): Admin,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Dispute>>, Problem> {
    let db = store::open().await?;
    let disputes = store::disputed(&db, page.limit(50), page.offset()).await?;
    Ok(Json(disputes))
}

/// An admin decides that it goes back to whoever paid it.
async fn return_attempt(
    Admin(_): Admin,
    Path((id, attempt)): Path<(Uuid, String)>,
) -> Result<Json<Vec<Attempt>>, Problem> {
    let db = store::open().await?;
    cashier::return_disputed(&db, id, &attempt).await?;
    Ok(Json(store::attempts(&db, id).await?))
}

/// Where the PSP leads the payer in the end, however it ended: what became of it is not told to
/// whoever has the address.
async fn show_done(Path(_): Path<Uuid>) -> impl IntoResponse {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, Html(include_str!("done.html")))
}

async fn scan(caller: &Caller, id: Uuid) -> Result<String, Error> {
    let db = store::open().await?;
    let checkout = store::checkout(&db, id, viewer(caller)).await?;
    checkout.scan.ok_or(Error::WrongStatus(checkout.status))
}

async fn show_png(caller: Caller, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let png = qr::png(&scan(&caller, id).await?).map_err(Error::from)?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
}

async fn show_svg(caller: Caller, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let svg = qr::svg(&scan(&caller, id).await?).map_err(Error::from)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

#[derive(Deserialize)]
struct Becoming {
    new_status: Status,
}

/// A person knows better: it was paid in cash, it will not be paid, it goes back.
/// That makes money, so it is for admins.
async fn change_payment(
    Admin(_): Admin,
    Path(id): Path<Uuid>,
    Query(becoming): Query<Becoming>,
) -> Result<Json<Payment>, Problem> {
    let db = store::open().await?;
    let checkout = cashier::change(&db, id, becoming.new_status).await?;
    Ok(Json(Payment::try_from(checkout).map_err(Error::from)?))
}

/// `?data.id=…&type=…`, or `?id=…&topic=…` as older notifications have it.
#[derive(Deserialize)]
struct Notice {
    #[serde(rename = "data.id")]
    data_id: Option<String>,
    id: Option<String>,
    #[serde(rename = "type", alias = "topic")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct NoticeBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    data: NoticeData,
}

#[derive(Deserialize)]
struct NoticeData {
    #[serde(deserialize_with = "reference::read")]
    id: String,
}

#[derive(Serialize)]
struct Heeded {
    message: &'static str,
    payment_id: Option<Uuid>,
    status: &'static str,
}

/// The PSP says that something happened. All that is taken from it is where to look.
async fn receive_webhook(
    Query(notice): Query<Notice>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Heeded>, Problem> {
    let body: Option<NoticeBody> = serde_json::from_slice(&body).ok();
    let kind = notice
        .kind
        .or_else(|| body.as_ref().and_then(|it| it.kind.clone()));
    let id = notice
        .data_id
        .or(notice.id)
        .or_else(|| body.map(|it| it.data.id))
        .ok_or(Problem::new(
            StatusCode::BAD_REQUEST,
            "no-payment-id",
            "The notification names no payment",
        ))?;
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|it| it.to_str().ok())
            .unwrap_or("")
    };
    let now = now();
    let is_genuine = signature::is_genuine(
        header("x-signature"),
        header("x-request-id"),
        &id,
        setting("psp_webhook_secret").await?,
        now.as_second(),
    );
    if !is_genuine {
        return Err(Error::ForgedWebhook.into());
    }
    let subject = match kind.as_deref() {
        None | Some("payment") => Subject::Payment(id),
        Some("order" | "orders") => Subject::Order(id),
        Some(_) => return Ok(Json(IGNORED)),
    };
    let db = store::open().await?;
    let heeded = cashier::heed(&db, &subject, now).await?;
    Ok(Json(heeded.map_or(IGNORED, |it| Heeded {
        message: "Payment looked up",
        payment_id: Some(it.id),
        status: it.status.name(),
    })))
}

/// Told with a 200, or the PSP would go on telling us.
const IGNORED: Heeded = Heeded {
    message: "Nothing of ours",
    payment_id: None,
    status: "ignored",
};

#[derive(Serialize)]
struct TrialBalance {
    is_sound: bool,
    totals: Vec<Total>,
}

/// Proves the books: everything adds up to 0, and nothing drifted.
async fn show_trial_balance(Admin(_): Admin) -> Result<Json<TrialBalance>, Problem> {
    let db = store::open().await?;
    let totals = store::trial_balance(&db).await?;
    Ok(Json(TrialBalance {
        is_sound: totals.iter().all(Total::is_sound),
        totals,
    }))
}
