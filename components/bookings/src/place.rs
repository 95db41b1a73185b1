//! The rules of a parking place. No I/O in this file.

use kit::Word;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::booking::Window;
use crate::error::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
#[word(rename_all = "kebab-case")]
pub enum ParkingType {
    Outdoor,
    Covered,
    Underground,
    MultiLevel,
}

/// A parking place as anyone may see it.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Place {
    pub id: i64,
    pub name: String,
    pub city: String,
    pub address: String,
    pub parking_type: ParkingType,
    /// Minor units of USD.
    pub hourly_rate: i64,
    pub capacity: i32,
    #[serde(rename = "owner_id")]
    pub owner: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// How many more cars fit during the whole window that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<i64>,
    /// As the crow flies, from where it was searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_km: Option<f64>,
}

/// What an owner says about a place. The owner comes from the token.
#[derive(Clone, Debug, Deserialize, Schema)]
pub struct NewPlace {
    #[schemars(length(min = 1, max = 500), example = &"Central")]
    pub name: String,
    #[schemars(length(min = 1, max = 500), example = &"Porto")]
    pub city: String,
    #[schemars(length(min = 1, max = 500), example = &"Rua das Flores 1")]
    pub address: String,
    pub parking_type: ParkingType,
    /// Minor units of USD.
    #[schemars(range(min = 1, max = 1_000_000), example = 150)]
    pub hourly_rate: i64,
    /// Cars at once.
    #[schemars(range(min = 1, max = 100_000), example = 200)]
    pub capacity: i32,
    /// Only together with the longitude.
    #[schemars(range(min = -90, max = 90), example = 41.1469)]
    pub latitude: Option<f64>,
    #[schemars(range(min = -180, max = 180), example = -8.6151)]
    pub longitude: Option<f64>,
}

/// The filters of a search. An absent one leaves nothing out.
pub struct Search<'a> {
    pub city: Option<&'a str>,
    pub name: Option<&'a str>,
    pub parking_type: Option<ParkingType>,
    pub owner: Option<Uuid>,
    pub window: Option<Window>,
    pub min_rate: Option<i64>,
    pub max_rate: Option<i64>,
    pub near: Option<(f64, f64)>,
}

/// Longer than any real address.
const MAX_TEXT: usize = 500;
/// Text that would run in a page that forgets to escape it.
const SCRIPTS: [&str; 4] = ["<script", "javascript:", "onerror=", "onclick="];

impl NewPlace {
    /// The place without leading and trailing blanks, or the rule that it breaks.
    pub fn checked(mut self) -> Result<Self, Error> {
        for (name, text) in [
            ("name", &mut self.name),
            ("city", &mut self.city),
            ("address", &mut self.address),
        ] {
            *text = text.trim().to_owned();
            let lower = text.to_lowercase();
            if text.is_empty() || text.chars().count() > MAX_TEXT {
                return Err(Error::InvalidPlace(format!(
                    "{name} has 1 to {MAX_TEXT} characters"
                )));
            }
            if text.contains('\0') || SCRIPTS.iter().any(|it| lower.contains(it)) {
                return Err(Error::InvalidPlace(format!(
                    "{name} has content that is not text"
                )));
            }
        }
        if !(1..=1_000_000).contains(&self.hourly_rate) {
            return Err(Error::InvalidPlace(
                "hourly_rate is 1 to 1000000 cents".to_owned(),
            ));
        }
        if !(1..=100_000).contains(&self.capacity) {
            return Err(Error::InvalidPlace("capacity is 1 to 100000".to_owned()));
        }
        match (self.latitude, self.longitude) {
            (None, None) => Ok(self),
            (Some(latitude), Some(longitude)) if on_earth(latitude, longitude) => Ok(self),
            _ => Err(Error::InvalidPlace(
                "latitude (-90..90) and longitude (-180..180) come together".to_owned(),
            )),
        }
    }
}

pub fn on_earth(latitude: f64, longitude: f64) -> bool {
    (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> NewPlace {
        NewPlace {
            name: " Central ".to_owned(),
            city: "Moscow".to_owned(),
            address: "Red Square 1".to_owned(),
            parking_type: ParkingType::Underground,
            hourly_rate: 150,
            capacity: 200,
            latitude: None,
            longitude: None,
        }
    }

    #[test]
    fn blanks_around_a_name_are_dropped() {
        assert_eq!(place().checked().unwrap().name, "Central");
    }

    #[test]
    fn the_largest_and_the_smallest_place_are_taken() {
        let edges: [fn(&mut NewPlace); 3] = [
            |it| (it.hourly_rate, it.capacity, it.name) = (1, 1, "x".to_owned()),
            |it| (it.hourly_rate, it.capacity, it.name) = (1_000_000, 100_000, "ж".repeat(500)),
            |it| (it.latitude, it.longitude) = (Some(-90.0), Some(180.0)),
        ];
        for edge in edges {
            let mut place = place();
            edge(&mut place);
            assert!(place.checked().is_ok());
        }
    }

    #[test]
    fn a_place_that_breaks_a_rule_is_refused() {
        let broken: [fn(&mut NewPlace); 12] = [
            |it| it.name = " ".to_owned(),
            |it| it.address = "x".repeat(501),
            |it| it.city = "<ScRipt>".to_owned(),
            |it| it.hourly_rate = 0,
            |it| it.hourly_rate = 1_000_001,
            |it| it.capacity = 0,
            |it| it.capacity = 100_001,
            |it| it.city = "Po\0rto".to_owned(),
            |it| it.latitude = Some(1.0),
            |it| it.longitude = Some(1.0),
            |it| (it.latitude, it.longitude) = (Some(0.0), Some(180.5)),
            |it| (it.latitude, it.longitude) = (Some(f64::NAN), Some(0.0)),
        ];
        for breaking in broken {
            let mut place = place();
            breaking(&mut place);
            assert!(place.checked().is_err());
        }
    }
}
