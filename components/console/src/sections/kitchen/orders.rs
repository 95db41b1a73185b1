//! The steps of an order as its shop takes them, and pieces that are given back.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use kit::web::{Path, Problem, Query, Schema};
use serde::Deserialize;
use serde_json::json;

use super::super::shops::orders::{
    Order, Tracked, find_order, find_tracking, send_payment, send_step,
};
use super::super::shops::{Shop, find_shop};
use super::{COLUMNS, board, enter};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;

/// A step that an order may take next.
pub struct Step<'a> {
    pub status: &'a str,
    pub label: &'static str,
    /// It ends the order.
    pub is_bad: bool,
}

/// How a step is named on its button. That money was taken has a form of its own.
fn label(status: &str) -> Option<(&'static str, bool)> {
    match status {
        "preparing" => Some(("Start", false)),
        "ready_for_pickup" => Some(("Ready", false)),
        "out_for_delivery" => Some(("Send out", false)),
        "delivered" => Some(("Handed over", false)),
        "cancelled" => Some(("Cancel the order", true)),
        "rejected" => Some(("Reject: we cannot make it", true)),
        "refunded" => Some(("Cancel and give all money back", true)),
        _ => None,
    }
}

impl Order {
    pub fn steps(&self) -> Vec<Step<'_>> {
        let named = |status| {
            let (label, is_bad) = label(status)?;
            Some(Step {
                status,
                label,
                is_bad,
            })
        };
        let next = self.next_states.iter().map(String::as_str);
        next.filter_map(named).collect()
    }

    /// With what a form says of a refund.
    fn filled(mut self, form: &Fields) -> Self {
        for item in &mut self.items {
            let back = form.text(&format!("back-{}", item.id));
            back.clone_into(&mut item.back);
        }
        self
    }
}

#[derive(Deserialize, Schema)]
pub struct Asked {
    status: Option<String>,
}

#[derive(Template)]
#[template(path = "kitchen/orders.html")]
struct List<'a> {
    shop: Shop,
    zone: &'a TimeZone,
    orders: Vec<Order>,
    next: Option<String>,
    states: Vec<State>,
}

struct State {
    word: &'static str,
    name: String,
    is_asked: bool,
}

/// All states of an order, for the filter.
fn states(asked: &str) -> Vec<State> {
    let open = COLUMNS.iter().map(|it| it.0);
    let words = open.chain(["delivered", "cancelled", "refunded", "rejected"]);
    words
        .map(|word| State {
            word,
            name: word.replace('_', " "),
            is_asked: word == asked,
        })
        .collect()
}

pub async fn list_orders(
    visitor: Visitor,
    Path(shop): Path<i64>,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let (shop, _) = enter(&visitor, shop).await?;
    let status = asked.status.unwrap_or_default();
    let id = shop.id.to_string();
    let asked = part.query([("shop_id", &*id), ("status", &*status), LIMIT]);
    let list = visitor.list("orders", &format!("/orders?{asked}")).await?;
    let zone = shop.zone();
    let content = List {
        zone: &zone,
        orders: list.rows,
        next: list.next.map(|it| it.query([("status", &*status)])),
        states: states(&status),
        shop,
    };
    let title = format!("Orders of {}", content.shop.name);
    page(&title, &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "kitchen/order.html")]
struct OrderPage<'a> {
    shop: Shop,
    zone: &'a TimeZone,
    order: Order,
    tracking: Vec<Tracked>,
    /// The state before the last step, while that may be taken back.
    back: Option<String>,
    /// For the next try of a refund.
    key: String,
    form: Fields,
    refusal: Option<String>,
}

pub async fn show_order(
    visitor: Visitor,
    Path((shop, order)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    show(&visitor, shop, order, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    shop: i64,
    order: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    enter(visitor, shop).await?;
    let order = find_order(visitor, order).await?.filled(&form);
    let shop = find_shop(visitor, order.shop_id).await?;
    let tracking = find_tracking(visitor, order.id).await?;
    let zone = shop.zone();
    let content = OrderPage {
        back: last_step_back(&tracking),
        key: Fields::fresh().text("key").to_owned(),
        zone: &zone,
        shop,
        order,
        tracking,
        form,
        refusal,
    };
    let title = format!("Order {}", content.order.pickup_number);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

/// For a mistake in the kitchen: a step of the last minute is undone.
fn last_step_back(tracking: &[Tracked]) -> Option<String> {
    let [.., before, last] = tracking else {
        return None;
    };
    let is_kitchens = matches!(
        last.status.as_str(),
        "preparing" | "ready_for_pickup" | "out_for_delivery" | "delivered"
    );
    let age = kit::now().duration_since(last.created_at.0);
    (is_kitchens && age < SignedDuration::from_mins(1)).then(|| before.status.clone())
}

pub async fn take_step(
    visitor: Visitor,
    Path((shop, order)): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let outcome = send_step(&visitor, order, form.text("status")).await;
    done(&visitor, shop, order, form, outcome).await
}

/// A cashier takes the money, whatever way of payment was meant.
pub async fn take_money(
    visitor: Visitor,
    Path((shop, order)): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let body = json!({ "payment_status": "approved", "payment_method": "counter" });
    let outcome = send_payment(&visitor, order, &body).await;
    done(&visitor, shop, order, form, outcome).await
}

pub async fn refund(
    visitor: Visitor,
    Path((shop, order)): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let outcome = send_refund(&visitor, order, &form).await;
    done(&visitor, shop, order, form, outcome).await
}

async fn send_refund(visitor: &Visitor, id: i64, form: &Fields) -> Result<(), Error> {
    let restock = match form.text("restock") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let order = find_order(visitor, id).await?;
    let mut items = Vec::new();
    for item in &order.items {
        let quantity = form.number(&format!("back-{}", item.id))?;
        if let Some(quantity) = quantity.filter(|it| *it != 0) {
            items.push(json!({ "item_id": item.id, "quantity": quantity, "restock": restock }));
        }
    }
    if items.is_empty() {
        return Err(Error::refused("Say how many pieces go back."));
    }
    let (path, body) = (format!("/orders/{id}/refund"), json!({ "items": items }));
    let key = form.text("key");
    visitor
        .change_once(Method::POST, "orders", &path, key, &body)
        .await
}

/// Back to the page whose button was pressed.
async fn done(
    visitor: &Visitor,
    shop: i64,
    order: i64,
    form: Fields,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    let is_board = form.text("from") == "board";
    match outcome {
        Ok(()) if is_board => Ok(go_to(&format!("/kitchen/{shop}"))),
        Ok(()) => Ok(go_to(&format!("/kitchen/{shop}/orders/{order}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            match is_board {
                true => board(visitor, shop, refusal).await,
                false => show(visitor, shop, order, form, refusal).await,
            }
        }
    }
}
