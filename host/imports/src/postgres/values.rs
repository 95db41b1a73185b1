//! Values between WIT and Postgres' binary format: one match for what goes in, one for what comes out.
//!
//! Which WIT type goes with which column type is Spin's table, and as strict as Spin's, so a statement that works here
//! works there. One addition: `timestamptz` crosses as the UTC date-time the WIT promises.

use bytes::{BufMut, BytesMut};
use chrono::{Datelike, NaiveDate};
use fallible_iterator::FallibleIterator;
use postgres_protocol::types as wire;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::numeric;
use crate::bindings::spin::postgres4_2_0::postgres::{
    Column, DbDataType, DbValue, Interval, ParameterValue, RangeBoundKind,
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A parameter the statement cannot take.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadParameter(String);

/// A column value WIT cannot carry.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(String);

pub fn column(column: &tokio_postgres::Column) -> Column {
    Column {
        name: column.name().to_owned(),
        data_type: data_type(column.type_()),
    }
}

fn data_type(ty: &Type) -> DbDataType {
    match *ty {
        Type::BOOL => DbDataType::Boolean,
        Type::CHAR => DbDataType::Int8,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::BYTEA => DbDataType::Binary,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(ty.name().to_owned()),
    }
}

/// One value of a row.
pub struct Cell(pub DbValue);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Cell, BoxError> {
        let value = decode(ty, raw);
        let value = value.map_err(|cause| BadValue(format!("{}: {cause}", ty.name())))?;
        Ok(Cell(value))
    }

    fn from_sql_null(_: &Type) -> Result<Cell, BoxError> {
        Ok(Cell(DbValue::DbNull))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn decode(ty: &Type, raw: &[u8]) -> Result<DbValue, BoxError> {
    Ok(match *ty {
        Type::BOOL => DbValue::Boolean(wire::bool_from_sql(raw)?),
        Type::CHAR => DbValue::Int8(wire::char_from_sql(raw)?),
        Type::INT2 => DbValue::Int16(wire::int2_from_sql(raw)?),
        Type::INT4 => DbValue::Int32(wire::int4_from_sql(raw)?),
        Type::INT8 => DbValue::Int64(wire::int8_from_sql(raw)?),
        Type::FLOAT4 => DbValue::Floating32(wire::float4_from_sql(raw)?),
        Type::FLOAT8 => DbValue::Floating64(wire::float8_from_sql(raw)?),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbValue::Str(text(raw)?),
        Type::BYTEA => DbValue::Binary(raw.to_vec()),
        Type::DATE => DbValue::Date(date_from_days(wire::date_from_sql(raw)?.into())?),
        Type::TIME => DbValue::Time(time_from_micros(wire::time_from_sql(raw)?)?),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            DbValue::Datetime(datetime_from_micros(wire::timestamp_from_sql(raw)?)?)
        }
        Type::UUID => DbValue::Uuid(uuid::Uuid::from_bytes(wire::uuid_from_sql(raw)?).to_string()),
        Type::JSONB => DbValue::Jsonb(jsonb(raw)?.to_vec()),
        Type::NUMERIC => DbValue::Decimal(decimal(raw)?),
        Type::INT4_RANGE => DbValue::RangeInt32(range(raw, wire::int4_from_sql, 0)?),
        Type::INT8_RANGE => DbValue::RangeInt64(range(raw, wire::int8_from_sql, 0)?),
        Type::NUM_RANGE => DbValue::RangeDecimal(range(raw, decimal, "0".to_owned())?),
        Type::INT4_ARRAY => DbValue::ArrayInt32(array(raw, wire::int4_from_sql)?),
        Type::INT8_ARRAY => DbValue::ArrayInt64(array(raw, wire::int8_from_sql)?),
        Type::NUMERIC_ARRAY => DbValue::ArrayDecimal(array(raw, decimal)?),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => {
            DbValue::ArrayStr(array(raw, text)?)
        }
        Type::INTERVAL => DbValue::Interval(interval(raw)?),
        _ => DbValue::Unsupported(raw.to_vec()),
    })
}

fn text(raw: &[u8]) -> Result<String, BoxError> {
    Ok(wire::text_from_sql(raw)?.to_owned())
}

fn decimal(raw: &[u8]) -> Result<String, BoxError> {
    numeric::to_text(raw).ok_or_else(|| "not a number".into())
}

/// The format has a version before the text, so far always 1.
const JSONB_VERSION: u8 = 1;

fn jsonb(raw: &[u8]) -> Result<&[u8], BoxError> {
    match raw.split_first() {
        Some((&JSONB_VERSION, json)) => Ok(json),
        _ => Err("unknown version of the format".into()),
    }
}

fn array<T>(
    raw: &[u8],
    element: impl Fn(&[u8]) -> Result<T, BoxError>,
) -> Result<Vec<Option<T>>, BoxError> {
    let array = wire::array_from_sql(raw)?;
    if array.dimensions().count()? > 1 {
        return Err("the array has more than one dimension".into());
    }
    array
        .values()
        .map(|value| value.map(&element).transpose())
        .collect()
}

type Bound<T> = Option<(T, RangeBoundKind)>;

fn range<T: Clone>(
    raw: &[u8],
    value: impl Fn(&[u8]) -> Result<T, BoxError>,
    any: T,
) -> Result<(Bound<T>, Bound<T>), BoxError> {
    let bound = |bound| match bound {
        wire::RangeBound::Inclusive(Some(raw)) => {
            Ok(Some((value(raw)?, RangeBoundKind::Inclusive)))
        }
        wire::RangeBound::Exclusive(Some(raw)) => {
            Ok(Some((value(raw)?, RangeBoundKind::Exclusive)))
        }
        wire::RangeBound::Unbounded => Ok(None),
        wire::RangeBound::Inclusive(None) | wire::RangeBound::Exclusive(None) => {
            Err(BoxError::from("a bound of the range is null"))
        }
    };
    match wire::range_from_sql(raw)? {
        wire::Range::Nonempty(lower, upper) => Ok((bound(lower)?, bound(upper)?)),
        // WIT has no word for it, but nothing lies strictly between a value and itself.
        wire::Range::Empty => {
            let bound = Some((any, RangeBoundKind::Exclusive));
            Ok((bound.clone(), bound))
        }
    }
}

fn interval(raw: &[u8]) -> Result<Interval, BoxError> {
    let (micros, rest) = raw.split_at_checked(8).ok_or("too short")?;
    let (days, months) = rest.split_at_checked(4).ok_or("too short")?;
    Ok(Interval {
        micros: wire::int8_from_sql(micros)?,
        days: wire::int4_from_sql(days)?,
        months: wire::int4_from_sql(months)?,
    })
}

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 24 * 60 * 60 * MICROS_PER_SECOND;
/// Postgres counts days from 2000-01-01, which is this day of the common era.
const FIRST_DAY: i64 = 730_120;
/// From the Unix epoch to that of Postgres.
const EPOCH_SECONDS: i64 = 946_684_800;

type Date = (i32, u8, u8);
type Time = (u8, u8, u8, u32);
type Datetime = (i32, u8, u8, u8, u8, u8, u32);

fn date_from_days(days: i64) -> Result<Date, BoxError> {
    let date = i32::try_from(days.saturating_add(FIRST_DAY))
        .ok()
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .ok_or("the date is infinite or out of range")?;
    Ok((
        date.year(),
        u8::try_from(date.month())?,
        u8::try_from(date.day())?,
    ))
}

fn time_from_micros(micros: i64) -> Result<Time, BoxError> {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let nanos = micros.rem_euclid(MICROS_PER_SECOND) * 1000;
    Ok((
        u8::try_from(seconds / 3600)?,
        u8::try_from(seconds / 60 % 60)?,
        u8::try_from(seconds % 60)?,
        u32::try_from(nanos)?,
    ))
}

fn datetime_from_micros(micros: i64) -> Result<Datetime, BoxError> {
    let (year, month, day) = date_from_days(micros.div_euclid(MICROS_PER_DAY))?;
    let (hour, minute, second, nanos) = time_from_micros(micros.rem_euclid(MICROS_PER_DAY))?;
    Ok((year, month, day, hour, minute, second, nanos))
}

fn days_of((year, month, day): Date) -> Option<i32> {
    let date = NaiveDate::from_ymd_opt(year, month.into(), day.into())?;
    i32::try_from(i64::from(date.num_days_from_ce()) - FIRST_DAY).ok()
}

fn micros_of((hour, minute, second, nanos): Time) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 || nanos > 999_999_999 {
        return None;
    }
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    Some(seconds * MICROS_PER_SECOND + i64::from(nanos / 1000))
}

