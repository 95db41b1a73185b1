//! `fermyon:spin/sqlite@2.0.0`: the same databases.

use wasmtime::component::{Linker, Resource};

use crate::bindings::fermyon::spin::sqlite as v2;
use crate::bindings::spin::sqlite::sqlite as v3;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use crate::sqlite::Connection;

pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    v2::add_to_linker::<_, HasImports>(linker, T::imports)
}

impl v2::Host for ImportsCtxView<'_> {}

impl v2::HostConnection for ImportsCtxView<'_> {
    async fn open(&mut self, label: String) -> Result<Resource<Connection>, v2::Error> {
        Ok(self.open_database(&label).await?)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<v2::Value>,
    ) -> Result<v2::QueryResult, v2::Error> {
        let parameters = parameters.into_iter().map(|value| match value {
            v2::Value::Integer(number) => v3::Value::Integer(number),
            v2::Value::Real(number) => v3::Value::Real(number),
            v2::Value::Text(text) => v3::Value::Text(text),
            v2::Value::Blob(bytes) => v3::Value::Blob(bytes),
            v2::Value::Null => v3::Value::Null,
        });
        let connection = self.sqlite(&connection)?;
        let result = connection.execute(statement, parameters.collect()).await?;
        Ok(v2::QueryResult {
            columns: result.columns,
            rows: result.rows.into_iter().map(to_v2).collect(),
        })
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        v3::HostConnection::drop(self, connection)
    }
}

fn to_v2(row: v3::RowResult) -> v2::RowResult {
    let values = row.values.into_iter().map(|value| match value {
        v3::Value::Integer(number) => v2::Value::Integer(number),
        v3::Value::Real(number) => v2::Value::Real(number),
        v3::Value::Text(text) => v2::Value::Text(text),
        v3::Value::Blob(bytes) => v2::Value::Blob(bytes),
        v3::Value::Null => v2::Value::Null,
    });
    v2::RowResult {
        values: values.collect(),
    }
}

impl From<v3::Error> for v2::Error {
    fn from(error: v3::Error) -> v2::Error {
        match error {
            v3::Error::NoSuchDatabase => v2::Error::NoSuchDatabase,
            v3::Error::AccessDenied => v2::Error::AccessDenied,
            v3::Error::InvalidConnection => v2::Error::InvalidConnection,
            v3::Error::DatabaseFull => v2::Error::DatabaseFull,
            v3::Error::Io(cause) => v2::Error::Io(cause),
        }
    }
}
