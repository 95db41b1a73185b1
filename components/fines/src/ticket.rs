//! Tickets and their rules. No I/O in this file: the clock is an argument.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil};
use kit::money::{Cents, Currency, decimal};
use kit::store::FromRow;
use kit::web::Schema;
use plate::Plate;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::tariff::MAX_STAY_MINUTES;
use crate::zone::Zone;

#[derive(Clone, Debug, Serialize, FromRow, Schema)]
pub struct Ticket {
    pub id: i64,
    pub plate: String,
    pub start_date: Timestamp,
    pub end_date: Timestamp,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub price: i64,
    pub currency: Currency,
    pub paid: bool,
    pub creation_time: Timestamp,
    pub zone_id: i64,
    /// The ticket that this one extends.
    pub extends: Option<i64>,
    /// The plates beside `plate`; absent for a ticket of one car.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_plates: Vec<String>,
}

/// A ticket that a driver asks for.
#[derive(Debug, Deserialize, Schema)]
pub struct NewTicket {
    /// The plate of a registered car.
    pub plate: Plate,
    /// The plates of further cars that the ticket covers. Each costs the price of one.
    #[serde(default)]
    #[schemars(length(max = 19))]
    pub other_plates: Vec<Plate>,
    /// RFC 3339; UTC without an offset. At most thirty days ahead. A start at the end of a paid ticket of the same plates in
    /// this zone extends that ticket.
    #[schemars(extend("format" = "date-time"))]
    pub start_date: String,
    /// In minutes.
    #[schemars(range(min = 1, max = 43_200), example = 60)]
    pub duration: i64,
}

/// A stay that a driver wants to pay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stay {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Checks, lists and notices name all plates of a ticket. A larger fleet buys several tickets.
const MAX_PLATES: usize = 20;
/// How far in the past a start may be: clocks differ, and requests take time.
const SLACK: SignedDuration = SignedDuration::from_mins(5);
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

impl NewTicket {
    pub fn checked(&self, now: Timestamp) -> Result<Stay, Error> {
        self.check_plates()?;
        let from = moment(&self.start_date).ok_or(Error::InvalidTicket(
            "start_date must be an RFC 3339 timestamp, as 2026-01-31T10:00:00Z",
        ))?;
        if !(1..=i64::from(MAX_STAY_MINUTES)).contains(&self.duration) {
            return Err(Error::InvalidTicket("duration is 1 to 43200 minutes"));
        }
        if now.duration_since(from) > SLACK {
            return Err(Error::InvalidTicket("start_date is in the past"));
        }
        if from.duration_since(now) > AHEAD {
            return Err(Error::InvalidTicket(
                "start_date is at most thirty days ahead",
            ));
        }
        let to = from
            .checked_add(SignedDuration::from_mins(self.duration))
            .map_err(|_| Error::InvalidTicket("the end is beyond the calendar"))?;
        Ok(Stay { from, to })
    }

    fn check_plates(&self) -> Result<(), Error> {
        let plates = self.plates();
        if plates.len() > MAX_PLATES {
            return Err(Error::InvalidTicket("a ticket covers at most 20 plates"));
        }
        if plates.iter().collect::<BTreeSet<_>>().len() < plates.len() {
            return Err(Error::InvalidTicket("a ticket names each plate once"));
        }
        Ok(())
    }

    pub fn other_plates(&self) -> Vec<String> {
        let others = self.other_plates.iter();
        others.map(|it| it.as_str().to_owned()).collect()
    }

    /// Every plate that the ticket covers.
    pub fn plates(&self) -> Vec<String> {
        let mut plates = self.other_plates();
        plates.insert(0, self.plate.as_str().to_owned());
        plates
    }
}

/// Rounds to the millisecond, as moments are stored.
fn moment(text: &str) -> Option<Timestamp> {
    let moment: Timestamp = text.parse().ok().or_else(|| {
        let local: civil::DateTime = text.parse().ok()?;
        let utc = local.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(utc.timestamp())
    })?;
    Timestamp::from_millisecond(moment.as_millisecond()).ok()
}

