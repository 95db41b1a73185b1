//! Cover of a car by its bookings, beside its tickets. No I/O in this file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::geometry::Shape;

/// A confirmed booking of a car, as bookings tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Booked {
    pub booking_id: i64,
    /// As plates are compared.
    pub plate: String,
    pub place: String,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub date_to: Timestamp,
}

impl Booked {
    /// Absent when the owner of the place gave no coordinates.
    fn position(&self) -> Option<(f64, f64)> {
        self.latitude.zip(self.longitude)
    }

    fn is_in(&self, shape: &Shape) -> Option<bool> {
        let (latitude, longitude) = self.position()?;
        Some(shape.covers(latitude, longitude))
    }
}

/// The booking that a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub struct BookedHere {
    pub booking_id: i64,
    /// The name of its place.
    pub place: String,
    pub until: Timestamp,
    /// Whether the place lies in the zone. False when the place has no coordinates: the booking then covers nothing, and the
    /// controller decides.
    pub in_zone: bool,
}

/// Whether the shape of the zone is needed to tell if bookings lie in it.
pub fn needs_shape(booked: &[Booked]) -> bool {
    booked.iter().any(|it| it.position().is_some())
}

/// The booking to show for a car in a zone: the one in the zone that ends last, or else the one that ends last among the
/// bookings of places without coordinates. Bookings elsewhere are left out.
pub fn here(booked: &[Booked], shape: Option<&Shape>) -> Option<BookedHere> {
    let told = booked.iter().filter_map(|it| {
        let in_zone = match it.position() {
            None => false,
            Some(_) => shape.and_then(|shape| it.is_in(shape)).filter(|it| *it)?,
        };
        Some(BookedHere {
            booking_id: it.booking_id,
            place: it.place.clone(),
            until: it.date_to,
            in_zone,
        })
    });
    told.max_by_key(|it| (it.in_zone, it.until))
}

/// A plate that is covered, and until when.
#[derive(Debug, Serialize, Deserialize)]
pub struct ValidPlate {
    pub plate: String,
    pub until: Timestamp,
}

/// The plates of a zone's tickets and of bookings in it, each once, with the latest end.
pub fn merge(tickets: Vec<ValidPlate>, booked: &[Booked], shape: &Shape) -> Value {
    let in_zone = booked.iter().filter(|it| it.is_in(shape) == Some(true));
    let in_zone = in_zone.map(|it| ValidPlate {
        plate: it.plate.clone(),
        until: it.date_to,
    });
    let mut plates = BTreeMap::new();
    for it in tickets.into_iter().chain(in_zone) {
        let until = plates.entry(it.plate).or_insert(it.until);
        *until = it.until.max(*until);
    }
    let plates = plates
        .into_iter()
        .map(|(plate, until)| ValidPlate { plate, until });
    json!(plates.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: &str = r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}"#;

    fn booked(booking_id: i64, place: Option<(f64, f64)>, until: &str) -> Booked {
        Booked {
            booking_id,
            plate: "AA1".to_owned(),
            place: format!("Place {booking_id}"),
            latitude: place.map(|it| it.0),
            longitude: place.map(|it| it.1),
            date_to: until.parse().unwrap(),
        }
    }

    #[test]
    fn a_booking_in_the_zone_comes_before_one_of_an_unknown_place() {
        let shape = Shape::parse(SQUARE).unwrap();
        let all = [
            booked(1, None, "2026-01-01T18:00:00Z"),
            booked(2, Some((0.5, 0.5)), "2026-01-01T10:00:00Z"),
            booked(3, Some((0.5, 1.0)), "2026-01-01T12:00:00Z"),
            booked(4, Some((2.0, 0.5)), "2026-01-01T20:00:00Z"),
        ];
        assert!(needs_shape(&all) && !needs_shape(&all[..1]));
        let found = |all: &[Booked]| here(all, Some(&shape)).map(|it| (it.booking_id, it.in_zone));
        // The border belongs to the zone.
        assert_eq!(found(&all), Some((3, true)));
        assert_eq!(found(&all[..1]), Some((1, false)));
        assert_eq!(found(&all[3..]), None);
        assert_eq!(here(&all[1..2], None), None);
    }

    #[test]
    fn a_list_has_each_plate_once_as_long_as_it_is_covered() {
        let shape = Shape::parse(SQUARE).unwrap();
        let ticket = |plate: &str, until: &str| ValidPlate {
            plate: plate.to_owned(),
            until: until.parse().unwrap(),
        };
        let tickets = vec![
            ticket("BB2", "2026-01-01T11:00:00Z"),
            ticket("AA1", "2026-01-01T09:00:00Z"),
        ];
        let booked = [
            booked(1, None, "2026-01-01T18:00:00Z"),
            booked(2, Some((0.5, 0.5)), "2026-01-01T10:00:00Z"),
        ];
        assert_eq!(
            merge(tickets, &booked, &shape),
            json!([
                { "plate": "AA1", "until": "2026-01-01T10:00:00Z" },
                { "plate": "BB2", "until": "2026-01-01T11:00:00Z" },
            ])
        );
    }
}
