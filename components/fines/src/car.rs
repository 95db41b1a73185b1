//! Cars and kiosks. No I/O in this file.

use jiff::Timestamp;
use kit::store::FromRow;
use kit::web::Schema;
use plate::Plate;
use serde::{Deserialize, Serialize};

use crate::error::Error;

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Car {
    /// As it was written when it was registered.
    pub plate: String,
    pub brand: Option<String>,
    pub model: Option<String>,
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewCar {
    pub plate: Plate,
    #[schemars(length(max = 100), example = &"Fiat")]
    pub brand: Option<String>,
    #[schemars(length(max = 100), example = &"Panda")]
    pub model: Option<String>,
}

/// Absent fields stay as they are.
#[derive(Debug, Deserialize, Schema)]
pub struct CarChange {
    pub plate: Option<Plate>,
    #[schemars(length(max = 100), example = &"Fiat")]
    pub brand: Option<String>,
    #[schemars(length(max = 100), example = &"Panda")]
    pub model: Option<String>,
}

/// Longer than any maker's name.
const MAX_NAME: usize = 100;

pub fn check_name(name: Option<&str>) -> Result<(), Error> {
    match name {
        Some(name) if name.chars().count() > MAX_NAME || name.contains(char::is_control) => Err(
            Error::InvalidCar("brand and model have at most 100 printable characters"),
        ),
        _ => Ok(()),
    }
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Totem {
    pub id: String,
    pub zone_id: i64,
    pub latitude: f64,
    pub longitude: f64,
    pub registration_time: Timestamp,
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewTotem {
    /// Its MAC address.
    #[schemars(length(min = 1, max = 64), example = &"00:1b:63:84:45:e6")]
    pub id: String,
    pub zone_id: i64,
    #[schemars(range(min = -90, max = 90), example = 46.07)]
    pub latitude: f64,
    #[schemars(range(min = -180, max = 180), example = 11.12)]
    pub longitude: f64,
    /// The passcode of a zone admin; it is used up.
    pub otp: String,
}

impl NewTotem {
    pub fn check(&self) -> Result<(), Error> {
        let is_name = |it: char| it.is_ascii_alphanumeric() || "-_:.".contains(it);
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(is_name) {
            return Err(Error::InvalidTotem(
                "id is a MAC address, or 1 to 64 letters, digits and -_:.",
            ));
        }
        if !is_on_earth(self.latitude, self.longitude) {
            return Err(Error::InvalidTotem("latitude and longitude do not fit"));
        }
        Ok(())
    }
}

pub fn is_on_earth(latitude: f64, longitude: f64) -> bool {
    (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)
}