/// The basis of the price of a stay: the zone, and the ticket that the stay extends.
#[derive(FromRow)]
pub struct Basis {
    #[row(flatten)]
    pub zone: Zone,
    pub follows: Option<i64>,
    /// When the whole stay began.
    pub stay_from: Option<Timestamp>,
}

impl Basis {
    /// The price of the ticket for a stay. A stay that extends another costs the price of the whole stay less the price of
    /// the earlier part. Each plate costs that much.
    pub fn price(&self, stay: Stay, plates: usize) -> Result<i64, Error> {
        let tariff = self.zone.tariff();
        let of_one = match self.stay_from {
            None => tariff.price(stay.from, stay.to)?,
            Some(began) => {
                let total = tariff.price(began, stay.to)?;
                total.saturating_sub(tariff.price(began, stay.from)?).max(0)
            }
        };
        times(of_one, i64::try_from(plates).unwrap_or(i64::MAX))
    }
}

fn times(of_one: i64, count: i64) -> Result<i64, Error> {
    of_one
        .checked_mul(count)
        .filter(|it| *it <= Cents::MAX)
        .ok_or(Error::PriceOutOfRange)
}

/// A ticket that is to end early, and the basis of its price.
#[derive(FromRow)]
pub struct Ending {
    /// With the tariff at which the ticket was sold.
    #[row(flatten)]
    pub zone: Zone,
    pub start_at: Timestamp,
    pub end_at: Timestamp,
    pub stay_from: Timestamp,
    pub price: i64,
    pub plate_count: i32,
}

impl Ending {
    /// The new end, and the new price: that of the shorter stay less that of the earlier tickets' part.
    pub fn shortened(&self, now: Timestamp) -> Result<(Timestamp, i64), Error> {
        let ends = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let ends = ends.max(self.start_at);
        let tariff = self.zone.tariff();
        let earlier = tariff.price(self.stay_from, self.start_at)?;
        let of_one = tariff.price(self.stay_from, ends)?.saturating_sub(earlier);
        let price = times(of_one, i64::from(self.plate_count))?;
        Ok((ends, price.clamp(0, self.price)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(plates: &[&str], start: &str, duration: i64) -> NewTicket {
        let mut plates = plates
            .iter()
            .map(|it| Plate::try_from((*it).to_owned()).unwrap());
        NewTicket {
            plate: plates.next().unwrap(),
            other_plates: plates.collect(),
            start_date: start.to_owned(),
            duration,
        }
    }

    fn asked(start: &str, duration: i64) -> Result<Stay, Error> {
        new(&["AA123BB"], start, duration).checked("2026-01-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_stay_begins_now_or_within_thirty_days() {
        assert!(asked("2026-01-01T11:56:00Z", 10).is_ok());
        assert!(asked("2026-01-31T12:00:00Z", 43_200).is_ok());
        for (start, duration) in [
            ("2026-01-01T11:54:00Z", 10),
            ("2026-01-31T12:00:01Z", 10),
            ("2026-01-01T12:00:00Z", 0),
            ("2026-01-01T12:00:00Z", -5),
            ("2026-01-01T12:00:00Z", 43_201),
            ("2026-01-01T12:00:00Z", i64::MAX),
            ("tomorrow", 10),
        ] {
            assert!(asked(start, duration).is_err(), "{start} {duration}");
        }
    }

    #[test]
    fn a_ticket_names_each_of_its_plates_once() {
        let check = |plates: &[&str]| new(plates, "", 10).check_plates();
        assert!(check(&["AA 1", "AA 2"]).is_ok());
        assert!(check(&["AA 1", "aa-1"]).is_err());
        let many: Vec<String> = (0..21).map(|it| format!("AA{it}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(check(&many[..20]).is_ok());
        assert!(check(&many).is_err());
    }

    #[test]
    fn a_price_of_many_plates_stays_in_range() {
        assert_eq!(times(170, 3).unwrap(), 510);
        assert!(times(Cents::MAX, 2).is_err());
    }

    #[test]
    fn a_start_without_an_offset_is_utc() {
        assert_eq!(
            asked("2026-01-01T13:00:00", 10).unwrap(),
            asked("2026-01-01T14:00:00+01:00", 10).unwrap()
        );
    }
}
