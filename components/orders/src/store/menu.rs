//! Categories, products and their stock.

use kit::identity::Caller;
use kit::store::{Db, FromRow};
use kit::web::{Page, Schema};
use kit::{params, sql};
use serde::Serialize;
use serde_json::{Value, json};

use super::{decide, decide_all};
use crate::error::Error;
use crate::menu_file::MenuRow;
use crate::product::{Category, Movement, Product, Reason, Station};

/// Rows of a list when the client does not say how many, as in the replaced system.
pub const PAGE: i64 = 10;

/// The reader of a menu. Without a caller the public part is read.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub caller: Option<&'a Caller>,
    /// Whether products that are not offered are listed too, for users who edit the menu.
    pub all: bool,
}

impl Asked<'_> {
    fn is_admin(self) -> bool {
        self.caller.is_some_and(Caller::is_admin)
    }
}

pub async fn list_categories(
    db: &Db,
    asked: Asked<'_>,
    category: Option<i64>,
    shop: Option<i64>,
    page: Page,
) -> Result<Vec<Category>, Error> {
    let params = params![
        category,
        shop,
        asked.caller.map(|it| it.id),
        asked.is_admin(),
        asked.all,
        page.limit(PAGE),
        page.offset()
    ];
    Ok(db.all(sql!("list_categories"), params).await?)
}

pub async fn create_category(
    db: &Db,
    shop: i64,
    caller: &Caller,
    name: &str,
    enabled: bool,
) -> Result<Category, Error> {
    let params = params![shop, caller.id, caller.is_admin(), name, enabled];
    decide(db, sql!("create_category"), params).await
}

pub async fn change_category(
    db: &Db,
    id: i64,
    caller: &Caller,
    name: Option<&str>,
    enabled: Option<bool>,
    is_deleted: bool,
) -> Result<Category, Error> {
    let params = params![id, caller.id, caller.is_admin(), name, enabled, is_deleted];
    decide(db, sql!("change_category"), params).await
}

/// The products that are wanted.
#[derive(Default)]
pub struct Wanted<'a> {
    pub product: Option<i64>,
    pub category: Option<i64>,
    pub shop: Option<i64>,
    pub name: Option<&'a str>,
}

pub async fn list_products(
    db: &Db,
    asked: Asked<'_>,
    wanted: Wanted<'_>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Product>, Error> {
    // In all shops: the only list that would read as many products as there are.
    if let Wanted {
        product: None,
        category: None,
        shop: None,
        name: Some(part),
    } = wanted
    {
        let params = params![
            part,
            asked.caller.map(|it| it.id),
            asked.is_admin(),
            asked.all,
            limit,
            offset
        ];
        return Ok(db.all(sql!("search_products"), params).await?);
    }
    let params = params![
        wanted.product,
        wanted.category,
        wanted.shop,
        wanted.name,
        asked.caller.map(|it| it.id),
        asked.is_admin(),
        asked.all,
        limit,
        offset
    ];
    Ok(db.all(sql!("list_products"), params).await?)
}

/// A product as it is to be.
pub struct NewProduct {
    pub category: i64,
    pub name: String,
    pub price: i64,
    pub enabled: bool,
    pub description: String,
    pub allergens: Vec<String>,
    pub station: Station,
    pub hours: Value,
    pub stock: Option<i32>,
    pub options: Value,
}

pub async fn create_product(db: &Db, caller: &Caller, new: NewProduct) -> Result<Product, Error> {
    let params = params![
        caller.id,
        caller.is_admin(),
        new.category,
        &new.name,
        new.price,
        new.enabled,
        &new.description,
        new.allergens,
        new.station,
        &new.hours,
        new.stock,
        &new.options
    ];
    decide(db, sql!("create_product"), params).await
}

/// A change of a product; absent fields stay as they are.
#[derive(Default)]
pub struct Change {
    pub category: Option<i64>,
    pub name: Option<String>,
    pub price: Option<i64>,
    pub enabled: Option<bool>,
    pub description: Option<String>,
    pub allergens: Option<Vec<String>>,
    pub station: Option<Station>,
    pub hours: Option<Value>,
    pub options: Option<Value>,
    pub is_deleted: bool,
}

pub async fn change_product(
    db: &Db,
    id: i64,
    caller: &Caller,
    change: Change,
) -> Result<Product, Error> {
    let params = params![
        id,
        caller.id,
        caller.is_admin(),
        change.category,
        change.name,
        change.price,
        change.enabled,
        change.description,
        change.allergens,
        change.station,
        change.hours.as_ref(),
        change.options.as_ref(),
        change.is_deleted
    ];
    decide(db, sql!("change_product"), params).await
}

/// The result of an import.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Imported {
    /// Products.
    pub created: i64,
    pub changed: i64,
}

pub async fn import_menu(
    db: &Db,
    shop: i64,
    caller: &Caller,
    rows: &[MenuRow],
) -> Result<Imported, Error> {
    let params = params![shop, caller.id, caller.is_admin(), &json!(rows)];
    decide(db, sql!("import_menu"), params).await
}

pub async fn move_stock(
    db: &Db,
    product: i64,
    choice: Option<i64>,
    caller: &Caller,
    reason: Reason,
    number: i32,
) -> Result<Product, Error> {
    let params = params![
        product,
        choice,
        caller.id,
        caller.is_admin(),
        reason,
        number
    ];
    decide(db, sql!("move_stock"), params).await
}

pub async fn list_movements(
    db: &Db,
    product: i64,
    caller: &Caller,
    page: Page,
) -> Result<Vec<Movement>, Error> {
    let params = params![
        product,
        caller.id,
        caller.is_admin(),
        page.limit(100),
        page.offset()
    ];
    decide_all(db, sql!("list_movements"), params).await
}
