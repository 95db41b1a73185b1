//! `fermyon:spin/redis@2.0.0`: the same connections, with functions that block the guest.

use wasmtime::component::{Linker, Resource};

use crate::bindings::fermyon::spin::redis as v2;
use crate::bindings::spin::redis::redis as v3;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use crate::redis::Connection;

pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    v2::add_to_linker::<_, HasImports>(linker, T::imports)
}

impl v2::Host for ImportsCtxView<'_> {}

impl v2::HostConnection for ImportsCtxView<'_> {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, v2::Error> {
        let connection = self.ctx.imports.redis.open(&address).await?;
        Ok(self.push_redis(connection)?)
    }

    async fn publish(
        &mut self,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Result<(), v2::Error> {
        Ok(self.redis(&connection)?.publish(&channel, &payload).await?)
    }

    async fn get(
        &mut self,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<Option<Vec<u8>>, v2::Error> {
        Ok(self.redis(&connection)?.get(&key).await?)
    }

    async fn set(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), v2::Error> {
        Ok(self.redis(&connection)?.set(&key, &value).await?)
    }

    async fn incr(
        &mut self,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<i64, v2::Error> {
        Ok(self.redis(&connection)?.incr(&key).await?)
    }

    async fn del(
        &mut self,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> Result<u32, v2::Error> {
        Ok(self.redis(&connection)?.del(&keys).await?)
    }

    async fn sadd(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, v2::Error> {
        Ok(self.redis(&connection)?.sadd(&key, &values).await?)
    }

    async fn smembers(
        &mut self,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<Vec<String>, v2::Error> {
        Ok(self.redis(&connection)?.smembers(&key).await?)
    }

    async fn srem(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, v2::Error> {
        Ok(self.redis(&connection)?.srem(&key, &values).await?)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<v2::RedisParameter>,
    ) -> Result<Vec<v2::RedisResult>, v2::Error> {
        let arguments = arguments.into_iter().map(|argument| match argument {
            v2::RedisParameter::Int64(number) => v3::RedisParameter::Int64(number),
            v2::RedisParameter::Binary(bytes) => v3::RedisParameter::Binary(bytes),
        });
        let connection = self.redis(&connection)?;
        let results = connection.execute(&command, arguments.collect()).await?;
        let results = results.into_iter().map(|result| match result {
            v3::RedisResult::Nil => v2::RedisResult::Nil,
            v3::RedisResult::Status(text) => v2::RedisResult::Status(text),
            v3::RedisResult::Int64(number) => v2::RedisResult::Int64(number),
            v3::RedisResult::Binary(bytes) => v2::RedisResult::Binary(bytes),
        });
        Ok(results.collect())
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        v3::HostConnection::drop(self, connection)
    }
}

impl From<v3::Error> for v2::Error {
    fn from(error: v3::Error) -> v2::Error {
        match error {
            v3::Error::InvalidAddress => v2::Error::InvalidAddress,
            v3::Error::TooManyConnections => v2::Error::TooManyConnections,
            v3::Error::TypeError => v2::Error::TypeError,
            v3::Error::Other(cause) => v2::Error::Other(cause),
        }
    }
}
