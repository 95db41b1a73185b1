//! Dates and times, which PostgreSQL counts in days and microseconds from 2000-01-01.

use chrono::{Datelike, NaiveDate};

use super::error::BoxError;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 24 * 60 * 60 * MICROS_PER_SECOND;
/// PostgreSQL counts days from 2000-01-01, which is this day of the common era.
const EPOCH_DAY: i64 = 730_120;
/// Seconds from the Unix epoch to that of PostgreSQL.
const EPOCH_UNIX_SECONDS: i64 = 946_684_800;

pub type Date = (i32, u8, u8);
pub type Time = (u8, u8, u8, u32);
pub type Datetime = (i32, u8, u8, u8, u8, u8, u32);

pub fn date_from_days(days: i64) -> Result<Date, BoxError> {
    let date = i32::try_from(days.saturating_add(EPOCH_DAY))
        .ok()
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .ok_or("the date is infinite or out of range")?;
    Ok((
        date.year(),
        u8::try_from(date.month())?,
        u8::try_from(date.day())?,
    ))
}

pub fn time_from_micros(micros: i64) -> Result<Time, BoxError> {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let nanos = micros.rem_euclid(MICROS_PER_SECOND) * 1000;
    Ok((
        u8::try_from(seconds / 3600)?,
        u8::try_from(seconds / 60 % 60)?,
        u8::try_from(seconds % 60)?,
        u32::try_from(nanos)?,
    ))
}

pub fn datetime_from_micros(micros: i64) -> Result<Datetime, BoxError> {
    let (year, month, day) = date_from_days(micros.div_euclid(MICROS_PER_DAY))?;
    let (hour, minute, second, nanos) = time_from_micros(micros.rem_euclid(MICROS_PER_DAY))?;
    Ok((year, month, day, hour, minute, second, nanos))
}

pub fn days_of((year, month, day): Date) -> Option<i32> {
    let date = NaiveDate::from_ymd_opt(year, month.into(), day.into())?;
    i32::try_from(i64::from(date.num_days_from_ce()) - EPOCH_DAY).ok()
}

pub fn micros_of((hour, minute, second, nanos): Time) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 || nanos > 999_999_999 {
        return None;
    }
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    Some(seconds * MICROS_PER_SECOND + i64::from(nanos / 1000))
}

pub fn micros_of_datetime(value: Datetime) -> Option<i64> {
    let (year, month, day, hour, minute, second, nanos) = value;
    let days = i64::from(days_of((year, month, day))?);
    days.checked_mul(MICROS_PER_DAY)?
        .checked_add(micros_of((hour, minute, second, nanos))?)
}

pub fn micros_of_unix_seconds(seconds: i64) -> Option<i64> {
    seconds
        .checked_sub(EPOCH_UNIX_SECONDS)?
        .checked_mul(MICROS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_microseconds_are_counted_from_the_year_2000() {
        assert_eq!(days_of((2000, 1, 1)), Some(0));
        assert_eq!(days_of((1970, 1, 1)), Some(-10957));
        assert_eq!(days_of((2023, 2, 29)), None);
        assert_eq!(date_from_days(8461).unwrap(), (2023, 3, 2));
        assert_eq!(
            datetime_from_micros(-1).unwrap(),
            (1999, 12, 31, 23, 59, 59, 999_999_000)
        );
        assert_eq!(
            micros_of_datetime((2000, 1, 1, 0, 0, 1, 5_000)),
            Some(1_000_005)
        );
        assert!(datetime_from_micros(i64::MAX).is_err());
        assert!(date_from_days(i32::MAX.into()).is_err());
    }

    #[test]
    fn a_time_may_be_24_00_but_a_parameter_may_not() {
        assert_eq!(time_from_micros(MICROS_PER_DAY).unwrap(), (24, 0, 0, 0));
        assert_eq!(
            micros_of((23, 59, 59, 999_999_999)),
            Some(MICROS_PER_DAY - 1)
        );
        assert_eq!(micros_of((24, 0, 0, 0)), None);
    }
}
