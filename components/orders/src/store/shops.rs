//! Shops, their staff, figures and coupons.

use jiff::Timestamp;
use kit::identity::Caller;
use kit::is_zone_name;
use kit::store::{Db, DbError};
use kit::web::Page;
use kit::{params, sql};
use uuid::Uuid;

use super::{decide, decide_all};
use crate::error::Error;
use crate::shop::{Coupon, Figures, Member, Shop, StaffRole};

pub const PAGE: i64 = 100;

pub async fn list_shops(db: &Db, page: Page) -> Result<Vec<Shop>, Error> {
    let params = params![page.limit(PAGE), page.offset()];
    Ok(db.all(sql!("list_shops"), params).await?)
}

/// Those where the user works.
pub async fn list_shops_of(db: &Db, user: Uuid, page: Page) -> Result<Vec<Shop>, Error> {
    let params = params![user, page.limit(PAGE), page.offset()];
    Ok(db.all(sql!("list_shops_of"), params).await?)
}

pub async fn find_shop(db: &Db, id: i64) -> Result<Shop, Error> {
    db.optional(sql!("find_shop"), params![id])
        .await?
        .ok_or(Error::UnknownShop)
}

pub async fn create_shop(
    db: &Db,
    name: &str,
    owner: Option<Uuid>,
    time_zone: Option<&str>,
) -> Result<Shop, Error> {
    check_zone(time_zone)?;
    let params = params![name, owner, time_zone];
    db.one(sql!("create_shop"), params).await.map_err(of_zone)
}

pub async fn change_shop(
    db: &Db,
    id: i64,
    name: Option<&str>,
    owner: Option<Uuid>,
    time_zone: Option<&str>,
) -> Result<Shop, Error> {
    check_zone(time_zone)?;
    let params = params![id, name, owner, time_zone];
    db.optional(sql!("change_shop"), params)
        .await
        .map_err(of_zone)?
        .ok_or(Error::UnknownShop)
}

fn check_zone(name: Option<&str>) -> Result<(), Error> {
    match name.is_none_or(is_zone_name) {
        true => Ok(()),
        false => Err(Error::UnknownTimeZone),
    }
}

/// Only PostgreSQL knows all names; it calls another one an invalid parameter (22023).
fn of_zone(error: DbError) -> Error {
    match error {
        DbError::Refused { sqlstate, .. } if sqlstate == "22023" => Error::UnknownTimeZone,
        other => other.into(),
    }
}

pub async fn list_staff(db: &Db, shop: i64, caller: &Caller) -> Result<Vec<Member>, Error> {
    let params = params![shop, caller.id, caller.is_admin()];
    decide_all(db, sql!("list_staff"), params).await
}

pub async fn assign_staff(
    db: &Db,
    shop: i64,
    caller: &Caller,
    user: Uuid,
    role: StaffRole,
    is_given: bool,
) -> Result<(), Error> {
    let params = params![shop, caller.id, caller.is_admin(), user, role, is_given];
    decide(db, sql!("assign_staff"), params).await
}

/// The days from one to another, as `2026-01-31`.
pub async fn list_figures(
    db: &Db,
    shop: i64,
    caller: &Caller,
    from: &str,
    to: &str,
) -> Result<Vec<Figures>, Error> {
    let params = params![shop, caller.id, caller.is_admin(), from, to];
    decide_all(db, sql!("list_figures"), params).await
}

/// A coupon to create.
pub struct NewCoupon<'a> {
    pub code: &'a str,
    pub percent: Option<i32>,
    pub amount: Option<i64>,
    pub min_amount: i64,
    pub max_uses: Option<i32>,
    pub valid_until: Option<Timestamp>,
}

pub async fn create_coupon(
    db: &Db,
    shop: i64,
    caller: &Caller,
    new: NewCoupon<'_>,
) -> Result<Coupon, Error> {
    let params = params![
        shop,
        caller.id,
        caller.is_admin(),
        new.code,
        new.percent,
        new.amount,
        new.min_amount,
        new.max_uses,
        new.valid_until
    ];
    decide(db, sql!("create_coupon"), params).await
}

pub async fn list_coupons(
    db: &Db,
    shop: i64,
    caller: &Caller,
    page: Page,
) -> Result<Vec<Coupon>, Error> {
    let params = params![
        shop,
        caller.id,
        caller.is_admin(),
        page.limit(PAGE),
        page.offset()
    ];
    decide_all(db, sql!("list_coupons"), params).await
}

pub async fn withdraw_coupon(db: &Db, shop: i64, caller: &Caller, code: &str) -> Result<(), Error> {
    let params = params![shop, caller.id, caller.is_admin(), code];
    decide(db, sql!("withdraw_coupon"), params).await
}
