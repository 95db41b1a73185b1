//! `spin:sqlite`. `v2` is its previous version.

mod v2;

use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, Linker, Resource, StreamReader};

use super::{Connection, to_io};
use crate::bindings::spin::sqlite::sqlite as v3;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use v3::{Error, QueryResult, RowResult, Value};

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker(linker)
}

impl ImportsCtxView<'_> {
    async fn open_database(&mut self, label: &str) -> Result<Resource<Connection>, Error> {
        // A label without a database was not granted: the host refuses to start if a granted label has none.
        let granted = self.ctx.imports.sqlite_databases.get(label);
        let connection = granted.ok_or(Error::AccessDenied)?.connect().await?;
        self.table.push(connection).map_err(to_io)
    }

    fn sqlite(&self, connection: &Resource<Connection>) -> Result<Connection, Error> {
        let connection = self.table.get(connection).cloned();
        connection.map_err(|_| Error::InvalidConnection)
    }
}

impl HasImports {
    fn sqlite<T>(
        accessor: &Accessor<T, Self>,
        connection: &Resource<Connection>,
    ) -> Result<Connection, Error> {
        accessor.with(|mut access| access.get().sqlite(connection))
    }
}

impl v3::Host for ImportsCtxView<'_> {}

impl v3::HostConnection for ImportsCtxView<'_> {
    async fn open(&mut self, label: String) -> Result<Resource<Connection>, Error> {
        self.open_database(&label).await
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        let connection = self.sqlite(&connection)?;
        connection.execute(statement, parameters).await
    }

    async fn last_insert_rowid(
        &mut self,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        Ok(self.sqlite(&connection)?.last_insert_rowid().await?)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.sqlite(&connection)?.changes().await?)
    }

    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

type Rows = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

impl<T> v3::HostConnectionWithStore<T> for HasImports {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> Result<Resource<Connection>, Error> {
        let imports = accessor.with(|mut access| Arc::clone(&access.get().ctx.imports));
        let granted = imports.sqlite_databases.get(&label);
        let connection = granted.ok_or(Error::AccessDenied)?.connect().await?;
        accessor.with(|mut access| access.get().table.push(connection).map_err(to_io))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<Rows, Error> {
        let connection = Self::sqlite(accessor, &connection)?;
        let QueryResult { columns, rows } = connection.execute(statement, parameters).await?;
        let readers = accessor.with(|mut access| {
            let end = async { Ok::<_, wasmtime::Error>(Ok(())) };
            wasmtime::Result::Ok((
                StreamReader::new(&mut access, rows)?,
                FutureReader::new(&mut access, end)?,
            ))
        });
        let (rows, end) = readers.map_err(|error: wasmtime::Error| to_io(error))?;
        Ok((columns, rows, end))
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = Self::sqlite(accessor, &connection)?;
        Ok(connection.last_insert_rowid().await?)
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        Ok(Self::sqlite(accessor, &connection)?.changes().await?)
    }
}
