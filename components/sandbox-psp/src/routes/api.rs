//! What the merchant can ask, in the provider's words.

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use kit::{Db, Json, Path, Problem, Query, now, setting};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::PREFIX;
use crate::bill::{Bill, Kind, Payment};
use crate::error::Error;
use crate::store;

pub fn router() -> Router {
    Router::new()
        .route("/checkout/preferences", post(create_preference))
        .route("/v1/orders", post(create_order))
        .route("/v1/orders/{id}", get(show_order))
        .route("/v1/orders/{id}/refund", post(refund_order))
        .route("/v1/payments/search", get(search_payments))
        .route("/v1/payments/{id}", get(show_payment))
        .route("/v1/payments/{id}/refunds", post(refund_payment))
}

/// Whoever knows the access token.
struct Merchant;

impl<S: Sync> FromRequestParts<S> for Merchant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let token = setting("psp_token").await?;
        let given = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|it| it.to_str().ok())
            .and_then(|it| it.strip_prefix("Bearer "))
            .ok_or(Error::NotTheMerchant)?;
        if given.as_bytes().ct_eq(token.as_bytes()).into() {
            Ok(Self)
        } else {
            Err(Error::NotTheMerchant.into())
        }
    }
}

fn asked_as(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-idempotency-key")?.to_str().ok()
}

async fn page_of(bill: &Bill) -> Result<String, Error> {
    let public_url = setting("public_url").await?.trim_end_matches('/');
    Ok(format!("{public_url}{PREFIX}/pay/{}", bill.id))
}

