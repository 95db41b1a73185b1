//! For staff of a shop: orders to prepare and hand over, the menu. Amounts are BRL.

mod coupons;
mod figures;
mod menu;
mod orders;
mod staff;

use askama::Template;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use kit::identity::Role;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shops::orders::Order;
use super::shops::{Shop, find_shop, find_shops};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to};
use crate::visitor::{Client, Visitor};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/kitchen", list_kitchens, |it| it)
        .post("/kitchen", open_shop, |it| it)
        .get("/kitchen/{shop}", show_board, |it| it)
        .get("/kitchen/{shop}/orders", orders::list_orders, |it| it)
        .get("/kitchen/{shop}/orders/{order}", orders::show_order, |it| {
            it
        })
        .post(
            "/kitchen/{shop}/orders/{order}/step",
            orders::take_step,
            |it| it,
        )
        .post(
            "/kitchen/{shop}/orders/{order}/paid",
            orders::take_money,
            |it| it,
        )
        .post(
            "/kitchen/{shop}/orders/{order}/refund",
            orders::refund,
            |it| it,
        )
        .get("/kitchen/{shop}/menu", menu::show_menu, |it| it)
        .post("/kitchen/{shop}/menu", menu::create_product, |it| it)
        .post("/kitchen/{shop}/categories", menu::create_category, |it| it)
        .post(
            "/kitchen/{shop}/categories/{category}",
            menu::change_category,
            |it| it,
        )
        .post(
            "/kitchen/{shop}/categories/{category}/delete",
            menu::delete_category,
            |it| it,
        )
        .get("/kitchen/{shop}/menu/{product}", menu::show_product, |it| {
            it
        })
        .post(
            "/kitchen/{shop}/menu/{product}",
            menu::change_product,
            |it| it,
        )
        .post(
            "/kitchen/{shop}/menu/{product}/offer",
            menu::offer_product,
            |it| it,
        )
        .post(
            "/kitchen/{shop}/menu/{product}/stock",
            menu::move_stock,
            |it| it,
        )
        .post(
            "/kitchen/{shop}/menu/{product}/delete",
            menu::delete_product,
            |it| it,
        )
        .get("/kitchen/{shop}/staff", staff::list_staff, |it| it)
        .post("/kitchen/{shop}/staff", staff::appoint, |it| it)
        .post("/kitchen/{shop}/staff/dismiss", staff::dismiss, |it| it)
        .get("/kitchen/{shop}/coupons", coupons::list_coupons, |it| it)
        .post("/kitchen/{shop}/coupons", coupons::create_coupon, |it| it)
        .post(
            "/kitchen/{shop}/coupons/withdraw",
            coupons::withdraw_coupon,
            |it| it,
        )
        .get("/kitchen/{shop}/figures", figures::show_figures, |it| it)
        .get("/kitchen/{shop}/shop", staff::show_shop, |it| it)
        .post("/kitchen/{shop}/shop", staff::change_shop, |it| it)
}

#[derive(Template)]
#[template(path = "kitchen/list.html")]
struct List {
    shops: Vec<Shop>,
    next: Option<Part>,
    is_admin: bool,
    user: String,
    form: Fields,
    refusal: Option<String>,
}

async fn list_kitchens(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    show_list(&visitor, &part, Fields::default(), None).await
}

/// Admins work in every shop.
async fn show_list(
    visitor: &Visitor,
    part: &Part,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let is_admin = visitor.me.is(Role::Admin);
    let shops = find_shops(visitor, part, !is_admin).await?;
    let content = List {
        shops: shops.rows,
        next: shops.next,
        is_admin,
        user: visitor.me.user_id.to_string(),
        form,
        refusal,
    };
    form_page("Kitchens", &visitor.me, &content, content.refusal.is_some())
}

/// What a form says of a shop.
fn shop_of(form: &Fields) -> Value {
    json!({
        "name": form.text("name"),
        "time_zone": form.optional("time_zone"),
        "owner": form.optional("owner"),
    })
}

async fn open_shop(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let opened = visitor
        .send::<Shop>(Method::POST, "orders", "/shops", "", &shop_of(&form))
        .await;
    match opened {
        Ok(shop) => Ok(go_to(&format!("/kitchen/{}/menu", shop.id))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show_list(&visitor, &Part::default(), form, refusal).await
        }
    }
}

/// How many pieces of a product the orders still need.
#[derive(Debug, Deserialize)]
struct Pending {
    name: String,
    choices: Vec<String>,
    station: String,
    quantity: i64,
}

impl Pending {
    fn choices(&self) -> String {
        self.choices.join(", ")
    }
}

/// A shop and what it still has to make: refused to people who do not work there.
async fn enter(client: &Client, shop: i64) -> Result<(Shop, Vec<Pending>), Error> {
    let pending = client
        .get("orders", &format!("/kitchen/items?shop_id={shop}"))
        .await?;
    Ok((find_shop(client, shop).await?, pending))
}

/// The orders of one state, the oldest first.
struct Column {
    status: &'static str,
    name: &'static str,
    orders: Vec<Order>,
    /// There are more than a page shows.
    has_more: bool,
}

const COLUMNS: [(&str, &str); 6] = [
    ("created", "To be paid"),
    ("requested", "Said to be paid"),
    ("paid", "To prepare"),
    ("preparing", "In preparation"),
    ("ready_for_pickup", "Ready for pickup"),
    ("out_for_delivery", "Out for delivery"),
];

#[derive(Template)]
#[template(path = "kitchen/board.html")]
struct Board<'a> {
    shop: Shop,
    zone: &'a TimeZone,
    pending: Vec<Pending>,
    columns: Vec<Column>,
    refusal: Option<String>,
}

async fn show_board(visitor: Visitor, Path(shop): Path<i64>) -> Result<Response, Problem> {
    let board = board(&visitor, shop, None).await?;
    // New orders appear without a reload by hand.
    Ok(([(header::REFRESH, "20")], board).into_response())
}

async fn board(visitor: &Visitor, shop: i64, refusal: Option<String>) -> Result<Response, Problem> {
    let (shop, pending) = enter(visitor, shop).await?;
    let mut columns = Vec::new();
    for (status, name) in COLUMNS {
        let asked = format!("/orders?shop_id={}&status={status}&limit=100", shop.id);
        let list = visitor.list("orders", &asked).await?;
        let mut orders: Vec<Order> = list.rows;
        orders.reverse();
        if !orders.is_empty() {
            columns.push(Column {
                status,
                name,
                orders,
                has_more: list.next.is_some(),
            });
        }
    }
    let zone = shop.zone();
    let content = Board {
        zone: &zone,
        shop,
        pending,
        columns,
        refusal,
    };
    let title = format!("Kitchen of {}", content.shop.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}
