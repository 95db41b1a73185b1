//! `spin:postgres@4.2.0`. `v3` and `v2` are its previous versions.

mod v2;
mod v3;

use std::sync::Arc;

use tokio::sync::oneshot;
use wasmtime::component::{Accessor, FutureReader, Linker, Resource, StreamReader};

use super::address::check_length;
use super::rows::{Row, RowProducer};
use super::{Answer, Connection, tls};
use crate::bindings::spin::postgres4_2_0::postgres as v4;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use v4::{Column, Error, ParameterValue};

/// Largest certificate text that a guest may give: room for a chain, not for a whole trust store. The builder stores it.
const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;

/// The settings given to a `connection-builder`.
#[derive(Clone)]
pub struct ConnectionBuilder {
    /// `Err` says why the address is refused: the constructor itself cannot fail, so `build` does.
    address: Result<String, String>,
    ca_root: Option<String>,
}

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v4::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v3::add_to_linker(linker)?;
    v2::add_to_linker(linker)
}

impl ImportsCtxView<'_> {
    fn connection(&self, connection: &Resource<Connection>) -> Result<Connection, Error> {
        let connection = self.table.get(connection).cloned();
        let connection = connection.map_err(|error| Error::Other(error.to_string()))?;
        Ok(connection.caused_by(self.ctx.cause.clone()))
    }

    fn builder(&self, builder: &Resource<ConnectionBuilder>) -> Result<ConnectionBuilder, Error> {
        let builder = self.table.get(builder).cloned();
        builder.map_err(|error| Error::Other(error.to_string()))
    }

    fn push_connection(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let pushed = self.table.push(connection);
        pushed.map_err(|error| Error::ConnectionFailed(error.to_string()))
    }
}

impl v4::Host for ImportsCtxView<'_> {}

impl v4::HostConnectionBuilder for ImportsCtxView<'_> {
    fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        let address = check_length(&address).map(|()| address);
        let ca_root = None;
        Ok(self.table.push(ConnectionBuilder { address, ca_root })?)
    }

    fn set_ca_root(
        &mut self,
        builder: Resource<ConnectionBuilder>,
        certificate: String,
    ) -> Result<(), Error> {
        if certificate.len() > MAX_CERTIFICATE_BYTES {
            return Err(Error::Other(format!(
                "the certificate is longer than {MAX_CERTIFICATE_BYTES} bytes"
            )));
        }
        tls::parse_authorities(&certificate).map_err(Error::Other)?;
        let builder = self.table.get_mut(&builder);
        builder
            .map_err(|error| Error::Other(error.to_string()))?
            .ca_root = Some(certificate);
        Ok(())
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let ConnectionBuilder { address, ca_root } = self.builder(&builder)?;
        let address = address.map_err(Error::ConnectionFailed)?;
        let pools = &self.ctx.imports.postgres;
        let connection = pools.open(&address, ca_root.as_deref()).await?;
        self.push_connection(connection)
    }

    fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl<T> v4::HostConnectionBuilderWithStore<T> for HasImports {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Resource<Connection>, Error> {
        let (builder, imports) = accessor.with(|mut access| {
            let view = access.get();
            (view.builder(&builder), Arc::clone(&view.ctx.imports))
        });
        let ConnectionBuilder { address, ca_root } = builder?;
        let address = address.map_err(Error::ConnectionFailed)?;
        let connection = imports.postgres.open(&address, ca_root.as_deref()).await?;
        accessor.with(|mut access| access.get().push_connection(connection))
    }
}

impl v4::HostConnection for ImportsCtxView<'_> {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, Error> {
        let connection = self.ctx.imports.postgres.open(&address, None).await?;
        self.push_connection(connection)
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<v4::RowSet, Error> {
        let connection = self.connection(&connection)?;
        connection.query(&statement, &parameters).await
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let connection = self.connection(&connection)?;
        connection.execute(&statement, &parameters).await
    }

    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T> v4::HostConnectionWithStore<T> for HasImports {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<Connection>, Error> {
        let imports = accessor.with(|mut access| Arc::clone(&access.get().ctx.imports));
        let connection = imports.postgres.open(&address, None).await?;
        accessor.with(|mut access| access.get().push_connection(connection))
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<
        (
            Vec<Column>,
            StreamReader<Row>,
            FutureReader<Result<(), Error>>,
        ),
        Error,
    > {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        let (columns, answer) = connection.stream(&statement, &parameters).await?;
        let readers = accessor.with(|mut access| {
            wasmtime::Result::Ok(match answer {
                Answer::Whole(rows) => (
                    StreamReader::new(&mut access, rows)?,
                    FutureReader::new(&mut access, async { Ok::<_, wasmtime::Error>(Ok(())) })?,
                ),
                Answer::Streamed { read, rows } => {
                    let (sender, end) = oneshot::channel();
                    let producer = RowProducer {
                        read,
                        rows,
                        end: Some(sender),
                    };
                    // The sender is dropped if the guest drops the stream before its end; then there is no error.
                    let end = async { Ok::<_, wasmtime::Error>(end.await.unwrap_or(Ok(()))) };
                    (
                        StreamReader::new(&mut access, producer)?,
                        FutureReader::new(&mut access, end)?,
                    )
                }
            })
        });
        let (rows, end) =
            readers.map_err(|error: wasmtime::Error| Error::Other(error.to_string()))?;
        Ok((columns, rows, end))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        connection.execute(&statement, &parameters).await
    }
}
