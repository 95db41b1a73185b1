//! Parking zones, and the requests that found and change them. No I/O in this file.

use jiff::Timestamp;
use kit::Word;
use kit::money::Currency;
use kit::store::FromRow;
use kit::web::Schema;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;
use crate::geometry::Shape;
use crate::schedule::Schedule;
use crate::tariff::{Pricing, Tariff};

/// A zone as anyone may see it.
#[derive(Clone, Debug, Serialize, FromRow, Schema)]
pub struct Zone {
    pub id: i64,
    pub name: String,
    /// Whether tickets are sold there.
    pub available: bool,
    /// GeoJSON, a MultiPolygon, as a text.
    pub geometry: String,
    pub metadata: Option<Value>,
    #[serde(serialize_with = "number")]
    #[schemars(with = "f64")]
    pub price_offset: Decimal,
    #[serde(serialize_with = "number")]
    #[schemars(with = "f64")]
    pub price_lin: Decimal,
    #[serde(serialize_with = "number")]
    #[schemars(with = "f64")]
    pub price_exp: Decimal,
    pub currency: Currency,
    #[row(json)]
    pub rules: Rules,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The revision that a decision about the zone is based on.
    #[serde(skip)]
    pub revision: i64,
}

/// The rules of a zone; all of them are optional.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    pub pricing: Pricing,
    pub control: Control,
    pub fines: Schedule,
}

/// How cars are checked there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Control {
    /// For how many minutes after a ticket's end no fine is issued.
    #[schemars(range(min = 0, max = 120))]
    pub grace_minutes: u32,
    /// Within so many minutes a car is fined once for the same violation.
    #[schemars(range(min = 1, max = 10_080))]
    pub duplicate_minutes: u32,
    /// How many cars fit.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub capacity: Option<u32>,
    /// Whether a driver who leaves early gets the difference back.
    pub refund_early_end: bool,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            grace_minutes: 5,
            duplicate_minutes: 60,
            capacity: None,
            refund_early_end: false,
        }
    }
}

impl Rules {
    fn check(&self) -> Result<(), Error> {
        self.pricing.check()?;
        self.fines.check()?;
        if self.control.grace_minutes > 120 {
            return Err(Error::InvalidRules("grace_minutes is at most 120"));
        }
        if !(1..=10_080).contains(&self.control.duplicate_minutes) {
            return Err(Error::InvalidRules("duplicate_minutes is 1 to 10080"));
        }
        if self
            .control
            .capacity
            .is_some_and(|it| !(1..=1_000_000).contains(&it))
        {
            return Err(Error::InvalidRules("capacity is 1 to 1000000"));
        }
        Ok(())
    }
}

impl Zone {
    pub fn shape(&self) -> Result<Shape, Error> {
        Shape::stored(&self.geometry).ok_or(Error::Stored("the geometry of a zone"))
    }

    pub fn tariff(&self) -> Tariff<'_> {
        Tariff {
            offset: self.price_offset,
            lin: self.price_lin,
            exp: self.price_exp,
            rules: &self.rules.pricing,
        }
    }
}

/// A number that is exact up to 28 digits, from a JSON number or a text.
#[derive(Clone, Copy, Debug, Deserialize, Schema)]
#[serde(transparent)]
pub struct Exact(
    #[serde(deserialize_with = "exact")]
    #[schemars(with = "f64", range(min = 0, max = 1_000_000))]
    pub Decimal,
);

fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    use serde::de::Error as _;
    let text = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        _ => return Err(D::Error::custom("not a number")),
    };
    Decimal::from_str_exact(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .map_err(|_| D::Error::custom("not a number with at most 28 digits"))
}

/// Correctly rounded, so the shortest text of the result is the decimal itself.
fn number<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    use rust_decimal::prelude::ToPrimitive;
    use serde::ser::Error as _;
    let value = value
        .to_f64()
        .ok_or_else(|| S::Error::custom("not a number"))?;
    serializer.serialize_f64(value)
}

/// GeoJSON as a text, as old clients send it, or as it is.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(transparent)]
pub struct GeoJson(
    #[serde(deserialize_with = "geo_json")]
    #[schemars(
        with = "String",
        example = &r#"{"type":"Polygon","coordinates":[[[11.1,46.05],[11.14,46.05],[11.14,46.09],[11.1,46.09],[11.1,46.05]]]}"#
    )]
    String,
);

fn geo_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// A request to found a zone.
#[derive(Debug, Deserialize, Schema)]
pub struct NewZone {
    #[schemars(length(min = 1, max = 100), example = &"Centro")]
    pub name: String,
    #[schemars(example = true)]
    pub available: bool,
    pub geometry: GeoJson,
    /// Data of clients that is kept with the zone, up to 10 kB.
    pub metadata: Option<Value>,
    #[schemars(example = 0.5)]
    pub price_offset: Exact,
    #[schemars(example = 1.2)]
    pub price_lin: Exact,
    /// At most 10.
    #[schemars(range(min = 0, max = 10), example = 1)]
    pub price_exp: Exact,
    /// The currency of prices and fines; when absent, the one that the operator configured (`zone_currency`).
    pub currency: Option<Currency>,
    pub rules: Option<Rules>,
    /// The user whose wallet receives what is paid. Only a platform admin may choose it.
    pub payee: Option<Uuid>,
}

