//! What a driver has in parking zones: cars, tickets, fines and their appeals. The amounts of these operations are decimals.

mod cars;
mod fine;
mod paper;
mod plans;
mod tickets;
mod zones;

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;
use kit::money::decimal;
use kit::web::{Dialect, Problem, Routes};
use serde::Deserialize;

use crate::error::Error;
use crate::visitor::Client;
use crate::words::{Cents, Moment};
use zones::Zone;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .and(cars::routes())
        .and(zones::routes())
        .and(tickets::routes())
        .and(fine::routes())
        .and(plans::routes())
        .and(paper::routes())
}

/// An amount that was sent as a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Amount(#[serde(deserialize_with = "decimal::deserialize")] i64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Cents(self.0).fmt(f)
    }
}

/// Rows of a page. Few, because each may be of another zone.
const ROWS: usize = 20;

/// Why something was not done.
struct Refusal {
    text: String,
    /// The page of the payment provider, when the wallet does not suffice.
    link: Option<String>,
}

impl Refusal {
    fn of(error: Error) -> Result<Self, Problem> {
        let link = error.payment_link().map(str::to_owned);
        let text = match link {
            Some(_) => "Your wallet does not suffice. Fill it, or pay at the provider.".to_owned(),
            None => error.into_text()?,
        };
        Ok(Self { text, link })
    }
}

/// The zones of rows, to name them and to tell their time. A zone that was removed has no name.
struct Zones(BTreeMap<i64, Zone>);

impl Zones {
    async fn find(client: &Client, ids: impl Iterator<Item = i64>) -> Result<Self, Error> {
        let mut zones = BTreeMap::new();
        for id in ids.collect::<std::collections::BTreeSet<_>>() {
            match zones::find_zone(client, id).await {
                Err(error) if error.is("unknown-zone") => {}
                zone => {
                    zones.insert(id, zone?);
                }
            }
        }
        Ok(Self(zones))
    }

    fn get(&self, id: &i64) -> Option<&Zone> {
        self.0.get(id)
    }

    fn name(&self, id: &i64) -> String {
        match self.get(id) {
            Some(zone) => zone.name.clone(),
            None => format!("Zone {id}"),
        }
    }

    fn zone(&self, id: &i64) -> TimeZone {
        self.get(id).map_or(TimeZone::UTC, Zone::zone)
    }

    fn zone_name(&self, id: &i64) -> String {
        let zone = self.zone(id);
        zone.iana_name().unwrap_or("UTC").to_owned()
    }

    /// A moment in the time of the zone.
    fn at(&self, id: &i64, moment: &Moment) -> String {
        moment.at(&self.zone(id))
    }

    /// The same, for a list of rows of several zones.
    fn at_named(&self, id: &i64, moment: &Moment) -> String {
        format!("{} {}", self.at(id, moment), self.zone_name(id))
    }
}
