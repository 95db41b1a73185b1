//! `spin:redis`. `v2` is its previous version.

mod v2;

use std::sync::Arc;

use wasmtime::component::{Accessor, Linker, Resource};

use super::Connection;
use crate::bindings::spin::redis::redis as v3;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use v3::{Error, RedisParameter, RedisResult};

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker(linker)
}

impl ImportsCtxView<'_> {
    fn redis(&self, connection: &Resource<Connection>) -> Result<Connection, Error> {
        let connection = self.table.get(connection).cloned();
        connection.map_err(|error| Error::Other(error.to_string()))
    }

    fn push_redis(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let pushed = self.table.push(connection);
        pushed.map_err(|_| Error::TooManyConnections)
    }
}

impl HasImports {
    fn redis<T>(
        accessor: &Accessor<T, Self>,
        connection: &Resource<Connection>,
    ) -> Result<Connection, Error> {
        accessor.with(|mut access| access.get().redis(connection))
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
    ) -> Result<Resource<Connection>, Error> {
        let imports = accessor.with(|mut access| Arc::clone(&access.get().ctx.imports));
        let connection = imports.redis.open(&address).await?;
        accessor.with(|mut access| access.get().push_redis(connection))
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.publish(&channel, &payload).await
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.get(&key).await
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.set(&key, &value).await
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<i64, Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.incr(&key).await
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> Result<u32, Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.del(&keys).await
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.sadd(&key, &values).await
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<Vec<String>, Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.smembers(&key).await
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.srem(&key, &values).await
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, Error> {
        let connection = Self::redis(accessor, &connection)?;
        connection.execute(&command, arguments).await
    }
}
