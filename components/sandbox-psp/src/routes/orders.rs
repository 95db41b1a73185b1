//! Orders: bills that are paid by scanning a code.

use jiff::{SignedDuration, Timestamp};
use kit::money::decimal;
use kit::store::Db;
use kit::web::{Created, Json, Path, Problem, Schema};
use kit::{now, setting};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PREFIX;
use super::callers::Merchant;
use super::preferences::page_of;
use crate::bill::{Bill, Kind, OrderStatus, Payment, Refund};
use crate::error::Error;
use crate::store;

#[derive(Deserialize, Schema)]
pub struct NewOrder {
    /// A decimal as text.
    #[schemars(example = &"25.50")]
    total_amount: String,
    external_reference: String,
    description: Option<String>,
    /// ISO 8601, as `PT30M`.
    #[schemars(with = "Option<String>", extend("format" = "duration"), example = &"PT30M")]
    expiration_time: Option<SignedDuration>,
}

#[derive(Serialize, Schema)]
pub struct Order {
    id: String,
    /// `qr`.
    #[serde(rename = "type")]
    kind: &'static str,
    status: OrderStatus,
    external_reference: String,
    currency: String,
    /// A decimal as text.
    total_amount: String,
    last_updated_date: Option<Timestamp>,
    transactions: Transactions,
    /// What to scan, when the order was just created.
    #[serde(skip_serializing_if = "Option::is_none")]
    type_response: Option<QrData>,
}

#[derive(Serialize, Schema)]
struct Transactions {
    payments: Vec<OrderPayment>,
    refunds: Vec<OrderRefund>,
}

#[derive(Serialize, Schema)]
struct OrderRefund {
    id: String,
    /// The payment.
    transaction_id: String,
    /// A decimal as text.
    amount: String,
    status: OrderStatus,
}

#[derive(Serialize, Schema)]
struct OrderPayment {
    id: String,
    /// A decimal as text.
    amount: String,
    status: OrderStatus,
}

#[derive(Serialize, Schema)]
struct QrData {
    qr_data: String,
}

impl Order {
    fn of(bill: Bill, payments: &[Payment], refunds: &[Refund]) -> Self {
        let last = payments.last();
        let amount = decimal::text(bill.amount);
        let payments = payments.iter().map(|it| OrderPayment {
            id: name(it.id),
            amount: amount.clone(),
            status: it.status.in_order(),
        });
        Self {
            kind: "qr",
            status: last.map_or(OrderStatus::Created, |it| it.status.in_order()),
            external_reference: bill.reference,
            currency: bill.currency,
            last_updated_date: last.map(|it| it.updated_at),
            transactions: Transactions {
                payments: payments.collect(),
                refunds: refunds.iter().map(OrderRefund::of).collect(),
            },
            total_amount: amount,
            id: bill.id,
            type_response: None,
        }
    }

    fn created(self) -> Created<Self> {
        Created::at(format!("{PREFIX}/v1/orders/{}", self.id), self)
    }
}

pub async fn create_order(
    merchant: Merchant,
    Json(new): Json<NewOrder>,
) -> Result<Created<Order>, Problem> {
    let public_url = setting("public_url").await?.trim_end_matches('/');
    let bill = Bill {
        id: format!("ORD{}", Uuid::new_v4().simple()).to_uppercase(),
        kind: Kind::Order,
        reference: new.external_reference,
        title: new.description.unwrap_or_default(),
        amount: decimal::parse(&new.total_amount)
            .filter(|it| *it > 0)
            .ok_or(Error::Malformed("total_amount"))?,
        currency: "BRL".to_owned(),
        // An order names no address: notifications go to that of the merchant's application.
        notification_url: format!("{public_url}/payments/webhook"),
        back_url: None,
        expires_at: new
            .expiration_time
            .and_then(|it| now().checked_add(it).ok()),
    };
    let db = store::open().await?;
    let bill = store::create_bill(&db, &bill, merchant.key.as_deref()).await?;
    let qr_data = page_of(&bill).await?;
    let order = Order {
        type_response: Some(QrData { qr_data }),
        ..Order::of(bill, &[], &[])
    };
    Ok(order.created())
}

pub async fn show_order(_: Merchant, Path(id): Path<String>) -> Result<Json<Order>, Problem> {
    let db = store::open().await?;
    let bill = find_order(&db, &id).await?;
    let payments = store::list_payments(&db, &bill.id).await?;
    let refunds = store::list_refunds(&db, &bill.id).await?;
    Ok(Json(Order::of(bill, &payments, &refunds)))
}

/// The name of a payment in an order.
fn name(payment: i64) -> String {
    format!("PAY{payment}")
}

impl OrderRefund {
    fn of(it: &Refund) -> Self {
        Self {
            id: format!("REF{}", it.id),
            transaction_id: name(it.payment),
            amount: decimal::text(it.amount),
            status: OrderStatus::Processed,
        }
    }
}

/// A refund of an order.
#[derive(Default, Deserialize, Schema)]
pub struct OrderBack {
    /// Everything when absent.
    transactions: Option<Vec<PaymentBack>>,
}

#[derive(Deserialize, Schema)]
struct PaymentBack {
    /// The payment in the order.
    id: String,
    /// A decimal as text.
    #[schemars(example = &"5.50")]
    amount: String,
}

pub async fn refund_order(
    merchant: Merchant,
    Path(id): Path<String>,
    Json(back): Json<OrderBack>,
) -> Result<Created<Order>, Problem> {
    let db = store::open().await?;
    let bill = find_order(&db, &id).await?;
    let payments = store::list_payments(&db, &bill.id).await?;
    match back.transactions.as_deref() {
        Some([it]) => {
            let amount = decimal::parse(&it.amount)
                .filter(|it| *it > 0)
                .ok_or(Error::Malformed("amount"))?;
            let payment = payments
                .iter()
                .find(|payment| name(payment.id) == it.id)
                .ok_or(Error::Unknown)?;
            store::refund(&db, payment.id, Some(amount), merchant.key.as_deref()).await?;
        }
        Some(_) => return Err(Error::Malformed("transactions").into()),
        None => {
            for payment in &payments {
                match store::refund(&db, payment.id, None, None).await {
                    Ok(_) | Err(Error::NotRefundable) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    let payments = store::list_payments(&db, &bill.id).await?;
    let refunds = store::list_refunds(&db, &bill.id).await?;
    Ok(Order::of(bill, &payments, &refunds).created())
}

async fn find_order(db: &Db, id: &str) -> Result<Bill, Error> {
    // Webhooks may carry the id in lower case.
    let bill = store::find_bill(db, &id.to_uppercase()).await?;
    match bill.kind {
        Kind::Order => Ok(bill),
        Kind::Preference => Err(Error::Unknown),
    }
}