/// Absent fields stay as they are.
#[derive(Debug, Deserialize, Schema)]
pub struct ZoneChange {
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    pub available: Option<bool>,
    pub geometry: Option<GeoJson>,
    pub metadata: Option<Value>,
    pub price_offset: Option<Exact>,
    pub price_lin: Option<Exact>,
    /// At most 10.
    #[schemars(range(min = 0, max = 10))]
    pub price_exp: Option<Exact>,
    pub rules: Option<Rules>,
    /// Only a platform admin may choose it.
    pub payee: Option<Uuid>,
}

/// A checked change of a zone. Absent members stay as they are.
#[derive(Debug, Default)]
pub struct Checked {
    pub name: Option<String>,
    pub available: Option<bool>,
    pub shape: Option<Shape>,
    pub metadata: Option<Value>,
    pub price_offset: Option<Decimal>,
    pub price_lin: Option<Decimal>,
    pub price_exp: Option<Decimal>,
    pub currency: Option<Currency>,
    pub rules: Option<Rules>,
    pub payee: Option<Uuid>,
}

/// Bytes of metadata.
const MAX_METADATA: usize = 10_000;

impl NewZone {
    pub fn checked(self) -> Result<Checked, Error> {
        let change = ZoneChange {
            name: Some(self.name),
            available: Some(self.available),
            geometry: Some(self.geometry),
            metadata: self.metadata,
            price_offset: Some(self.price_offset),
            price_lin: Some(self.price_lin),
            price_exp: Some(self.price_exp),
            rules: Some(self.rules.unwrap_or_default()),
            payee: self.payee,
        };
        Ok(Checked {
            currency: self.currency,
            ..change.checked()?
        })
    }
}

impl ZoneChange {
    pub fn checked(self) -> Result<Checked, Error> {
        let name = self.name.map(|it| it.trim().to_owned());
        if let Some(name) = &name
            && (name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control))
        {
            return Err(Error::InvalidZone("name has 1 to 100 printable characters"));
        }
        let metadata = self.metadata.filter(|it| !it.is_null());
        if let Some(metadata) = &metadata {
            let text = metadata.to_string();
            if text.len() > MAX_METADATA || text.contains("\\u0000") {
                return Err(Error::InvalidZone("metadata has at most 10 kB, and no NUL"));
            }
        }
        let within = |value: Option<Exact>, most: i64, why| match value {
            Some(Exact(it))
                if it.is_sign_negative() && !it.is_zero() || it > Decimal::from(most) =>
            {
                Err(Error::InvalidZone(why))
            }
            Some(Exact(it)) => Ok(Some(it.normalize())),
            None => Ok(None),
        };
        if let Some(rules) = &self.rules {
            rules.check()?;
        }
        Ok(Checked {
            name,
            available: self.available,
            metadata,
            price_offset: within(self.price_offset, 1_000_000, "price_offset is 0 to 1000000")?,
            price_lin: within(self.price_lin, 1_000_000, "price_lin is 0 to 1000000")?,
            price_exp: within(self.price_exp, 10, "price_exp is 0 to 10")?,
            currency: None,
            rules: self.rules,
            payee: self.payee,
            shape: self.geometry.map(|it| Shape::parse(&it.0)).transpose()?,
        })
    }
}

/// Zones whose bounds touch those of a shape, and the newest change among them.
pub struct Neighbours {
    pub zones: Vec<(i64, Shape)>,
    pub seen: i64,
}

impl Neighbours {
    /// The zone that a shape covers ground of.
    pub fn overlapping(&self, shape: &Shape) -> Option<i64> {
        let overlapping = self.zones.iter().find(|(_, it)| it.overlaps(shape));
        overlapping.map(|(id, _)| *id)
    }
}

/// A zone's shape, as a search by place reads it.
#[derive(FromRow)]
pub struct Outline {
    pub id: i64,
    pub revision: i64,
    pub geometry: String,
}

impl Outline {
    pub fn shape(&self) -> Result<Shape, Error> {
        Shape::stored(&self.geometry).ok_or(Error::Stored("the geometry of a zone"))
    }
}

/// The role of a user in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum ZoneRole {
    Admin,
    Controller,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct ZoneUser {
    pub id: i64,
    pub zone_id: i64,
    pub username: String,
    pub role: ZoneRole,
    pub assigned_at: Timestamp,
    pub assigned_by: String,
}

/// How full a zone is, by its valid tickets.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Occupancy {
    #[serde(rename = "zone_id")]
    pub id: i64,
    /// Cars with a valid ticket now.
    pub occupied: i64,
    pub capacity: Option<i64>,
    pub free: Option<i64>,
}
