//! Orders as their customers see them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use askama::Template;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use kit::web::{Path, Problem, Query, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Amount, Shop, find_shop};
use crate::error::Error;
use crate::lists::{LIMIT, Part};
use crate::page::{again, go_to, page};
use crate::visitor::{Client, Visitor};
use crate::words::{Moment, is_web_address};

#[derive(Debug, Deserialize)]
pub struct Order {
    pub id: i64,
    pub shop_id: i64,
    /// The number of an account, or its id.
    customer_id: Value,
    pub status: String,
    payment_status: String,
    pub payment_method: String,
    pub amount: Amount,
    pub subtotal: Amount,
    pub discount: Amount,
    pub tip: Amount,
    pub refunded: Amount,
    qr_code: Option<String>,
    payment_link: Option<String>,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub ready_by: Option<Moment>,
    pub items: Vec<Item>,
    pub pickup_number: i64,
    pub next_states: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Item {
    pub id: i64,
    pub name: String,
    pub price: Amount,
    pub quantity: i64,
    pub refunded: i64,
    pub comment: Option<String>,
    choices: Vec<Chosen>,
    /// How many pieces are to go back, as it is filled in.
    #[serde(skip)]
    pub back: String,
}

#[derive(Debug, Deserialize)]
struct Chosen {
    name: String,
}

/// A state that an order has had.
#[derive(Debug, Deserialize)]
pub struct Tracked {
    pub status: String,
    pub created_at: Moment,
}

/// A word of the API as people write it.
fn spoken(word: &str) -> String {
    word.replace('_', " ")
}

impl Order {
    pub fn state(&self) -> String {
        spoken(&self.status)
    }

    pub fn payment(&self) -> String {
        let method = match self.payment_method.as_str() {
            "wallet" => "by wallet",
            "counter" => "at the counter",
            _ => "by the provider",
        };
        format!("{method}: {}", spoken(&self.payment_status))
    }

    pub fn customer(&self) -> String {
        match &self.customer_id {
            Value::String(text) => text.clone(),
            number => number.to_string(),
        }
    }

    pub fn is_unpaid(&self) -> bool {
        matches!(self.status.as_str(), "created" | "requested")
    }

    pub fn is_by_provider(&self) -> bool {
        self.payment_method == "provider"
    }

    fn is_at_counter(&self) -> bool {
        self.payment_method == "counter"
    }

    pub fn is_over(&self) -> bool {
        matches!(
            self.status.as_str(),
            "delivered" | "cancelled" | "refunded" | "rejected"
        )
    }

    /// All its money went back, or it was never paid.
    pub fn is_cancelled(&self) -> bool {
        self.is_over() && self.status != "delivered"
    }

    /// A customer may call it off until the kitchen begins.
    fn can_cancel(&self) -> bool {
        self.is_unpaid() || self.status == "paid"
    }

    /// Where it is paid, when that is a page of the web.
    fn link(&self) -> Option<&str> {
        let link = self.payment_link.as_deref();
        link.filter(|it| is_web_address(it))
    }
}

impl Item {
    pub fn choices(&self) -> String {
        let names: Vec<_> = self.choices.iter().map(|it| it.name.as_str()).collect();
        names.join(", ")
    }

    /// Pieces that were not given back.
    pub fn left(&self) -> i64 {
        self.quantity - self.refunded
    }

