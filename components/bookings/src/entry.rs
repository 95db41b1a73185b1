//! The exports that Spin and our host call. Wasm only: their symbol names are
//! ones that native linkers refuse.

// What `export!` writes is the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

use crate::ledger::bindings::exports::wharf::bookings::places::{Failure, Guest, Place};
use crate::{saga, store};

kit::serve!(crate::routes::router);

/// The tick.
#[redis_subscriber]
async fn on_tick(_: Vec<u8>) -> Result<(), crate::error::Error> {
    saga::sweep().await
}

struct Bookings;
crate::ledger::bindings::export!(Bookings with_types_in crate::ledger::bindings);

impl Guest for Bookings {
    async fn get_place(id: i64) -> Result<Option<Place>, Failure> {
        let found = async { store::place(&store::open().await?, id).await }.await;
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