fn micros_of_datetime(value: Datetime) -> Option<i64> {
    let (year, month, day, hour, minute, second, nanos) = value;
    let days = i64::from(days_of((year, month, day))?);
    days.checked_mul(MICROS_PER_DAY)?
        .checked_add(micros_of((hour, minute, second, nanos))?)
}

/// One parameter of a statement.
#[derive(Debug)]
pub struct Parameter<'a>(pub &'a ParameterValue);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let ty = without_domain(ty);
        if !fits(self.0, ty) {
            let cause = format!("{} does not fit Postgres type {}", kind(self.0), ty.name());
            return Err(BadParameter(cause).into());
        }
        encode(self.0, ty, out).map_err(|cause| BadParameter(cause.to_string()).into())
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn without_domain(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(inner) => without_domain(inner),
        _ => ty,
    }
}

fn kind(value: &ParameterValue) -> &'static str {
    match value {
        ParameterValue::Boolean(_) => "boolean",
        ParameterValue::Int8(_) => "int8 (s8)",
        ParameterValue::Int16(_) => "int16 (s16)",
        ParameterValue::Int32(_) => "int32 (s32)",
        ParameterValue::Int64(_) => "int64 (s64)",
        ParameterValue::Floating32(_) => "floating32",
        ParameterValue::Floating64(_) => "floating64",
        ParameterValue::Str(_) => "str",
        ParameterValue::Binary(_) => "binary",
        ParameterValue::Date(_) => "date",
        ParameterValue::Time(_) => "time",
        ParameterValue::Datetime(_) => "datetime",
        ParameterValue::Timestamp(_) => "timestamp",
        ParameterValue::Uuid(_) => "uuid",
        ParameterValue::Jsonb(_) => "jsonb",
        ParameterValue::Decimal(_) => "decimal",
        ParameterValue::RangeInt32(_) => "range-int32",
        ParameterValue::RangeInt64(_) => "range-int64",
        ParameterValue::RangeDecimal(_) => "range-decimal",
        ParameterValue::ArrayInt32(_) => "array-int32",
        ParameterValue::ArrayInt64(_) => "array-int64",
        ParameterValue::ArrayDecimal(_) => "array-decimal",
        ParameterValue::ArrayStr(_) => "array-str",
        ParameterValue::Interval(_) => "interval",
        ParameterValue::DbNull => "null",
    }
}

