//! Menus and your orders. Amounts are BRL.

pub mod ordering;
pub mod orders;

use std::fmt;

use askama::Template;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::money::decimal;
use kit::web::{Dialect, Problem, Query, Routes};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Listed, Part};
use crate::page::page;
use crate::visitor::{Anyone, Client};
use crate::words::zone;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/shops", list_shops, |it| it)
        .get("/shops/orders", orders::list_orders, |it| it)
        .get("/shops/orders/{id}", orders::show_order, |it| it)
        .get("/shops/orders/{id}/qr.png", orders::show_code, |it| it)
        .post("/shops/orders/{id}/ask", orders::ask_provider, |it| it)
        .post("/shops/orders/{id}/cancel", orders::cancel, |it| it)
        .get("/shops/{id}", ordering::show_menu, |it| it)
        .post("/shops/{id}", ordering::place, |it| it)
        .post("/shops/{id}/more", ordering::show_more, |it| it)
        .post("/shops/{id}/check", ordering::check, |it| it)
}

/// An amount that an operation answers as a decimal number, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(#[serde(with = "decimal")] pub i64);

impl Amount {
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", decimal::text(self.0))
    }
}

#[derive(Debug, Deserialize)]
pub struct Shop {
    pub id: i64,
    pub name: String,
    pub owner: Option<Uuid>,
    pub time_zone: String,
}

impl Shop {
    pub fn zone(&self) -> TimeZone {
        zone(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

#[derive(Debug, Deserialize)]
pub struct Product {
    pub id: i64,
    pub name: String,
    pub price: Amount,
    pub category_id: i64,
    pub category: String,
    pub enabled: bool,
    pub available: bool,
    pub description: String,
    pub allergens: Vec<String>,
    pub station: String,
    pub hours: Vec<Hours>,
    pub stock: Option<i64>,
    pub options: Vec<Group>,
    /// How many are filled in.
    #[serde(skip)]
    count: String,
    #[serde(skip)]
    note: String,
}

impl Product {
    pub fn state(&self) -> &'static str {
        match (self.enabled, self.stock) {
            (false, _) => "not offered",
            (true, Some(0)) => "sold out",
            _ if self.available => "available",
            _ => "not served now",
        }
    }

    pub fn allergens(&self) -> String {
        self.allergens.join(", ")
    }

    /// With what a form says of it.
    fn filled(mut self, form: &Fields) -> Self {
        let id = self.id;
        form.text(&format!("count-{id}"))
            .clone_into(&mut self.count);
        form.text(&format!("note-{id}")).clone_into(&mut self.note);
        for choice in self.options.iter_mut().flat_map(|it| &mut it.choices) {
            choice.is_chosen = form.has(&format!("choice-{id}"), &choice.id.to_string());
        }
        self
    }
}

/// A window of the week in which a product is served.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hours {
    pub days: Vec<u8>,
    pub from: String,
    pub to: String,
}

pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = (1..).zip(DAYS).filter(|(day, _)| self.days.contains(day));
        let days: Vec<_> = days.map(|(_, name)| name).collect();
        write!(f, "{} {}–{}", days.join(", "), self.from, self.to)
    }
}

/// A question that comes with a product.
#[derive(Debug, Deserialize)]
pub struct Group {
    pub name: String,
    at_least: i64,
    at_most: i64,
    pub choices: Vec<Choice>,
}

impl Group {
    fn is_single(&self) -> bool {
        self.at_most == 1
    }

    fn is_required(&self) -> bool {
        self.at_least > 0
    }

    pub fn bounds(&self) -> String {
        match (self.at_least, self.at_most) {
            (least, most) if least == most => format!("choose {most}"),
            (0, most) => format!("up to {most}"),
            (least, most) => format!("{least} to {most}"),
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct Choice {
    pub id: i64,
    pub name: String,
    pub price: Amount,
    pub stock: Option<i64>,
    #[serde(skip)]
    is_chosen: bool,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.price.is_zero() {
            write!(f, " +{}", self.price)?;
        }
        match self.stock {
            Some(0) => f.write_str(" (sold out)"),
            _ => Ok(()),
        }
    }
}

impl Choice {
    fn is_sold_out(&self) -> bool {
        self.stock == Some(0)
    }
}

pub async fn find_shop(client: &Client, id: i64) -> Result<Shop, Error> {
    client.get("orders", &format!("/shops/{id}")).await
}

/// As many parts of a menu are read, of a hundred products each.
const MAX_PARTS: usize = 10;

/// The offered products of a shop; with `all` also the others, for staff who edit the menu.
pub async fn find_products(client: &Client, shop: i64, all: bool) -> Result<Vec<Product>, Error> {
    let mut products = Vec::new();
    let mut part = Part::default();
    for _ in 0..MAX_PARTS {
        let asked = format!("/products?shop_id={shop}&all={all}&limit=100&{part}");
        let list = client.list("orders", &asked).await?;
        products.extend(list.rows);
        match list.next {
            Some(next) => part = next,
            None => break,
        }
    }
    Ok(products)
}

/// All shops, or only those where the person works.
pub async fn find_shops(client: &Client, part: &Part, mine: bool) -> Result<Listed<Shop>, Error> {
    let asked = part.query([("mine", if mine { "true" } else { "" }), LIMIT]);
    client.list("orders", &format!("/shops?{asked}")).await
}

#[derive(Template)]
#[template(path = "shops/list.html")]
struct List {
    shops: Vec<Shop>,
    next: Option<Part>,
    is_signed_in: bool,
}

async fn list_shops(anyone: Anyone, Query(part): Query<Part>) -> Result<Response, Problem> {
    let list = find_shops(&anyone, &part, false).await?;
    let content = List {
        shops: list.rows,
        next: list.next,
        is_signed_in: anyone.me.is_some(),
    };
    page("Shops", anyone.me.as_ref(), &content)
}
