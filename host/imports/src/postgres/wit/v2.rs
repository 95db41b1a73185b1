//! `fermyon:spin/postgres@2.0.0`: the same connections with fewer types than version 3.

use wasmtime::component::{Linker, Resource};

use super::v3::text_of;
use crate::bindings::fermyon::spin::{postgres as v2, rdbms_types as v2_types};
use crate::bindings::spin::postgres3_0_0::postgres as v3;
use crate::bindings::spin::postgres4_2_0::postgres as v4;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use crate::postgres::Connection;

pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    v2::add_to_linker::<_, HasImports>(linker, T::imports)
}

impl v2_types::Host for ImportsCtxView<'_> {}

impl v2::Host for ImportsCtxView<'_> {}

impl v2::HostConnection for ImportsCtxView<'_> {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, v2_types::Error> {
        Ok(v4::HostConnection::open(self, address).await?)
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<v2_types::ParameterValue>,
    ) -> Result<v2_types::RowSet, v2_types::Error> {
        let connection = self.connection(&connection)?;
        let parameters = convert_parameters(parameters)?;
        Ok(connection.query(&statement, &parameters).await?.into())
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<v2_types::ParameterValue>,
    ) -> Result<u64, v2_types::Error> {
        let connection = self.connection(&connection)?;
        let parameters = convert_parameters(parameters)?;
        Ok(connection.execute(&statement, &parameters).await?)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        v4::HostConnection::drop(self, connection)
    }
}

impl From<v4::Error> for v2_types::Error {
    fn from(error: v4::Error) -> v2_types::Error {
        match error {
            v4::Error::ConnectionFailed(cause) => v2_types::Error::ConnectionFailed(cause),
            v4::Error::BadParameter(cause) => v2_types::Error::BadParameter(cause),
            v4::Error::QueryFailed(error) => v2_types::Error::QueryFailed(text_of(error)),
            v4::Error::ValueConversionFailed(cause) => {
                v2_types::Error::ValueConversionFailed(cause)
            }
            v4::Error::Other(cause) => v2_types::Error::Other(cause),
        }
    }
}

/// Converts parameters. PostgreSQL has no unsigned integers.
fn convert_parameters(
    values: Vec<v2_types::ParameterValue>,
) -> Result<Vec<v4::ParameterValue>, v2_types::Error> {
    let convert = |value| {
        Ok(match value {
            v2_types::ParameterValue::Boolean(v) => v4::ParameterValue::Boolean(v),
            v2_types::ParameterValue::Int8(v) => v4::ParameterValue::Int8(v),
            v2_types::ParameterValue::Int16(v) => v4::ParameterValue::Int16(v),
            v2_types::ParameterValue::Int32(v) => v4::ParameterValue::Int32(v),
            v2_types::ParameterValue::Int64(v) => v4::ParameterValue::Int64(v),
            v2_types::ParameterValue::Floating32(v) => v4::ParameterValue::Floating32(v),
            v2_types::ParameterValue::Floating64(v) => v4::ParameterValue::Floating64(v),
            v2_types::ParameterValue::Str(v) => v4::ParameterValue::Str(v),
            v2_types::ParameterValue::Binary(v) => v4::ParameterValue::Binary(v),
            v2_types::ParameterValue::DbNull => v4::ParameterValue::DbNull,
            v2_types::ParameterValue::Uint8(_)
            | v2_types::ParameterValue::Uint16(_)
            | v2_types::ParameterValue::Uint32(_)
            | v2_types::ParameterValue::Uint64(_) => {
                return Err(v2_types::Error::ValueConversionFailed(
                    "Postgres does not support unsigned integers".to_owned(),
                ));
            }
        })
    };
    values.into_iter().map(convert).collect()
}

/// Converts via version 3, which has all column types of version 2.
impl From<v4::RowSet> for v2_types::RowSet {
    fn from(set: v4::RowSet) -> v2_types::RowSet {
        let columns = set.columns.into_iter().map(|column| v2_types::Column {
            name: column.name,
            data_type: v3::DbDataType::from(column.data_type).into(),
        });
        let value = |value| v3::DbValue::from(value).into();
        let values = |row: Vec<v4::DbValue>| row.into_iter().map(value).collect();
        v2_types::RowSet {
            columns: columns.collect(),
            rows: set.rows.into_iter().map(values).collect(),
        }
    }
}

impl From<v3::DbDataType> for v2_types::DbDataType {
    fn from(data_type: v3::DbDataType) -> v2_types::DbDataType {
        match data_type {
            v3::DbDataType::Boolean => v2_types::DbDataType::Boolean,
            v3::DbDataType::Int8 => v2_types::DbDataType::Int8,
            v3::DbDataType::Int16 => v2_types::DbDataType::Int16,
            v3::DbDataType::Int32 => v2_types::DbDataType::Int32,
            v3::DbDataType::Int64 => v2_types::DbDataType::Int64,
            v3::DbDataType::Floating32 => v2_types::DbDataType::Floating32,
            v3::DbDataType::Floating64 => v2_types::DbDataType::Floating64,
            v3::DbDataType::Str => v2_types::DbDataType::Str,
            v3::DbDataType::Binary => v2_types::DbDataType::Binary,
            v3::DbDataType::Date
            | v3::DbDataType::Time
            | v3::DbDataType::Datetime
            | v3::DbDataType::Timestamp
            | v3::DbDataType::Other => v2_types::DbDataType::Other,
        }
    }
}

impl From<v3::DbValue> for v2_types::DbValue {
    fn from(value: v3::DbValue) -> v2_types::DbValue {
        match value {
            v3::DbValue::Boolean(v) => v2_types::DbValue::Boolean(v),
            v3::DbValue::Int8(v) => v2_types::DbValue::Int8(v),
            v3::DbValue::Int16(v) => v2_types::DbValue::Int16(v),
            v3::DbValue::Int32(v) => v2_types::DbValue::Int32(v),
            v3::DbValue::Int64(v) => v2_types::DbValue::Int64(v),
            v3::DbValue::Floating32(v) => v2_types::DbValue::Floating32(v),
            v3::DbValue::Floating64(v) => v2_types::DbValue::Floating64(v),
            v3::DbValue::Str(v) => v2_types::DbValue::Str(v),
            v3::DbValue::Binary(v) => v2_types::DbValue::Binary(v),
            v3::DbValue::DbNull => v2_types::DbValue::DbNull,
            v3::DbValue::Date(_)
            | v3::DbValue::Time(_)
            | v3::DbValue::Datetime(_)
            | v3::DbValue::Timestamp(_)
            | v3::DbValue::Unsupported => v2_types::DbValue::Unsupported,
        }
    }
}
