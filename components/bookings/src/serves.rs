//! The interface for other functions: `places` in `wit/bookings.wit`.

use crate::bindings::exports::wharf::bookings::places::{Failure, Guest, Place};
use crate::store;

pub struct Bookings;

impl Guest for Bookings {
    async fn get_place(id: i64) -> Result<Option<Place>, Failure> {
        let found = async { store::find_place(&store::open().await?, id).await }.await;
        match found {
            Ok(place) => Ok(place.map(|it| Place {
                id: it.id,
                owner: it.owner.to_string(),
                name: it.name,
                city: it.city,
                address: it.address,
                parking_type: it.parking_type.name().to_owned(),
                hourly_rate: it.hourly_rate.unsigned_abs(),
                capacity: it.capacity.unsigned_abs(),
            })),
            Err(error) => {
                eprintln!("get-place {id}: {error}");
                Err(Failure::Unavailable)
            }
        }
    }
}