    pub fn cost(&self) -> Amount {
        Amount(self.price.0.saturating_mul(self.quantity))
    }
}

impl Tracked {
    pub fn state(&self) -> String {
        spoken(&self.status)
    }
}

pub async fn find_order(client: &Client, id: i64) -> Result<Order, Error> {
    client.get("orders", &format!("/orders/{id}")).await
}

pub async fn find_tracking(client: &Client, id: i64) -> Result<Vec<Tracked>, Error> {
    client
        .get("orders", &format!("/orders/{id}/tracking"))
        .await
}

/// Takes an order a step on.
pub async fn send_step(client: &Client, id: i64, status: &str) -> Result<(), Error> {
    let (path, body) = (format!("/orders/{id}"), json!({ "status": status }));
    client.change(Method::PATCH, "orders", &path, &body).await
}

pub async fn send_payment(client: &Client, id: i64, body: &Value) -> Result<(), Error> {
    let path = format!("/orders/{id}/payment");
    client.change(Method::PATCH, "orders", &path, body).await
}

#[derive(Deserialize, Schema)]
pub struct Asked {
    /// Also orders that a kiosk or a counter placed.
    all: Option<String>,
}

#[derive(Template)]
#[template(path = "shops/orders.html")]
struct List {
    orders: Vec<(Order, String)>,
    next: Option<String>,
    is_all: bool,
}

pub async fn list_orders(
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let is_all = asked.all.is_some();
    let me = visitor.me.user_id.to_string();
    let customer = if is_all { "" } else { me.as_str() };
    let asked = part.query([("customer_id", customer), LIMIT]);
    let list = visitor.list("orders", &format!("/orders?{asked}")).await?;
    let content = List {
        orders: with_shops(&visitor, list.rows).await?,
        next: list
            .next
            .map(|it| it.query([("all", if is_all { "1" } else { "" })])),
        is_all,
    };
    page("Your orders", &visitor.me, &content)
}

/// Orders with the names of their shops, each of which is asked for once.
async fn with_shops(client: &Client, orders: Vec<Order>) -> Result<Vec<(Order, String)>, Error> {
    let mut names = HashMap::new();
    let mut named = Vec::new();
    for order in orders {
        let id = order.shop_id;
        if let Entry::Vacant(unknown) = names.entry(id) {
            unknown.insert(find_shop(client, id).await?.name);
        }
        let name = names.get(&id).cloned().unwrap_or_default();
        named.push((order, name));
    }
    Ok(named)
}

#[derive(Template)]
#[template(path = "shops/order.html")]
struct OrderPage<'a> {
    order: Order,
    shop: Shop,
    zone: &'a TimeZone,
    tracking: Vec<Tracked>,
    refusal: Option<String>,
}

pub async fn show_order(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show(&visitor, id, None).await
}

/// A customer who waits sees what changes.
const REFRESH: [(header::HeaderName, &str); 1] = [(header::REFRESH, "20")];

async fn show(visitor: &Visitor, id: i64, refusal: Option<String>) -> Result<Response, Problem> {
    let order = find_order(visitor, id).await?;
    let shop = find_shop(visitor, order.shop_id).await?;
    let zone = shop.zone();
    let content = OrderPage {
        tracking: find_tracking(visitor, id).await?,
        zone: &zone,
        order,
        shop,
        refusal,
    };
    let title = format!("Order {}", content.order.pickup_number);
    match content.refusal {
        Some(_) => again(&title, &visitor.me, &content),
        None => {
            let page = page(&title, &visitor.me, &content)?;
            match content.order.is_over() {
                true => Ok(page),
                false => Ok((REFRESH, page).into_response()),
            }
        }
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The QR code of the provider, as an image of our own origin.
pub async fn show_code(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let order = find_order(&visitor, id).await?;
    let code = order.qr_code.and_then(|it| STANDARD.decode(it).ok());
    let Some(png) = code.filter(|it| it.starts_with(PNG)) else {
        return Err(Error::unknown("The order has no QR code.").into());
    };
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, png).into_response())
}

/// Makes orders ask the provider whether it was paid.
pub async fn ask_provider(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let hint = json!({ "payment_status": "pending" });
    let outcome = send_payment(&visitor, id, &hint).await;
    done(&visitor, id, outcome).await
}

pub async fn cancel(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let outcome = send_step(&visitor, id, "cancelled").await;
    done(&visitor, id, outcome).await
}

async fn done(visitor: &Visitor, id: i64, outcome: Result<(), Error>) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/shops/orders/{id}"))),
        Err(refusal) => show(visitor, id, Some(refusal.into_text()?)).await,
    }
}
