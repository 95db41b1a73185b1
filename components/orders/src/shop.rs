//! Shops, their staff and their figures. No I/O in this file.

use jiff::Timestamp;
use kit::Word;
use kit::money::decimal;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The shop of requests that name none.
pub const FIRST: i64 = 1;

/// A shop: a menu, staff and a kitchen.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Shop {
    pub id: i64,
    pub name: String,
    /// The user whose wallet receives what is paid by wallet.
    pub owner: Option<Uuid>,
    pub time_zone: String,
}

/// The role of a person in a shop. The table `permission` lists the rights of each role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum StaffRole {
    /// Places orders of others.
    Kiosk,
    Kitchen,
    /// Confirms payments and hands out.
    Counter,
    Manager,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Member {
    pub user_id: Uuid,
    pub role: StaffRole,
    pub assigned_by: Uuid,
    pub assigned_at: Timestamp,
}

/// The figures of a day. Waiting is the time from payment until the order is ready.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Figures {
    /// As `2026-01-31`, by the shop's clock.
    pub day: String,
    /// Orders that were paid.
    pub orders: i64,
    /// The price of the paid orders, less refunds.
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub revenue: i64,
    pub waiting_p50_seconds: Option<i64>,
    pub waiting_p90_seconds: Option<i64>,
    #[row(json)]
    pub best_sellers: Vec<BestSeller>,
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub struct BestSeller {
    pub product_id: i64,
    pub name: String,
    pub quantity: i64,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Coupon {
    pub id: i64,
    pub code: String,
    pub percent: Option<i32>,
    /// Off the price of the items.
    #[serde(serialize_with = "optional_decimal")]
    #[schemars(with = "Option<f64>")]
    pub amount: Option<i64>,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub min_amount: i64,
    pub max_uses: Option<i32>,
    pub used: i32,
    pub valid_until: Option<Timestamp>,
}

fn optional_decimal<S: serde::Serializer>(
    amount: &Option<i64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => decimal::serialize(amount, serializer),
        None => serializer.serialize_none(),
    }
}
