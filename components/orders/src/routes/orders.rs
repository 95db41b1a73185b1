//! Orders: placing them, moving them through their steps, refunding them.

use axum::http::Uri;
use kit::identity::Caller;
use kit::setting;
use kit::store::{Db, Keyed, Replayable, event};
use kit::web::{Created, Json, Listed, Page, Path, Problem, Query, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::menu::Price;
use crate::error::Error;
use crate::order::{CustomerId, Line, Order, PaymentMethod, PaymentStatus, Status, Step, Wish};
use crate::shop::FIRST;
use crate::store::charges;
use crate::store::orders::{self, Customer};
use crate::{calls, saga, store};

/// An order as a client places it. Price, status and payment status are decided here.
#[derive(Deserialize, Schema)]
pub struct NewOrder {
    /// The number or id of the customer's account; the caller when absent. Kiosks and counters order for others.
    customer_id: Option<CustomerId>,
    order_items: Vec<Line>,
    /// For the payment provider.
    #[schemars(length(max = 254), example = &"ana@example.com")]
    email: Option<String>,
    /// The first shop when absent.
    #[schemars(example = 1)]
    shop_id: Option<i64>,
    #[serde(default)]
    payment_method: PaymentMethod,
    /// BRL.
    #[schemars(with = "Option<f64>", example = 2)]
    tip: Option<Price>,
    #[schemars(length(max = 40))]
    coupon: Option<String>,
    /// BRL. The `amount` that the customer was shown; an order that costs anything else is refused.
    #[schemars(with = "Option<f64>")]
    expected_amount: Option<Price>,
}

const MAX_EMAIL: usize = 254;
/// A day: stock should not be reserved longer for an order that is not paid.
const MAX_SECONDS_TO_PAY: i32 = 86_400;

impl NewOrder {
    fn checked(self) -> Result<Wish, Error> {
        Wish {
            shop: self.shop_id.unwrap_or(FIRST),
            customer: self.customer_id,
            email: self
                .email
                .filter(|it| it.len() <= MAX_EMAIL && !it.contains('\0')),
            method: self.payment_method,
            lines: self.order_items,
            tip: self.tip.map_or(0, |it| it.0),
            coupon: self.coupon,
            expected_amount: self.expected_amount.map(|it| it.0),
        }
        .checked()
    }
}

pub async fn create_order(
    caller: Caller,
    Keyed { body, once }: Keyed<NewOrder>,
) -> Result<Replayable<Created<Order, 200>>, Problem> {
    let wish = body.checked()?;
    let seconds = setting("order_seconds_to_pay")
        .await?
        .parse()
        .ok()
        .filter(|it| (1..=MAX_SECONDS_TO_PAY).contains(it))
        .ok_or(Error::Setting("order_seconds_to_pay"))?;
    let db = store::open().await?;
    let request = once.id(&caller);
    let order = async {
        let customer = find_customer(&caller, wish.customer.as_ref()).await?;
        let placed = orders::place_order(&db, request, &caller, &customer, &wish, seconds).await?;
        let order = saga::settle_placed(&db, placed, wish.email).await?;
        event::wake();
        Ok(Created::at(format!("/orders/{}", order.id), order))
    };
    once.answer(&db, &caller, order).await
}

async fn find_customer(caller: &Caller, named: Option<&CustomerId>) -> Result<Customer, Error> {
    let (id, name) = match named {
        None => (caller.id, caller.id.to_string()),
        Some(CustomerId::Id(id)) if *id == caller.id => (*id, id.to_string()),
        Some(named) => (calls::find_customer(named).await?, named.text()),
    };
    Ok(Customer { id, name })
}

#[derive(Deserialize, Schema)]
pub struct WantedOrders {
    /// The one order with this id, in a list.
    order_id: Option<i64>,
    /// The customer, as `customer_id` of the order has it.
    customer_id: Option<String>,
    status: Option<Status>,
    #[schemars(example = 1)]
    shop_id: Option<i64>,
}

pub async fn list_orders(
    caller: Caller,
    uri: Uri,
    Query(wanted): Query<WantedOrders>,
    Query(page): Query<Page>,
) -> Result<Listed<Order>, Problem> {
    let orders = orders::Wanted {
        order: wanted.order_id,
        customer: wanted.customer_id.as_deref(),
        status: wanted.status,
        shop: wanted.shop_id,
    };
    let listed = orders::list_orders(&store::open().await?, &caller, orders, page).await?;
    if wanted.order_id.is_some() && listed.is_empty() && page.offset() == 0 {
        return Err(Error::UnknownOrder.into());
    }
    Ok(Listed::page(&uri, page, orders::PAGE, listed))
}

pub async fn show_order(caller: Caller, Path(id): Path<i64>) -> Result<Json<Order>, Problem> {
    let db = store::open().await?;
    Ok(Json(orders::find_order(&db, id, &caller).await?))
}

#[derive(Deserialize, Schema)]
pub struct OrderChange {
    #[schemars(with = "Option<Status>", example = &"requested")]
    status: Option<String>,
    /// A hint only: the provider is asked how the payment stands.
    #[schemars(with = "Option<PaymentStatus>")]
    payment_status: Option<String>,
}

pub async fn change_order(
    caller: Caller,
    Path(id): Path<i64>,
    Json(change): Json<OrderChange>,
) -> Result<Json<Order>, Problem> {
    let status = change.status.ok_or(Error::MissingStatus)?;
    let status = Status::parse(&status).ok_or(Error::InvalidStatus(status))?;
    let db = store::open().await?;
    if change.payment_status.is_some() && status != Status::Paid {
        orders::find_order(&db, id, &caller).await?;
        saga::refresh(&db, id).await?;
    }
    Ok(Json(take(&db, id, Step::To(status), &caller).await?))
}

async fn take(db: &Db, id: i64, step: Step, caller: &Caller) -> Result<Order, Error> {
    match orders::move_order(db, id, step, caller).await {
        Ok(order) => {
            if order.status.is_over() || step == Step::CashIn {
                saga::wind_up(db, &order).await;
            }
            event::wake();
            Ok(order)
        }
        // The client says that it was paid: ask the provider.
        Err(Error::NotPaid) => {
            saga::refresh(db, id).await?;
            let order = orders::find_order(db, id, caller).await?;
            match order.payment_status {
                PaymentStatus::Approved => Ok(order),
                _ => Err(Error::NotPaid),
            }
        }
        Err(refusal) => Err(refusal),
    }
}

#[derive(Deserialize, Schema)]
pub struct PaymentChange {
    #[schemars(with = "Option<PaymentStatus>", example = &"pending")]
    payment_status: Option<String>,
    /// With `approved`: `counter` says that the money was taken at the counter.
    payment_method: Option<PaymentMethod>,
}

pub async fn change_payment(
    caller: Caller,
    Path(id): Path<i64>,
    Json(change): Json<PaymentChange>,
) -> Result<Json<Order>, Problem> {
    let wanted = change.payment_status.ok_or(Error::MissingStatus)?;
    let wanted = PaymentStatus::parse(&wanted).ok_or(Error::InvalidStatus(wanted))?;
    let db = store::open().await?;
    let order = orders::find_order(&db, id, &caller).await?;
    if wanted == PaymentStatus::Approved {
        let is_cash = change.payment_method == Some(PaymentMethod::Counter);
        if is_cash || order.payment_method == PaymentMethod::Counter {
            return Ok(Json(take(&db, id, Step::CashIn, &caller).await?));
        }
        if order.status.waits_for_payment() {
            return Ok(Json(take(&db, id, Step::To(Status::Paid), &caller).await?));
        }
    }
    saga::refresh(&db, id).await?;
    Ok(Json(orders::find_order(&db, id, &caller).await?))
}

/// A claim that an order was paid.
#[derive(Deserialize, Schema)]
pub struct Claim {
    order_id: i64,
}

#[derive(Serialize, Schema)]
pub struct Heard {
    message: &'static str,
}

pub async fn hear_webhook(Json(claim): Json<Claim>) -> Result<Json<Heard>, Problem> {
    charges::hurry_charge(&store::open().await?, claim.order_id).await?;
    Ok(Json(Heard {
        message: "The payment provider will be asked",
    }))
}

#[derive(Deserialize, Schema)]
pub struct ItemsBack {
    #[schemars(length(min = 1, max = 100))]
    items: Vec<ItemBack>,
}

#[derive(Serialize, Deserialize, Schema)]
struct ItemBack {
    item_id: i64,
    #[schemars(range(min = 1, max = 1000), example = 1)]
    quantity: i32,
    /// Whether the pieces go back into the stock to be sold again. When absent, they do if they were not prepared yet.
    restock: Option<bool>,
}

pub async fn refund_items(
    caller: Caller,
    Path(id): Path<i64>,
    Keyed { body, once }: Keyed<ItemsBack>,
) -> Result<Replayable<Json<Order>>, Problem> {
    let fits = body
        .items
        .iter()
        .all(|it| (1..=1_000).contains(&it.quantity));
    if body.items.is_empty() || body.items.len() > 100 || !fits {
        return Err(Error::InvalidItem.into());
    }
    let db = store::open().await?;
    let request = once.id(&caller);
    let give_back = async {
        let order = orders::refund_items(&db, request, id, &caller, &json!(body.items)).await?;
        saga::pay_refunds(&db, charges::find_refunds(&db, id).await?).await;
        Ok(Json(order))
    };
    once.answer(&db, &caller, give_back).await
}
