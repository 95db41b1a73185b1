//! The rules of an owner for a place, beside its price: when cars come and go, and the cost of canceling or leaving late. No I/O
//! in this file; functions in `migrations/bookings` apply the rules to a booking, under its lock.

use jiff::Timestamp;
use kit::store::FromRow;
use kit::web::Schema;
use kit::{Word, is_zone_name, minute_of_day};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The most opening hours and the most blackouts of a place. All of them are compared whenever it is booked.
const MAX_ENTRIES: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
#[word(rename_all = "kebab-case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Hours of some days at which cars may come and go. A car may stay beyond them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub struct Opening {
    pub days: Vec<Weekday>,
    /// In the time zone of the place.
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"08:00")]
    pub from: String,
    /// `24:00` is the end of the day. Hours that pass midnight are two entries.
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"), example = &"20:00")]
    pub to: String,
}

/// A time in which the place cannot be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub struct Blackout {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Blackout {
    /// PostgreSQL writes and reads the years before in another way.
    fn is_valid(&self) -> bool {
        self.from >= Timestamp::UNIX_EPOCH && self.from < self.to
    }
}

/// What a driver who cancels gets back. Owners and admins who cancel give all of it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub struct RefundPolicy {
    /// All of the price, until so many hours before the start. Later it is what was not used.
    #[schemars(range(min = 0, max = 8760), example = 24)]
    pub free_hours: i32,
    /// The part of the price that the owner keeps at least of a late cancellation, also when no car came.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100), example = 50)]
    pub least_percent: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
#[word(rename_all = "kebab-case")]
pub enum Unit {
    Minute,
    Hour,
}

/// What it costs that a car leaves after the end of its booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub struct Overstay {
    /// Leaving so late costs nothing. Later, all of the time after the end counts.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1440), example = 15)]
    pub grace_minutes: i32,
    /// Each one that has begun counts.
    pub per: Unit,
    /// Of the hourly rate of the booking.
    #[serde(default = "all")]
    #[schemars(range(min = 1, max = 1000), example = 150)]
    pub rate_percent: i32,
    /// No overstay costs more. Minor units of USD.
    #[schemars(range(min = 1, max = 10_000_000), example = 5_000)]
    pub max_cost: i64,
}

fn all() -> i32 {
    100
}

/// The rules of a place. They hold for bookings that are made from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromRow, Schema)]
pub struct Rules {
    /// An IANA time zone: of opening hours and of the times in notices.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64), example = &"Europe/Lisbon")]
    pub time_zone: String,
    /// Without them cars come and go at any time.
    #[serde(default)]
    #[row(json)]
    pub opening_hours: Option<Vec<Opening>>,
    #[serde(default)]
    #[row(json)]
    pub blackouts: Vec<Blackout>,
    /// Without one, a booking that is canceled before its end is given back in full, except for the time that its car was
    /// seen to stand on the place.
    #[serde(default)]
    #[row(json)]
    pub refund_policy: Option<RefundPolicy>,
    /// Without it, a car that leaves late pays nothing for that.
    #[serde(default)]
    #[row(json)]
    pub overstay: Option<Overstay>,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Rules {
    pub fn checked(self) -> Result<Self, Error> {
        if !is_zone_name(&self.time_zone) {
            return Err(Error::UnknownTimeZone);
        }
        let hours = self.opening_hours.as_deref().unwrap_or_default();
        if self.opening_hours.is_some() && hours.is_empty() {
            return Err(Error::InvalidRules("opening_hours has no entry"));
        }
        if hours.len() > MAX_ENTRIES || self.blackouts.len() > MAX_ENTRIES {
            return Err(Error::InvalidRules(
                "at most 100 opening hours and 100 blackouts",
            ));
        }
        if !hours.iter().all(Opening::is_valid) {
            return Err(Error::InvalidRules(
                "opening hours have days, and `from` before `to`, as 08:00 and 20:00",
            ));
        }
        if !self.blackouts.iter().all(Blackout::is_valid) {
            return Err(Error::InvalidRules(
                "a blackout has `from` before `to`, and neither is before 1970",
            ));
        }
        let is_valid = self.refund_policy.is_none_or(|it| {
            (0..=8760).contains(&it.free_hours) && (0..=100).contains(&it.least_percent)
        });
        if !is_valid {
            return Err(Error::InvalidRules(
                "free_hours is 0 to 8760, and least_percent 0 to 100",
            ));
        }
        let is_valid = self.overstay.is_none_or(|it| {
            (0..=1_440).contains(&it.grace_minutes)
                && (1..=1_000).contains(&it.rate_percent)
                && (1..=10_000_000).contains(&it.max_cost)
        });
        if !is_valid {
            return Err(Error::InvalidRules(
                "grace_minutes is 0 to 1440, rate_percent 1 to 1000, and max_cost 1 to 10000000",
            ));
        }
        Ok(self)
    }
}

impl Opening {
    fn is_valid(&self) -> bool {
        let (Some(from), Some(to)) = (minute_of_day(&self.from), minute_of_day(&self.to)) else {
            return false;
        };
        !self.days.is_empty() && self.days.len() <= 7 && from < to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            time_zone: "Europe/Lisbon".to_owned(),
            opening_hours: Some(vec![Opening {
                days: vec![Weekday::Mon, Weekday::Sun],
                from: "08:00".to_owned(),
                to: "24:00".to_owned(),
            }]),
            blackouts: Vec::new(),
            refund_policy: Some(RefundPolicy {
                free_hours: 24,
                least_percent: 50,
            }),
            overstay: None,
        }
    }

