//! `spin:mqtt`. `v2` is its previous version.

mod v2;

use std::sync::Arc;

use wasmtime::component::{Accessor, Linker, Resource};

use super::Connection;
use crate::bindings::spin::mqtt::mqtt as v3;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use v3::{Error, Qos};

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker(linker)
}

impl ImportsCtxView<'_> {
    fn mqtt(&self, connection: &Resource<Connection>) -> Result<Connection, Error> {
        let connection = self.table.get(connection).cloned();
        connection.map_err(|error| Error::Other(error.to_string()))
    }

    fn push_mqtt(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let pushed = self.table.push(connection);
        pushed.map_err(|_| Error::TooManyConnections)
    }
}

impl v3::Host for ImportsCtxView<'_> {}

impl v3::HostConnection for ImportsCtxView<'_> {
    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T> v3::HostConnectionWithStore<T> for HasImports {
    async fn open(
        accessor: &Accessor<T, Self>,
        address: String,
        username: String,
        password: String,
        keep_alive_seconds: u64,
    ) -> Result<Resource<Connection>, Error> {
        let imports = accessor.with(|mut access| Arc::clone(&access.get().ctx.imports));
        let opened = imports
            .mqtt
            .open(&address, username, password, keep_alive_seconds);
        let connection = opened.await?;
        accessor.with(|mut access| access.get().push_mqtt(connection))
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        topic: String,
        payload: Vec<u8>,
        qos: Qos,
    ) -> Result<(), Error> {
        let connection = accessor.with(|mut access| access.get().mqtt(&connection))?;
        connection.publish(&topic, &payload, qos).await
    }
}