fn fits(value: &ParameterValue, ty: &Type) -> bool {
    match value {
        ParameterValue::Boolean(_) => *ty == Type::BOOL,
        ParameterValue::Int8(_) => *ty == Type::CHAR,
        ParameterValue::Int16(_) => *ty == Type::INT2,
        ParameterValue::Int32(_) => *ty == Type::INT4,
        ParameterValue::Int64(_) => *ty == Type::INT8,
        ParameterValue::Floating32(_) => *ty == Type::FLOAT4,
        ParameterValue::Floating64(_) => *ty == Type::FLOAT8,
        ParameterValue::Str(_) => <&str as ToSql>::accepts(ty),
        ParameterValue::Binary(_) => *ty == Type::BYTEA,
        ParameterValue::Date(_) => *ty == Type::DATE,
        ParameterValue::Time(_) => *ty == Type::TIME,
        ParameterValue::Datetime(_) | ParameterValue::Timestamp(_) => {
            matches!(*ty, Type::TIMESTAMP | Type::TIMESTAMPTZ)
        }
        ParameterValue::Uuid(_) => *ty == Type::UUID,
        ParameterValue::Jsonb(_) => matches!(*ty, Type::JSONB | Type::JSON),
        ParameterValue::Decimal(_) => *ty == Type::NUMERIC,
        ParameterValue::RangeInt32(_) => *ty == Type::INT4_RANGE,
        ParameterValue::RangeInt64(_) => *ty == Type::INT8_RANGE,
        ParameterValue::RangeDecimal(_) => *ty == Type::NUM_RANGE,
        ParameterValue::ArrayInt32(_) => *ty == Type::INT4_ARRAY,
        ParameterValue::ArrayInt64(_) => *ty == Type::INT8_ARRAY,
        ParameterValue::ArrayDecimal(_) => *ty == Type::NUMERIC_ARRAY,
        ParameterValue::ArrayStr(_) => {
            matches!(ty.kind(), Kind::Array(element) if <&str as ToSql>::accepts(element))
        }
        ParameterValue::Interval(_) => *ty == Type::INTERVAL,
        ParameterValue::DbNull => true,
    }
}

