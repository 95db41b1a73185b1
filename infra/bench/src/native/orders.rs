//! Menus, orders and kitchens, as in `components/orders`, without its error handling.

use anyhow::anyhow;
use axum::Json;
use axum::extract::{Query, State};
use jiff::{SignedDuration, Timestamp};
use kit::money::decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::native::caller::Caller;
use crate::native::payments::{self, Price};
use crate::native::{self, Failed, query_all, query_one};

#[derive(Deserialize)]
pub struct Wanted {
    product_id: Option<i64>,
    category_id: Option<i64>,
    shop_id: Option<i64>,
    name: Option<String>,
    limit: Option<i64>,
    skip: Option<i64>,
}

impl Wanted {
    fn page(&self, usual: i64) -> (i64, i64) {
        let limit = self.limit.unwrap_or(usual).clamp(1, 100);
        (limit, self.skip.unwrap_or(0).max(0))
    }
}

#[derive(Serialize)]
pub struct Product {
    id: i64,
    name: String,
    #[serde(with = "decimal")]
    price: i64,
    category_id: i64,
    enabled: bool,
    category: String,
    description: String,
    allergens: Vec<String>,
    station: String,
    hours: Value,
    stock: Option<i32>,
    available: bool,
    options: Value,
    photo: Option<String>,
    photos: Vec<String>,
    shop_id: i64,
}

pub async fn list_products(
    State(shared): native::State,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Product>>, Failed> {
    let db = shared.orders.get().await?;
    let sql = include_str!("../../../../components/orders/src/sql/list_products.sql");
    let (limit, offset) = wanted.page(10);
    let rows = query_all(
        &db,
        sql,
        &[
            &wanted.product_id,
            &wanted.category_id,
            &wanted.shop_id,
            &wanted.name,
            &None::<Uuid>,
            &false,
            &false,
            &limit,
            &offset,
        ],
    )
    .await?;
    let products = rows.iter().map(|row| {
        Ok(Product {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            price: row.try_get("price")?,
            category_id: row.try_get("category_id")?,
            enabled: row.try_get("enabled")?,
            category: row.try_get("category")?,
            description: row.try_get("description")?,
            allergens: row.try_get("allergens")?,
            station: row.try_get("station")?,
            hours: row.try_get("hours")?,
            stock: row.try_get("stock")?,
            available: row.try_get("available")?,
            options: row.try_get("options")?,
            photo: row.try_get("photo")?,
            photos: row.try_get("photos")?,
            shop_id: row.try_get("shop_id")?,
        })
    });
    Ok(Json(products.collect::<Result<_, Failed>>()?))
}

#[derive(Deserialize)]
pub struct NewOrder {
    shop_id: i64,
    payment_method: String,
    order_items: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    product_id: i64,
    quantity: i32,
    comment: Option<String>,
    #[serde(default)]
    choices: Vec<i64>,
}

/// The usual time to pay.
const SECONDS_TO_PAY: i32 = 1_800;

pub async fn create_order(
    State(shared): native::State,
    Caller(caller): Caller,
    Json(new): Json<NewOrder>,
) -> Result<Json<Order>, Failed> {
    let db = shared.orders.get().await?;
    let sql = include_str!("../../../../components/orders/src/sql/place_order.sql");
    let row = query_one(
        &db,
        sql,
        &[
            &Uuid::now_v7(),
            &new.shop_id,
            &caller.sub,
            &false,
            &caller.sub,
            &caller.sub.to_string(),
            &None::<String>,
            &new.payment_method,
            &json!(new.order_items),
            &0_i64,
            &None::<String>,
            &SECONDS_TO_PAY,
        ],
    )
    .await?;
    let outcome: &str = row.try_get("outcome")?;
    if outcome != "placed" {
        return Err(anyhow!("not placed: {outcome}").into());
    }
    let charge: Uuid = row.try_get("charge_id")?;
    let order: i64 = row.try_get("id")?;
    let created_at = Timestamp::from_millisecond(row.try_get("created_at")?)?;
    let price = Price {
        id: charge,
        payer: caller.sub,
        payee: row.try_get("payee")?,
        amount: row.try_get("amount")?,
        currency: "BRL",
        reference: order.to_string(),
        description: format!("Order {order}"),
        held_until: created_at.saturating_add(SignedDuration::from_hours(24))?,
    };
    // The connection is not held during the call to the ledger.
    drop(db);
    payments::pay(&shared, price).await?;
    let db = shared.orders.get().await?;
    let sql = include_str!("../../../../components/orders/src/sql/charge_paid.sql");
    order_of(&query_one(&db, sql, &[&charge]).await?)
}

#[derive(Serialize)]
pub struct Order {
    id: i64,
    shop_id: i64,
    pickup_number: i32,
    customer_id: String,
    status: String,
    payment_status: String,
    payment_method: String,
    #[serde(with = "decimal")]
    amount: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    items: Value,
    next_states: Vec<String>,
}

fn order_of(row: &Row) -> Result<Json<Order>, Failed> {
    Ok(Json(Order {
        id: row.try_get("id")?,
        shop_id: row.try_get("shop_id")?,
        pickup_number: row.try_get("number")?,
        customer_id: row.try_get("customer_id")?,
        status: row.try_get("status")?,
        payment_status: row.try_get("payment_status")?,
        payment_method: row.try_get("payment_method")?,
        amount: row.try_get("amount")?,
        created_at: Timestamp::from_millisecond(row.try_get("created_at")?)?,
        updated_at: Timestamp::from_millisecond(row.try_get("updated_at")?)?,
        items: row.try_get("items")?,
        next_states: row.try_get("next_states")?,
    }))
}

#[derive(Serialize)]
pub struct Ticket {
    id: i64,
    pickup_number: i32,
    status: String,
    waiting_seconds: i64,
    items: Value,
}

pub async fn list_kitchen(
    State(shared): native::State,
    Caller(caller): Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Ticket>>, Failed> {
    let db = shared.orders.get().await?;
    let sql = include_str!("../../../../components/orders/src/sql/list_kitchen.sql");
    let (limit, offset) = wanted.page(100);
    let rows = query_all(
        &db,
        sql,
        &[
            &wanted.shop_id,
            &caller.sub,
            &true,
            &None::<String>,
            &limit,
            &offset,
        ],
    )
    .await?;
    let tickets = rows.iter().map(|row| {
        Ok(Ticket {
            id: row.try_get("id")?,
            pickup_number: row.try_get("pickup_number")?,
            status: row.try_get("status")?,
            waiting_seconds: row.try_get("waiting_seconds")?,
            items: serde_json::from_str(row.try_get("items")?)?,
        })
    });
    Ok(Json(tickets.collect::<Result<_, Failed>>()?))
}
