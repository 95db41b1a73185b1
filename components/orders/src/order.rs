//! Orders: their types and the rules that need no lock. The steps an order can take are the table `step`.

use jiff::Timestamp;
use kit::Word;
use kit::money::decimal;
use kit::store::{Column, DbError, DbValue, FromRow, Row};
use kit::web::Schema;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::error::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Status {
    Created,
    Requested,
    Paid,
    Preparing,
    ReadyForPickup,
    OutForDelivery,
    Delivered,
    /// Called off before it was paid.
    Cancelled,
    /// Called off after it was paid.
    Refunded,
    /// The shop cannot make it.
    Rejected,
}

impl Status {
    /// Its payment may still come.
    pub fn waits_for_payment(self) -> bool {
        match self {
            Self::Created | Self::Requested => true,
            Self::Paid
            | Self::Preparing
            | Self::ReadyForPickup
            | Self::OutForDelivery
            | Self::Delivered
            | Self::Cancelled
            | Self::Refunded
            | Self::Rejected => false,
        }
    }

    /// The order ended without being handed out.
    pub fn is_over(self) -> bool {
        match self {
            Self::Cancelled | Self::Refunded | Self::Rejected => true,
            Self::Created
            | Self::Requested
            | Self::Paid
            | Self::Preparing
            | Self::ReadyForPickup
            | Self::OutForDelivery
            | Self::Delivered => false,
        }
    }
}

/// A step that a caller takes with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    To(Status),
    /// A cashier takes the money at the counter, for any payment method. Repeated: no effect.
    CashIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum PaymentStatus {
    Pending,
    AwaitingPayment,
    PaymentServiceUnavailable,
    InProcess,
    Approved,
    Rejected,
    Refunded,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Word)]
pub enum PaymentMethod {
    /// By a link or a QR code of the payment provider.
    #[default]
    Provider,
    Wallet,
    /// In cash; a cashier confirms it.
    Counter,
}

/// An order as its customer and the shop see it. Amounts are BRL.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Order {
    pub id: i64,
    pub customer_id: CustomerId,
    pub status: Status,
    pub payment_status: PaymentStatus,
    pub payment_method: PaymentMethod,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    /// A PNG in base64, while it can be paid.
    pub qr_code: Option<String>,
    pub payment_link: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[row(json)]
    pub items: Vec<Item>,
    /// The number that is called out when the order is ready.
    #[row(column = "number")]
    pub pickup_number: i32,
    pub shop_id: i64,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub subtotal: i64,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub discount: i64,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub tip: i64,
    /// The amount that was given back.
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub refunded: i64,
    /// An order that is unpaid by then is cancelled.
    pub expires_at: Timestamp,
    /// When it should be ready, estimated from the last orders.
    pub ready_by: Option<Timestamp>,
    #[row(column = "next_states")]
    pub next_states: Words,
    /// The path at which the order can be followed without an account: a secret of its customer.
    #[serde(rename = "tracking_link")]
    #[row(column = "link")]
    pub link: Link,
    #[serde(skip)]
    pub customer: Uuid,
}

/// Statuses that may come next.
#[derive(Debug, Serialize, Schema)]
#[serde(transparent)]
pub struct Words(pub Vec<String>);

impl kit::store::Column for Words {
    fn column(value: &kit::store::DbValue) -> Option<Self> {
        Vec::<String>::column(value).map(Self)
    }
}

/// The path at which an order can be followed without an account.
#[derive(Debug, Serialize, Schema)]
#[serde(transparent)]
pub struct Link(pub String);

impl kit::store::Column for Link {
    fn column(value: &kit::store::DbValue) -> Option<Self> {
        Uuid::column(value).map(|it| Self(format!("/orders/follow/{it}")))
    }
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub struct Item {
    pub id: i64,
    pub product_id: i64,
    pub name: String,
    /// The price of one piece with its choices.
    #[serde(serialize_with = "decimal::serialize")]
    #[schemars(with = "f64")]
    pub price: i64,
    pub quantity: i32,
    /// How many pieces were refunded.
    pub refunded: i32,
    pub station: String,
    pub comment: Option<String>,
    pub choices: Vec<Chosen>,
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub struct Chosen {
    pub id: i64,
    pub name: String,
    #[serde(serialize_with = "decimal::serialize")]
    #[schemars(with = "f64")]
    pub price: i64,
}

/// The name that a client has for a customer: the number of an account, or its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Schema)]
#[serde(untagged)]
#[schemars(with = "CustomerIdShape")]
pub enum CustomerId {
    Number(u32),
    Id(Uuid),
    Erased(String),
}

/// How it is written.
#[cfg(not(target_family = "wasm"))]
#[derive(Schema)]
#[serde(untagged)]
#[allow(dead_code)]
enum CustomerIdShape {
    Number(u32),
    Text(String),
}

impl CustomerId {
    fn parse(text: &str) -> Option<Self> {
        text.parse()
            .map(Self::Number)
            .or_else(|_| text.parse().map(Self::Id))
            .ok()
    }

    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Id(id) => id.to_string(),
            Self::Erased(text) => text.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for CustomerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "the number of an account, or its id")]
        enum Written {
            Number(u32),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self::Number(number)),
            Written::Text(text) => Self::parse(&text)
                .ok_or_else(|| serde::de::Error::custom("the number of an account, or its id")),
        }
    }
}

impl kit::store::Column for CustomerId {
    fn column(value: &kit::store::DbValue) -> Option<Self> {
        let text = String::column(value)?;
        Some(Self::parse(&text).unwrap_or(Self::Erased(text)))
    }
}

