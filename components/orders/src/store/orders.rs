//! Orders, their steps and the kitchen.

use kit::identity::Caller;
use kit::store::{Db, DbError, FromRow, Only, Row};
use kit::web::{Page, Problem};
use kit::{params, sql};
use serde_json::json;
use uuid::Uuid;

use super::{decide, decide_all};
use crate::charge::Placed;
use crate::error::Error;
use crate::order::{Named, Order, Pending, Status, Step, Ticket, Tracked, Wish};
use crate::product::Station;

/// Rows of a list when the client does not say how many, as in the replaced system.
pub const PAGE: i64 = 10;
/// The kitchen sees more at once.
pub const KITCHEN_PAGE: i64 = 100;

impl FromRow for Placed {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            order: Order::from_row(row)?,
            charge: row.get("charge_id")?,
            payee: row.get("payee")?,
        })
    }
}

/// The customer of an order, and the name that the client has for them.
pub struct Customer {
    pub id: Uuid,
    pub name: String,
}

/// A refusal names the thing that it concerns.
pub async fn place_order(
    db: &Db,
    request: Uuid,
    caller: &Caller,
    customer: &Customer,
    wish: &Wish,
    seconds_to_pay: i32,
) -> Result<Placed, Problem> {
    let params = params![
        request,
        wish.shop,
        caller.id,
        caller.is_admin(),
        customer.id,
        &customer.name,
        wish.email.as_deref(),
        wish.method,
        &json!(wish.lines),
        wish.tip,
        wish.coupon.as_deref(),
        seconds_to_pay,
        wish.expected_amount
    ];
    let Named(name, placed) = db.one(sql!("place_order"), params).await?;
    placed.map_err(|refusal| {
        let problem = Problem::from(refusal);
        match name {
            Some(name) => {
                let detail = format!("{}: {name}", problem.title());
                problem.detail(detail)
            }
            None => problem,
        }
    })
}

/// The orders that are wanted.
#[derive(Default)]
pub struct Wanted<'a> {
    pub order: Option<i64>,
    pub customer: Option<&'a str>,
    pub status: Option<Status>,
    pub shop: Option<i64>,
}

pub async fn list_orders(
    db: &Db,
    caller: &Caller,
    wanted: Wanted<'_>,
    page: Page,
) -> Result<Vec<Order>, Error> {
    let params = params![
        caller.id,
        caller.is_admin(),
        wanted.order,
        wanted.customer,
        wanted.status,
        wanted.shop,
        page.limit(PAGE),
        page.offset()
    ];
    Ok(db.all(sql!("list_orders"), params).await?)
}

pub async fn find_order(db: &Db, id: i64, caller: &Caller) -> Result<Order, Error> {
    let params = params![id, caller.id, caller.is_admin()];
    db.optional(sql!("find_order"), params)
        .await?
        .ok_or(Error::UnknownOrder)
}

/// The order that a link leads to.
pub async fn find_followed(db: &Db, link: Uuid) -> Result<Order, Error> {
    db.optional(sql!("find_followed"), params![link])
        .await?
        .ok_or(Error::UnknownOrder)
}

pub async fn move_order(db: &Db, id: i64, step: Step, caller: &Caller) -> Result<Order, Error> {
    let (status, at_counter) = match step {
        Step::To(status) => (status, false),
        Step::CashIn => (Status::Paid, true),
    };
    let params = params![id, status, caller.id, caller.is_admin(), at_counter];
    decide(db, sql!("move_order"), params).await
}

/// Gives items back, once per `request`. `items` is `[{"item_id", "quantity"}]`.
pub async fn refund_items(
    db: &Db,
    request: Uuid,
    id: i64,
    caller: &Caller,
    items: &serde_json::Value,
) -> Result<Order, Error> {
    let params = params![id, caller.id, caller.is_admin(), items, request];
    decide(db, sql!("refund_items"), params).await
}

pub async fn list_tracking(db: &Db, order: i64) -> Result<Vec<Tracked>, Error> {
    Ok(db.all(sql!("list_tracking"), params![order]).await?)
}

pub async fn list_kitchen(
    db: &Db,
    shop: i64,
    caller: &Caller,
    station: Option<Station>,
    page: Page,
) -> Result<Vec<Ticket>, Error> {
    let params = params![
        shop,
        caller.id,
        caller.is_admin(),
        station,
        page.limit(KITCHEN_PAGE),
        page.offset()
    ];
    decide_all(db, sql!("list_kitchen"), params).await
}

pub async fn list_pending(
    db: &Db,
    shop: i64,
    caller: &Caller,
    station: Option<Station>,
) -> Result<Vec<Pending>, Error> {
    let params = params![shop, caller.id, caller.is_admin(), station];
    decide_all(db, sql!("list_pending"), params).await
}

/// Cancels orders that were not paid in time, `limit` at most; answers how many.
pub async fn expire_orders(db: &Db, limit: i64) -> Result<i64, Error> {
    let Only(expired) = db.one(sql!("expire_orders"), params![limit]).await?;
    Ok(expired)
}

/// Tells customers whose order is ready, `limit` at most; answers how many.
pub async fn tell_ready(db: &Db, limit: i64) -> Result<i64, Error> {
    let Only(told) = db.one(sql!("tell_ready"), params![limit]).await?;
    Ok(told)
}

/// Removes the data of an erased person from `limit` orders at most; answers from how many.
pub async fn erase(db: &Db, user: Uuid, limit: i32) -> Result<i64, Error> {
    let Only(changed) = db.one(sql!("erase"), params![user, limit]).await?;
    Ok(changed)
}
