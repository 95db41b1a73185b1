//! Decodes column values.

use fallible_iterator::FallibleIterator;
use postgres_protocol::types as wire;
use tokio_postgres::types::{FromSql, Type};

use super::error::{BadValue, BoxError};
use super::{numeric, time};
use crate::bindings::spin::postgres4_2_0::postgres::{DbValue, Interval, RangeBoundKind};

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
        Type::DATE => DbValue::Date(time::date_from_days(wire::date_from_sql(raw)?.into())?),
        Type::TIME => DbValue::Time(time::time_from_micros(wire::time_from_sql(raw)?)?),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            DbValue::Datetime(time::datetime_from_micros(wire::timestamp_from_sql(raw)?)?)
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
    numeric::to_text(raw).ok_or_else(|| "invalid numeric value".into())
}

/// The binary format of `jsonb` starts with its version, so far always 1.
pub const JSONB_VERSION: u8 = 1;

fn jsonb(raw: &[u8]) -> Result<&[u8], BoxError> {
    match raw.split_first() {
        Some((&JSONB_VERSION, json)) => Ok(json),
        _ => Err("unknown version of the jsonb format".into()),
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

pub type Bound<T> = Option<(T, RangeBoundKind)>;

fn range<T: Clone>(
    raw: &[u8],
    value: impl Fn(&[u8]) -> Result<T, BoxError>,
    any_value: T,
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
        // The WIT interface has no empty range; the range that excludes both its equal bounds is empty too.
        wire::Range::Empty => {
            let bound = Some((any_value, RangeBoundKind::Exclusive));
            Ok((bound.clone(), bound))
        }
    }
}

fn interval(raw: &[u8]) -> Result<Interval, BoxError> {
    let (micros, rest) = raw.split_at_checked(8).ok_or("the interval is too short")?;
    let (days, months) = rest
        .split_at_checked(4)
        .ok_or("the interval is too short")?;
    Ok(Interval {
        micros: wire::int8_from_sql(micros)?,
        days: wire::int4_from_sql(days)?,
        months: wire::int4_from_sql(months)?,
    })
}
