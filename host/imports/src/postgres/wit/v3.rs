//! `spin:postgres@3.0.0`: the same connections with fewer types.
//!
//! Errors become text, and values that this version has no type for arrive as `unsupported`, as in Spin.

use wasmtime::component::{Linker, Resource};

use crate::bindings::spin::postgres3_0_0::postgres as v3;
use crate::bindings::spin::postgres4_2_0::postgres as v4;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use crate::postgres::Connection;

pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)
}

impl v3::Host for ImportsCtxView<'_> {}

impl v3::HostConnection for ImportsCtxView<'_> {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, v3::Error> {
        Ok(v4::HostConnection::open(self, address).await?)
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<v3::ParameterValue>,
    ) -> Result<v3::RowSet, v3::Error> {
        let connection = self.connection(&connection)?;
        let parameters: Vec<_> = parameters.into_iter().map(Into::into).collect();
        Ok(connection.query(&statement, &parameters).await?.into())
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<v3::ParameterValue>,
    ) -> Result<u64, v3::Error> {
        let connection = self.connection(&connection)?;
        let parameters: Vec<_> = parameters.into_iter().map(Into::into).collect();
        Ok(connection.execute(&statement, &parameters).await?)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        v4::HostConnection::drop(self, connection)
    }
}

/// The text of an error, for versions that have no structured one.
pub fn text_of(error: v4::QueryError) -> String {
    match error {
        v4::QueryError::Text(text) => text,
        v4::QueryError::DbError(error) => error.as_text,
    }
}

impl From<v4::Error> for v3::Error {
    fn from(error: v4::Error) -> v3::Error {
        match error {
            v4::Error::ConnectionFailed(cause) => v3::Error::ConnectionFailed(cause),
            v4::Error::BadParameter(cause) => v3::Error::BadParameter(cause),
            v4::Error::QueryFailed(error) => v3::Error::QueryFailed(text_of(error)),
            v4::Error::ValueConversionFailed(cause) => v3::Error::ValueConversionFailed(cause),
            v4::Error::Other(cause) => v3::Error::Other(cause),
        }
    }
}

impl From<v3::ParameterValue> for v4::ParameterValue {
    fn from(value: v3::ParameterValue) -> v4::ParameterValue {
        match value {
            v3::ParameterValue::Boolean(v) => v4::ParameterValue::Boolean(v),
            v3::ParameterValue::Int8(v) => v4::ParameterValue::Int8(v),
            v3::ParameterValue::Int16(v) => v4::ParameterValue::Int16(v),
            v3::ParameterValue::Int32(v) => v4::ParameterValue::Int32(v),
            v3::ParameterValue::Int64(v) => v4::ParameterValue::Int64(v),
            v3::ParameterValue::Floating32(v) => v4::ParameterValue::Floating32(v),
            v3::ParameterValue::Floating64(v) => v4::ParameterValue::Floating64(v),
            v3::ParameterValue::Str(v) => v4::ParameterValue::Str(v),
            v3::ParameterValue::Binary(v) => v4::ParameterValue::Binary(v),
            v3::ParameterValue::Date(v) => v4::ParameterValue::Date(v),
            v3::ParameterValue::Time(v) => v4::ParameterValue::Time(v),
            v3::ParameterValue::Datetime(v) => v4::ParameterValue::Datetime(v),
            v3::ParameterValue::Timestamp(v) => v4::ParameterValue::Timestamp(v),
            v3::ParameterValue::DbNull => v4::ParameterValue::DbNull,
        }
    }
}

impl From<v4::RowSet> for v3::RowSet {
    fn from(set: v4::RowSet) -> v3::RowSet {
        let columns = set.columns.into_iter().map(|column| v3::Column {
            name: column.name,
            data_type: column.data_type.into(),
        });
        let values = |row: Vec<v4::DbValue>| row.into_iter().map(Into::into).collect();
        v3::RowSet {
            columns: columns.collect(),
            rows: set.rows.into_iter().map(values).collect(),
        }
    }
}

impl From<v4::DbDataType> for v3::DbDataType {
    fn from(data_type: v4::DbDataType) -> v3::DbDataType {
        match data_type {
            v4::DbDataType::Boolean => v3::DbDataType::Boolean,
            v4::DbDataType::Int8 => v3::DbDataType::Int8,
            v4::DbDataType::Int16 => v3::DbDataType::Int16,
            v4::DbDataType::Int32 => v3::DbDataType::Int32,
            v4::DbDataType::Int64 => v3::DbDataType::Int64,
            v4::DbDataType::Floating32 => v3::DbDataType::Floating32,
            v4::DbDataType::Floating64 => v3::DbDataType::Floating64,
            v4::DbDataType::Str => v3::DbDataType::Str,
            v4::DbDataType::Binary => v3::DbDataType::Binary,
            v4::DbDataType::Date => v3::DbDataType::Date,
            v4::DbDataType::Time => v3::DbDataType::Time,
            v4::DbDataType::Datetime => v3::DbDataType::Datetime,
            v4::DbDataType::Timestamp => v3::DbDataType::Timestamp,
            v4::DbDataType::Uuid
            | v4::DbDataType::Jsonb
            | v4::DbDataType::Decimal
            | v4::DbDataType::RangeInt32
            | v4::DbDataType::RangeInt64
            | v4::DbDataType::RangeDecimal
            | v4::DbDataType::ArrayInt32
            | v4::DbDataType::ArrayInt64
            | v4::DbDataType::ArrayDecimal
            | v4::DbDataType::ArrayStr
            | v4::DbDataType::Interval
            | v4::DbDataType::Other(_) => v3::DbDataType::Other,
        }
    }
}

impl From<v4::DbValue> for v3::DbValue {
    fn from(value: v4::DbValue) -> v3::DbValue {
        match value {
            v4::DbValue::Boolean(v) => v3::DbValue::Boolean(v),
            v4::DbValue::Int8(v) => v3::DbValue::Int8(v),
            v4::DbValue::Int16(v) => v3::DbValue::Int16(v),
            v4::DbValue::Int32(v) => v3::DbValue::Int32(v),
            v4::DbValue::Int64(v) => v3::DbValue::Int64(v),
            v4::DbValue::Floating32(v) => v3::DbValue::Floating32(v),
            v4::DbValue::Floating64(v) => v3::DbValue::Floating64(v),
            v4::DbValue::Str(v) => v3::DbValue::Str(v),
            v4::DbValue::Binary(v) => v3::DbValue::Binary(v),
            v4::DbValue::Date(v) => v3::DbValue::Date(v),
            v4::DbValue::Time(v) => v3::DbValue::Time(v),
            v4::DbValue::Datetime(v) => v3::DbValue::Datetime(v),
            v4::DbValue::Timestamp(v) => v3::DbValue::Timestamp(v),
            v4::DbValue::DbNull => v3::DbValue::DbNull,
            v4::DbValue::Uuid(_)
            | v4::DbValue::Jsonb(_)
            | v4::DbValue::Decimal(_)
            | v4::DbValue::RangeInt32(_)
            | v4::DbValue::RangeInt64(_)
            | v4::DbValue::RangeDecimal(_)
            | v4::DbValue::ArrayInt32(_)
            | v4::DbValue::ArrayInt64(_)
            | v4::DbValue::ArrayDecimal(_)
            | v4::DbValue::ArrayStr(_)
            | v4::DbValue::Interval(_)
            | v4::DbValue::Unsupported(_) => v3::DbValue::Unsupported,
        }
    }
}