fn encode(value: &ParameterValue, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
    match value {
        ParameterValue::DbNull => return Ok(IsNull::Yes),
        ParameterValue::Boolean(v) => wire::bool_to_sql(*v, out),
        ParameterValue::Int8(v) => wire::char_to_sql(*v, out),
        ParameterValue::Int16(v) => wire::int2_to_sql(*v, out),
        ParameterValue::Int32(v) => wire::int4_to_sql(*v, out),
        ParameterValue::Int64(v) => wire::int8_to_sql(*v, out),
        ParameterValue::Floating32(v) => wire::float4_to_sql(*v, out),
        ParameterValue::Floating64(v) => wire::float8_to_sql(*v, out),
        // Some text types have a format of their own, and the driver knows them.
        ParameterValue::Str(v) => return v.as_str().to_sql(ty, out),
        ParameterValue::Binary(v) => wire::bytea_to_sql(v, out),
        ParameterValue::Date(v) => {
            let days = days_of(*v).ok_or_else(|| format!("invalid date {v:?}"))?;
            wire::date_to_sql(days, out);
        }
        ParameterValue::Time(v) => {
            let micros = micros_of(*v).ok_or_else(|| format!("invalid time {v:?}"))?;
            wire::time_to_sql(micros, out);
        }
        ParameterValue::Datetime(v) => {
            let micros = micros_of_datetime(*v).ok_or_else(|| format!("invalid datetime {v:?}"))?;
            wire::timestamp_to_sql(micros, out);
        }
        ParameterValue::Timestamp(v) => {
            let seconds = v.checked_sub(EPOCH_SECONDS);
            let micros = seconds.and_then(|seconds| seconds.checked_mul(MICROS_PER_SECOND));
            let micros = micros.ok_or_else(|| format!("invalid timestamp {v}"))?;
            wire::timestamp_to_sql(micros, out);
        }
        ParameterValue::Uuid(v) => {
            let uuid = uuid::Uuid::parse_str(v).map_err(|_| format!("invalid UUID {v:?}"))?;
            wire::uuid_to_sql(*uuid.as_bytes(), out);
        }
        ParameterValue::Jsonb(v) => {
            if *ty == Type::JSONB {
                out.put_u8(JSONB_VERSION);
            }
            out.put_slice(v);
        }
        ParameterValue::Decimal(v) => put_decimal(v, out)?,
        ParameterValue::RangeInt32((lower, upper)) => {
            put_range(lower, upper, out, |v, out| {
                wire::int4_to_sql(*v, out);
                Ok(())
            })?;
        }
        ParameterValue::RangeInt64((lower, upper)) => {
            put_range(lower, upper, out, |v, out| {
                wire::int8_to_sql(*v, out);
                Ok(())
            })?;
        }
        ParameterValue::RangeDecimal((lower, upper)) => {
            put_range(lower, upper, out, |v, out| put_decimal(v, out))?;
        }
        ParameterValue::ArrayInt32(v) => put_array(v, ty, out, |v, out| {
            wire::int4_to_sql(*v, out);
            Ok(())
        })?,
        ParameterValue::ArrayInt64(v) => put_array(v, ty, out, |v, out| {
            wire::int8_to_sql(*v, out);
            Ok(())
        })?,
        ParameterValue::ArrayDecimal(v) => put_array(v, ty, out, |v, out| put_decimal(v, out))?,
        ParameterValue::ArrayStr(v) => put_array(v, ty, out, |v, out| {
            wire::text_to_sql(v, out);
            Ok(())
        })?,
        ParameterValue::Interval(v) => {
            out.put_i64(v.micros);
            out.put_i32(v.days);
            out.put_i32(v.months);
        }
    }
    Ok(IsNull::No)
}

fn put_decimal(value: &str, out: &mut BytesMut) -> Result<(), BoxError> {
    numeric::from_text(value, out).ok_or_else(|| format!("invalid decimal {value:?}").into())
}

fn put_array<T>(
    values: &[Option<T>],
    ty: &Type,
    out: &mut BytesMut,
    put: impl Fn(&T, &mut BytesMut) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    let Kind::Array(element) = ty.kind() else {
        return Err(format!("{} is no array", ty.name()).into());
    };
    let dimension = wire::ArrayDimension {
        len: i32::try_from(values.len())?,
        lower_bound: 1,
    };
    // An empty array has no dimension at all.
    let dimensions = (!values.is_empty()).then_some(dimension);
    wire::array_to_sql(
        dimensions,
        element.oid(),
        values,
        |value, out| match value {
            None => Ok(postgres_protocol::IsNull::Yes),
            Some(value) => put(value, out).map(|()| postgres_protocol::IsNull::No),
        },
        out,
    )
}

fn put_range<T>(
    lower: &Bound<T>,
    upper: &Bound<T>,
    out: &mut BytesMut,
    put: impl Fn(&T, &mut BytesMut) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    let bound = |bound: &Bound<T>, out: &mut BytesMut| {
        let Some((value, kind)) = bound else {
            return Ok(wire::RangeBound::Unbounded);
        };
        put(value, out)?;
        Ok(match kind {
            RangeBoundKind::Inclusive => wire::RangeBound::Inclusive(postgres_protocol::IsNull::No),
            RangeBoundKind::Exclusive => wire::RangeBound::Exclusive(postgres_protocol::IsNull::No),
        })
    };
    wire::range_to_sql(|out| bound(lower, out), |out| bound(upper, out), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_seconds_are_counted_from_the_year_2000() {
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
    fn the_end_of_the_day_is_a_time_too() {
        assert_eq!(time_from_micros(MICROS_PER_DAY).unwrap(), (24, 0, 0, 0));
        assert_eq!(
            micros_of((23, 59, 59, 999_999_999)),
            Some(MICROS_PER_DAY - 1)
        );
        assert_eq!(micros_of((24, 0, 0, 0)), None);
    }
}
