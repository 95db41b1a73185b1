//! The cars that stand somewhere by a booking, for functions that check cars. No I/O in this file.

use jiff::Timestamp;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};

/// A confirmed booking of a car that holds now, or held a moment ago.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Cover {
    pub booking_id: i64,
    /// In the form in which plates are compared.
    pub plate: String,
    pub place_id: i64,
    pub place: String,
    /// Absent where the owner of the place did not say where it is.
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub date_to: Timestamp,
}

/// A part of the map, in degrees.
#[derive(Clone, Copy, Debug, Deserialize, Schema)]
pub struct Bounds {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}