#[derive(Deserialize)]
struct NewPreference {
    items: Vec<Item>,
    external_reference: String,
    notification_url: String,
    back_urls: Option<BackUrls>,
    expiration_date_to: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Item {
    title: String,
    quantity: i64,
    #[serde(with = "kit::decimal")]
    unit_price: i64,
    currency_id: String,
}

#[derive(Deserialize)]
struct BackUrls {
    success: String,
}

async fn create_preference(
    _: Merchant,
    headers: HeaderMap,
    Json(new): Json<NewPreference>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let [item] = new.items.as_slice() else {
        return Err(Error::Malformed("items").into());
    };
    let bill = Bill {
        id: Uuid::new_v4().to_string(),
        kind: Kind::Preference,
        reference: new.external_reference,
        title: item.title.clone(),
        amount: item
            .unit_price
            .checked_mul(item.quantity)
            .filter(|it| *it > 0)
            .ok_or(Error::Malformed("unit_price"))?,
        currency: item.currency_id.clone(),
        notification_url: new.notification_url,
        back_url: new.back_urls.map(|it| it.success),
        expires_at: new.expiration_date_to,
    };
    let db = store::open().await?;
    let bill = store::keep(&db, &bill, asked_as(&headers)).await?;
    let page = page_of(&bill).await?;
    let preference = json!({
        "id": bill.id,
        "init_point": page,
        "sandbox_init_point": page,
        "external_reference": bill.reference,
    });
    Ok((StatusCode::CREATED, Json(preference)))
}

#[derive(Deserialize)]
struct NewOrder {
    total_amount: String,
    external_reference: String,
    description: Option<String>,
    /// ISO 8601, as `PT30M`.
    expiration_time: Option<SignedDuration>,
}

async fn create_order(
    _: Merchant,
    headers: HeaderMap,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let public_url = setting("public_url").await?.trim_end_matches('/');
    let bill = Bill {
        id: format!("ORD{}", Uuid::new_v4().simple()).to_uppercase(),
        kind: Kind::Order,
        reference: new.external_reference,
        title: new.description.unwrap_or_default(),
        amount: kit::decimal::parse(&new.total_amount)
            .filter(|it| *it > 0)
            .ok_or(Error::Malformed("total_amount"))?,
        currency: "BRL".to_owned(),
        // Orders have no address of their own: the merchant's application has one.
        notification_url: format!("{public_url}/payments/webhook"),
        back_url: None,
        expires_at: new
            .expiration_time
            .and_then(|it| now().checked_add(it).ok()),
    };
    let db = store::open().await?;
    let bill = store::keep(&db, &bill, asked_as(&headers)).await?;
    let mut order = order(&bill, &[]);
    if let Some(order) = order.as_object_mut() {
        let scan = page_of(&bill).await?;
        order.insert("type_response".to_owned(), json!({ "qr_data": scan }));
    }
    Ok((StatusCode::CREATED, Json(order)))
}

async fn show_order(_: Merchant, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let db = store::open().await?;
    let bill = order_of(&db, &id).await?;
    let payments = store::payments(&db, &bill.id).await?;
    Ok(Json(order(&bill, &payments)))
}

/// Gives everything of an order back.
async fn refund_order(
    _: Merchant,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let db = store::open().await?;
    let bill = order_of(&db, &id).await?;
    for payment in store::payments(&db, &bill.id).await? {
        match store::refund(&db, payment.id).await {
            Ok(()) | Err(Error::NotRefundable) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let payments = store::payments(&db, &bill.id).await?;
    Ok((StatusCode::CREATED, Json(order(&bill, &payments))))
}

async fn order_of(db: &Db, id: &str) -> Result<Bill, Error> {
    // Webhooks may carry the id in lower case.
    let bill = store::bill(db, &id.to_uppercase()).await?;
    match bill.kind {
        Kind::Order => Ok(bill),
        Kind::Preference => Err(Error::Unknown),
    }
}

fn order(bill: &Bill, payments: &[Payment]) -> Value {
    let last = payments.last();
    json!({
        "id": bill.id,
        "type": "qr",
        "status": last.map_or("created", |it| it.status.in_order()),
        "external_reference": bill.reference,
        "currency": bill.currency,
        "total_amount": plain(bill.amount),
        "last_updated_date": last.map(|it| it.updated_at.to_string()),
        "transactions": {
            "payments": payments.iter().map(|it| json!({
                "id": format!("PAY{}", it.id),
                "amount": plain(bill.amount),
                "status": it.status.in_order(),
            })).collect::<Vec<_>>(),
        },
    })
}

/// As orders have their amounts: `25.00`.
fn plain(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[derive(Deserialize)]
struct Search {
    external_reference: String,
}

async fn search_payments(
    _: Merchant,
    Query(search): Query<Search>,
) -> Result<Json<Value>, Problem> {
    let db = store::open().await?;
    let mut results = Vec::new();
    for bill in store::bill_for(&db, &search.external_reference).await? {
        for it in store::payments(&db, &bill.id).await? {
            results.push(payment(&bill, &it));
        }
    }
    Ok(Json(json!({ "results": results })))
}

async fn show_payment(_: Merchant, Path(id): Path<i64>) -> Result<Json<WirePayment>, Problem> {
    let db = store::open().await?;
    Ok(Json(found(&db, id).await?))
}

async fn refund_payment(
    _: Merchant,
    Path(id): Path<i64>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let db = store::open().await?;
    let payment = found(&db, id).await?;
    store::refund(&db, id).await?;
    let refund = json!({
        "id": id,
        "payment_id": id,
        "amount": payment.transaction_amount,
        "status": "approved",
    });
    Ok((StatusCode::CREATED, Json(refund)))
}

async fn found(db: &Db, id: i64) -> Result<WirePayment, Error> {
    let bill = store::bill_of(db, id).await?;
    store::payments(db, &bill.id)
        .await?
        .iter()
        .find(|it| it.id == id)
        .map(|it| payment(&bill, it))
        .ok_or(Error::Unknown)
}

#[derive(Serialize)]
struct WirePayment {
    id: i64,
    status: &'static str,
    #[serde(with = "kit::decimal")]
    transaction_amount: i64,
    currency_id: String,
    external_reference: String,
    description: String,
    date_approved: Option<Timestamp>,
    date_last_updated: Timestamp,
    live_mode: bool,
}

fn payment(bill: &Bill, it: &Payment) -> WirePayment {
    WirePayment {
        id: it.id,
        status: it.status.name(),
        transaction_amount: bill.amount,
        currency_id: bill.currency.clone(),
        external_reference: bill.reference.clone(),
        description: bill.title.clone(),
        date_approved: it.approved_at,
        date_last_updated: it.updated_at,
        live_mode: false,
    }
}
