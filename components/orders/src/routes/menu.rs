//! Categories, products and their stock.

use axum::body::Bytes;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use kit::identity::Caller;
use kit::money::decimal;
use kit::web::{Created, Json, Listed, NoContent, Page, Path, Problem, Query, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Found;
use crate::error::Error;
use crate::menu_file;
use crate::product::{
    Category, Group, Hours, Movement, Product, Reason, Station, check_hours, check_name,
    check_options, check_price, check_stock, stored_options,
};
use crate::shop::FIRST;
use crate::store;
use crate::store::menu::{self, Asked, NewProduct as Stored};

const MAX_DESCRIPTION: usize = 2_000;
const MAX_ALLERGENS: usize = 30;

#[derive(Deserialize, Schema)]
pub struct WantedCategories {
    /// The one category with this id.
    category_id: Option<i64>,
    #[schemars(example = 1)]
    shop_id: Option<i64>,
    /// Also what is not offered.
    #[serde(default)]
    all: bool,
}

pub async fn list_categories(
    caller: Option<Caller>,
    uri: Uri,
    Query(wanted): Query<WantedCategories>,
    Query(page): Query<Page>,
) -> Result<Found<Category>, Problem> {
    let asked = Asked {
        caller: caller.as_ref(),
        all: wanted.all,
    };
    let db = store::open().await?;
    let listed =
        menu::list_categories(&db, asked, wanted.category_id, wanted.shop_id, page).await?;
    match wanted.category_id {
        Some(_) => Ok(Found::One(one(listed, Error::UnknownCategory)?)),
        None => Ok(Found::Several(Listed::page(&uri, page, menu::PAGE, listed))),
    }
}

fn one<T>(listed: Vec<T>, none: Error) -> Result<Json<T>, Error> {
    listed.into_iter().next().map(Json).ok_or(none)
}

pub async fn show_category(
    caller: Option<Caller>,
    Path(id): Path<i64>,
) -> Result<Json<Category>, Problem> {
    let asked = Asked {
        caller: caller.as_ref(),
        all: true,
    };
    let db = store::open().await?;
    let listed = menu::list_categories(&db, asked, Some(id), None, first()).await?;
    Ok(one(listed, Error::UnknownCategory)?)
}

/// A page of one row.
fn first() -> Page {
    Page::first(1)
}

#[derive(Deserialize, Schema)]
pub struct NewCategory {
    #[schemars(length(min = 1, max = 100))]
    name: String,
    #[serde(default = "yes")]
    enabled: bool,
    /// The first shop when absent.
    #[schemars(example = 1)]
    shop_id: Option<i64>,
}

fn yes() -> bool {
    true
}

pub async fn create_category(
    caller: Caller,
    Json(new): Json<NewCategory>,
) -> Result<Created<Category, 200>, Problem> {
    let name = check_name(&new.name, 100)?;
    let shop = new.shop_id.unwrap_or(FIRST);
    let db = store::open().await?;
    let category = menu::create_category(&db, shop, &caller, &name, new.enabled).await?;
    Ok(Created::at(
        format!("/categories/{}", category.id),
        category,
    ))
}

#[derive(Deserialize, Schema)]
pub struct CategoryChange {
    #[schemars(length(min = 1, max = 100))]
    name: Option<String>,
    #[schemars(example = true)]
    enabled: Option<bool>,
}

pub async fn change_category(
    caller: Caller,
    Path(id): Path<i64>,
    Json(change): Json<CategoryChange>,
) -> Result<Json<Category>, Problem> {
    if change.name.is_none() && change.enabled.is_none() {
        return Err(Error::EmptyPatch.into());
    }
    let name = change.name.map(|it| check_name(&it, 100)).transpose()?;
    let db = store::open().await?;
    let changed =
        menu::change_category(&db, id, &caller, name.as_deref(), change.enabled, false).await?;
    Ok(Json(changed))
}

pub async fn delete_category(caller: Caller, Path(id): Path<i64>) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    menu::change_category(&db, id, &caller, None, None, true).await?;
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
pub struct WantedProducts {
    /// The one product with this id.
    product_id: Option<i64>,
    category_id: Option<i64>,
    #[schemars(example = 1)]
    shop_id: Option<i64>,
    /// A part of the name, in any case.
    name: Option<String>,
    /// Also what is not offered.
    #[serde(default)]
    all: bool,
}

pub async fn list_products(
    caller: Option<Caller>,
    uri: Uri,
    Query(wanted): Query<WantedProducts>,
    Query(page): Query<Page>,
) -> Result<Found<Product>, Problem> {
    let asked = Asked {
        caller: caller.as_ref(),
        all: wanted.all,
    };
    let products = menu::Wanted {
        product: wanted.product_id,
        category: wanted.category_id,
        shop: wanted.shop_id,
        name: wanted.name.as_deref(),
    };
    let db = store::open().await?;
    let (limit, offset) = (page.limit(menu::PAGE), page.offset());
    let listed = menu::list_products(&db, asked, products, limit, offset).await?;
    match wanted.product_id {
        Some(_) => Ok(Found::One(one(listed, Error::UnknownProduct)?)),
        None => Ok(Found::Several(Listed::page(&uri, page, menu::PAGE, listed))),
    }
}

pub async fn show_product(
    caller: Option<Caller>,
    Path(id): Path<i64>,
) -> Result<Json<Product>, Problem> {
    let asked = Asked {
        caller: caller.as_ref(),
        all: true,
    };
    let wanted = menu::Wanted {
        product: Some(id),
        ..menu::Wanted::default()
    };
    let db = store::open().await?;
    let listed = menu::list_products(&db, asked, wanted, 1, 0).await?;
    Ok(one(listed, Error::UnknownProduct)?)
}

/// An amount of BRL.
#[derive(Clone, Copy, Deserialize, Serialize, Schema)]
#[serde(transparent)]
pub struct Price(
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub i64,
);

#[derive(Deserialize, Schema)]
pub struct NewProduct {
    #[schemars(length(min = 1, max = 200))]
    name: String,
    #[schemars(with = "f64", example = 25.5)]
    price: Price,
    category_id: i64,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    #[schemars(length(max = 2000), example = &"Beef, cheese, bacon")]
    description: String,
    #[serde(default)]
    #[schemars(example = &["gluten", "milk"])]
    allergens: Vec<String>,
    #[serde(default)]
    station: Station,
    #[serde(default)]
    hours: Vec<Hours>,
    /// How many there are; when absent, the product is not counted.
    #[schemars(range(min = 0, max = 1_000_000))]
    stock: Option<i32>,
    #[serde(default)]
    options: Vec<Group>,
}

pub async fn create_product(
    caller: Caller,
    Json(new): Json<NewProduct>,
) -> Result<Created<Product, 200>, Problem> {
    check_hours(&new.hours)?;
    check_options(&new.options)?;
    let stored = Stored {
        category: new.category_id,
        name: check_name(&new.name, 200)?,
        price: check_price(new.price.0)?,
        enabled: new.enabled,
        description: check_description(new.description)?,
        allergens: check_allergens(new.allergens)?,
        station: new.station,
        hours: json!(new.hours),
        stock: new.stock.map(check_stock).transpose()?,
        options: stored_options(&new.options),
    };
    let db = store::open().await?;
    let product = menu::create_product(&db, &caller, stored).await?;
    Ok(Created::at(format!("/products/{}", product.id), product))
}

fn check_description(text: String) -> Result<String, Error> {
    match text.chars().count() <= MAX_DESCRIPTION {
        true => Ok(text),
        false => Err(Error::InvalidText),
    }
}

fn check_allergens(allergens: Vec<String>) -> Result<Vec<String>, Error> {
    if allergens.len() > MAX_ALLERGENS {
        return Err(Error::InvalidText);
    }
    allergens.iter().map(|it| check_name(it, 100)).collect()
}

/// Absent fields stay as they are.
#[derive(Deserialize, Schema)]
pub struct ProductChange {
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
    #[schemars(with = "Option<f64>", example = 25.5)]
    price: Option<Price>,
    category_id: Option<i64>,
    #[schemars(example = true)]
    enabled: Option<bool>,
    #[schemars(length(max = 2000))]
    description: Option<String>,
    allergens: Option<Vec<String>>,
    station: Option<Station>,
    hours: Option<Vec<Hours>>,
    options: Option<Vec<Group>>,
}

pub async fn change_product(
    caller: Caller,
    Path(id): Path<i64>,
    Json(it): Json<ProductChange>,
) -> Result<Json<Product>, Problem> {
    let is_empty = it.name.is_none()
        && it.price.is_none()
        && it.category_id.is_none()
        && it.enabled.is_none()
        && it.description.is_none()
        && it.allergens.is_none()
        && it.station.is_none()
        && it.hours.is_none()
        && it.options.is_none();
    if is_empty {
        return Err(Error::EmptyPatch.into());
    }
    it.hours.as_deref().map(check_hours).transpose()?;
    it.options.as_deref().map(check_options).transpose()?;
    let change = menu::Change {
        category: it.category_id,
        name: it.name.map(|it| check_name(&it, 200)).transpose()?,
        price: it.price.map(|it| check_price(it.0)).transpose()?,
        enabled: it.enabled,
        description: it.description.map(check_description).transpose()?,
        allergens: it.allergens.map(check_allergens).transpose()?,
        station: it.station,
        hours: it.hours.map(|it| json!(it)),
        options: it.options.as_deref().map(stored_options),
        is_deleted: false,
    };
    let db = store::open().await?;
    Ok(Json(menu::change_product(&db, id, &caller, change).await?))
}

pub async fn delete_product(caller: Caller, Path(id): Path<i64>) -> Result<NoContent, Problem> {
    let change = menu::Change {
        is_deleted: true,
        ..menu::Change::default()
    };
    let db = store::open().await?;
    menu::change_product(&db, id, &caller, change).await?;
    Ok(NoContent)
}

/// The kind of a manual change of a stock.
#[derive(Clone, Copy, kit::Word)]
pub enum Why {
    Delivery,
    Count,
}

#[derive(Deserialize, Schema)]
pub struct StockMove {
    reason: Why,
    #[schemars(range(min = 0, max = 1_000_000), example = 20)]
    quantity: i32,
    /// Changes the stock of this choice instead of the product's.
    choice_id: Option<i64>,
}

pub async fn move_stock(
    caller: Caller,
    Path(id): Path<i64>,
    Json(it): Json<StockMove>,
) -> Result<Json<Product>, Problem> {
    let reason = match it.reason {
        Why::Delivery => Reason::Delivery,
        Why::Count => Reason::Count,
    };
    let number = check_stock(it.quantity)?;
    let db = store::open().await?;
    let moved = menu::move_stock(&db, id, it.choice_id, &caller, reason, number).await?;
    kit::store::event::wake();
    Ok(Json(moved))
}

pub async fn list_movements(
    caller: Caller,
    uri: Uri,
    Path(id): Path<i64>,
    Query(page): Query<Page>,
) -> Result<Listed<Movement>, Problem> {
    let db = store::open().await?;
    let listed = menu::list_movements(&db, id, &caller, page).await?;
    Ok(Listed::page(&uri, page, 100, listed))
}

/// Products that one file holds.
const MAX_EXPORTED: i64 = 2_000;

pub async fn export_menu(
    caller: Option<Caller>,
    Path(shop): Path<i64>,
) -> Result<Response, Problem> {
    let asked = Asked {
        caller: caller.as_ref(),
        all: true,
    };
    let wanted = menu::Wanted {
        shop: Some(shop),
        ..menu::Wanted::default()
    };
    let db = store::open().await?;
    let products = menu::list_products(&db, asked, wanted, MAX_EXPORTED, 0).await?;
    let csv = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    Ok((csv, menu_file::write(&products)).into_response())
}

pub async fn import_menu(
    caller: Caller,
    Path(shop): Path<i64>,
    body: Bytes,
) -> Result<Json<menu::Imported>, Problem> {
    let text =
        std::str::from_utf8(&body).map_err(|_| Error::InvalidFile(1, "the file is not UTF-8"))?;
    let rows = menu_file::read(text)?;
    let db = store::open().await?;
    Ok(Json(menu::import_menu(&db, shop, &caller, &rows).await?))
}