    const BLACKOUT: Blackout = Blackout {
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::MAX,
    };

    fn with_hours(from: &str, to: &str) -> Rules {
        let mut rules = rules();
        rules.opening_hours = Some(vec![Opening {
            days: vec![Weekday::Tue],
            from: from.to_owned(),
            to: to.to_owned(),
        }]);
        rules
    }

    #[test]
    fn rules_that_can_be_kept_are_taken() {
        assert!(rules().checked().is_ok());
        assert!(with_hours("00:00", "00:01").checked().is_ok());
        let mut most = rules();
        most.opening_hours = most
            .opening_hours
            .map(|it| vec![it[0].clone(); MAX_ENTRIES]);
        most.blackouts = vec![BLACKOUT; MAX_ENTRIES];
        most.refund_policy = Some(RefundPolicy {
            free_hours: 8760,
            least_percent: 100,
        });
        assert!(most.checked().is_ok());
    }

    #[test]
    fn rules_that_cannot_be_kept_are_refused() {
        for (from, to) in [
            ("08:00", "08:00"),
            ("22:00", "06:00"),
            ("8:00", "20:00"),
            ("08:60", "20:00"),
            ("08:00", "24:01"),
            ("+8:00", "20:00"),
            ("", ""),
        ] {
            assert!(with_hours(from, to).checked().is_err(), "{from} {to}");
        }
        let broken: [fn(&mut Rules); 11] = [
            |it| it.time_zone = "FOO3BAR".to_owned(),
            |it| it.opening_hours = Some(Vec::new()),
            |it| {
                let now = Timestamp::UNIX_EPOCH;
                it.blackouts = vec![Blackout { from: now, to: now }];
            },
            |it| {
                let from = "0000-01-01T00:00:00Z".parse().unwrap();
                it.blackouts = vec![Blackout { from, ..BLACKOUT }];
            },
            |it| {
                it.refund_policy = Some(RefundPolicy {
                    free_hours: -1,
                    least_percent: 0,
                });
            },
            |it| {
                it.refund_policy = Some(RefundPolicy {
                    free_hours: 0,
                    least_percent: 101,
                });
            },
            |it| {
                it.refund_policy = Some(RefundPolicy {
                    free_hours: 8761,
                    least_percent: 0,
                });
            },
            |it| it.opening_hours.as_mut().unwrap()[0].days.clear(),
            |it| it.opening_hours.as_mut().unwrap()[0].days = vec![Weekday::Mon; 8],
            |it| {
                let hours = it.opening_hours.take();
                it.opening_hours = hours.map(|it| vec![it[0].clone(); MAX_ENTRIES + 1]);
            },
            |it| it.blackouts = vec![BLACKOUT; MAX_ENTRIES + 1],
        ];
        for breaking in broken {
            let mut rules = rules();
            breaking(&mut rules);
            assert!(rules.checked().is_err());
        }
    }
}
