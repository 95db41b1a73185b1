//! Encodes statement parameters.

use bytes::{BufMut, BytesMut};
use postgres_protocol::types as wire;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

use super::decode::{Bound, JSONB_VERSION};
use super::error::{BadParameter, BoxError};
use super::{numeric, time};
use crate::bindings::spin::postgres4_2_0::postgres::{ParameterValue, RangeBoundKind};

/// One parameter of a statement.
#[derive(Debug)]
pub struct Parameter<'a>(pub &'a ParameterValue);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let ty = strip_domain(ty);
        if !fits(self.0, ty) {
            let cause = format!(
                "{} does not fit Postgres type {}",
                type_name(self.0),
                ty.name()
            );
            return Err(BadParameter(cause).into());
        }
        encode(self.0, ty, out).map_err(|cause| BadParameter(cause.to_string()).into())
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn strip_domain(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(inner) => strip_domain(inner),
        _ => ty,
    }
}

fn type_name(value: &ParameterValue) -> &'static str {
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
        // Some text types have a binary format of their own, which the driver knows.
        ParameterValue::Str(v) => return v.as_str().to_sql(ty, out),
        ParameterValue::Binary(v) => wire::bytea_to_sql(v, out),
        ParameterValue::Date(v) => {
            let days = time::days_of(*v).ok_or_else(|| format!("invalid date {v:?}"))?;
            wire::date_to_sql(days, out);
        }
        ParameterValue::Time(v) => {
            let micros = time::micros_of(*v).ok_or_else(|| format!("invalid time {v:?}"))?;
            wire::time_to_sql(micros, out);
        }
        ParameterValue::Datetime(v) => {
            let micros =
                time::micros_of_datetime(*v).ok_or_else(|| format!("invalid datetime {v:?}"))?;
            wire::timestamp_to_sql(micros, out);
        }
        ParameterValue::Timestamp(v) => {
            let micros = time::micros_of_unix_seconds(*v);
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
        return Err(format!("{} is not an array", ty.name()).into());
    };
    let dimension = wire::ArrayDimension {
        len: i32::try_from(values.len())?,
        lower_bound: 1,
    };
    // An empty array has no dimension.
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
