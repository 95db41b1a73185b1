//! Seed data of fines: a city with a million tickets, and where things are in it.

use anyhow::Result;

use crate::scenario::scattered;

const ZONES: u64 = 5_000;
const CARS: u64 = 200_000;
/// The cars of the users who poll; fines of other users do not change their lists.
const OWN_CARS: u64 = 64;

#[derive(Clone)]
pub struct City {
    first_zone: u64,
}

/// A check of a controller.
pub struct Stop {
    pub zone: u64,
    pub controller: u64,
    pub plate: String,
}

/// Takes a minute or two.
pub async fn seed(url: &str) -> Result<City> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    // One by one: VACUUM refuses to be one of several.
    for statement in include_str!("city.sql").split(";\n") {
        client.batch_execute(statement).await?;
    }
    let first = "SELECT min(id) FROM fines.zone WHERE name LIKE 'Bench %'";
    let first: i64 = client.query_one(first, &[]).await?.try_get(0)?;
    drop(client);
    connection.await??;
    Ok(City {
        first_zone: first.unsigned_abs(),
    })
}

impl City {
    /// A car where its ticket is valid.
    pub fn covered(&self, number: u64) -> Stop {
        let car = scattered(number) % CARS;
        self.stop(car, car + 52)
    }

    /// A car where it has no ticket, and none that was named before.
    pub fn uncovered(&self, number: u64) -> Stop {
        let car = OWN_CARS + number % (CARS - OWN_CARS);
        self.stop(car, car + 1_000 + number / (CARS - OWN_CARS))
    }

    fn stop(&self, car: u64, zone: u64) -> Stop {
        let zone = self.first_zone + zone % ZONES;
        Stop {
            zone,
            controller: zone % 64,
            plate: format!("B{car:07}"),
        }
    }

    /// Latitude and longitude of a place in a zone.
    pub fn place(number: u64) -> (f64, f64) {
        let zone = u32::try_from(scattered(number) % ZONES).unwrap_or_default();
        let at = |cell: u32| f64::from(cell) * 0.02 + 0.003;
        (at(zone / 100), at(zone % 100))
    }
}