/// A checked request for an order.
pub struct Wish {
    pub shop: i64,
    pub customer: Option<CustomerId>,
    pub email: Option<String>,
    pub method: PaymentMethod,
    pub lines: Vec<Line>,
    pub tip: i64,
    pub coupon: Option<String>,
    pub expected_amount: Option<i64>,
}

/// A product that is wanted.
#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub struct Line {
    #[schemars(example = 1)]
    pub product_id: i64,
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000), example = 1)]
    pub quantity: i32,
    /// For the kitchen.
    #[schemars(length(max = 200))]
    pub comment: Option<String>,
    /// The choices made, by id.
    #[serde(default)]
    pub choices: Vec<i64>,
}

fn one() -> i32 {
    1
}

const MAX_LINES: usize = 100;
const MAX_QUANTITY: i32 = 1_000;
const MAX_COMMENT: usize = 200;
const MAX_TIP: i64 = 100_000_000;

impl Wish {
    pub fn checked(self) -> Result<Self, Error> {
        if self.lines.is_empty() {
            return Err(Error::NoItems);
        }
        let fits = |it: &Line| {
            let mut choices = it.choices.clone();
            choices.sort_unstable();
            choices.dedup();
            (1..=MAX_QUANTITY).contains(&it.quantity)
                && it.comment.as_deref().is_none_or(is_comment)
                && choices.len() == it.choices.len()
                && choices.len() <= MAX_LINES
        };
        if self.lines.len() > MAX_LINES || !self.lines.iter().all(fits) {
            return Err(Error::InvalidItem);
        }
        match self.tip {
            0..=MAX_TIP => Ok(self),
            _ => Err(Error::InvalidTip),
        }
    }
}

fn is_comment(text: &str) -> bool {
    text.chars().count() <= MAX_COMMENT && !text.contains('\0')
}

/// A status that an order has had.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Tracked {
    pub id: i64,
    pub order_id: i64,
    pub status: Status,
    pub created_at: Timestamp,
    /// The user who did it; absent when the platform did it, and for readers with only the link.
    pub actor: Option<Uuid>,
}

/// An order in the kitchen's list.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Ticket {
    pub id: i64,
    pub pickup_number: i32,
    pub status: Status,
    /// Since it was paid.
    pub waiting_seconds: i64,
    #[schemars(with = "Vec<Item>")]
    pub items: TicketItems,
}

/// Items that cross as JSON in a text.
#[derive(Debug, Serialize, Deserialize)]
pub struct TicketItems(Vec<Item>);

impl Column for TicketItems {
    fn column(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::Str(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }
}

/// How many pieces of a product, with the same choices, the orders in the kitchen still need.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Pending {
    pub product_id: i64,
    pub name: String,
    #[row(json)]
    pub choices: Vec<String>,
    pub station: String,
    pub quantity: i64,
}

/// The result of placing an order; a refusal that concerns a product, choice or coupon has its name.
pub struct Named<T>(pub Option<String>, pub Result<T, Error>);

impl<T: FromRow> FromRow for Named<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let decided = kit::store::Decided::<T, Error>::from_row(row)?;
        Ok(Self(row.get("named")?, decided.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(lines: Vec<Line>, tip: i64) -> Result<Wish, Error> {
        Wish {
            shop: 1,
            customer: None,
            email: None,
            method: PaymentMethod::Counter,
            lines,
            tip,
            coupon: None,
            expected_amount: None,
        }
        .checked()
    }

    fn line(quantity: i32, choices: &[i64]) -> Line {
        Line {
            product_id: 1,
            quantity,
            comment: None,
            choices: choices.to_vec(),
        }
    }

    #[test]
    fn an_order_has_items_and_each_is_wanted_at_least_once() {
        assert!(wish(vec![line(1, &[1, 2])], 0).is_ok());
        assert!(matches!(wish(vec![], 0), Err(Error::NoItems)));
        for wrong in [
            line(0, &[]),
            line(-1, &[]),
            line(1_001, &[]),
            line(1, &[2, 2]),
        ] {
            assert!(matches!(wish(vec![wrong], 0), Err(Error::InvalidItem)));
        }
        for tip in [-1, MAX_TIP + 1] {
            let refused = wish(vec![line(1, &[])], tip);
            assert!(matches!(refused, Err(Error::InvalidTip)), "{tip}");
        }
    }

    #[test]
    fn an_order_has_a_largest_size() {
        let many: Vec<i64> = (0..100).collect();
        assert!(wish(vec![line(1_000, &many); 100], MAX_TIP).is_ok());
        let more: Vec<i64> = (0..101).collect();
        for wrong in [vec![line(1, &[]); 101], vec![line(1, &more)]] {
            assert!(matches!(wish(wrong, 0), Err(Error::InvalidItem)));
        }
        let saying = |comment: String| {
            let comment = Some(comment);
            wish(
                vec![Line {
                    comment,
                    ..line(1, &[])
                }],
                0,
            )
            .is_ok()
        };
        assert!(saying("é".repeat(200)));
        assert!(!saying("e".repeat(201)) && !saying("no\0onions".to_owned()));
    }

    #[test]
    fn a_customer_is_named_by_number_or_id() {
        let read = |json: &str| serde_json::from_str::<CustomerId>(json).ok();
        assert_eq!(read("7"), Some(CustomerId::Number(7)));
        assert_eq!(read("\"7\""), Some(CustomerId::Number(7)));
        let id = Uuid::from_u128(5);
        assert_eq!(read(&format!("\"{id}\"")), Some(CustomerId::Id(id)));
        for wrong in ["-1", "\"ana\"", "1.5", "null", "[1]"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
