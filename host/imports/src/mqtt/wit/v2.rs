//! `fermyon:spin/mqtt@2.0.0`: the same connections, with functions that block the guest.

use wasmtime::component::{Linker, Resource};

use crate::bindings::fermyon::spin::mqtt as v2;
use crate::bindings::spin::mqtt::mqtt as v3;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use crate::mqtt::Connection;

pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    v2::add_to_linker::<_, HasImports>(linker, T::imports)
}

impl v2::Host for ImportsCtxView<'_> {}

impl v2::HostConnection for ImportsCtxView<'_> {
    async fn open(
        &mut self,
        address: String,
        username: String,
        password: String,
        keep_alive_seconds: u64,
    ) -> Result<Resource<Connection>, v2::Error> {
        let brokers = &self.ctx.imports.mqtt;
        let opened = brokers.open(&address, username, password, keep_alive_seconds);
        let connection = opened.await?;
        Ok(self.push_mqtt(connection)?)
    }

    async fn publish(
        &mut self,
        connection: Resource<Connection>,
        topic: String,
        payload: Vec<u8>,
        qos: v2::Qos,
    ) -> Result<(), v2::Error> {
        let qos = match qos {
            v2::Qos::AtMostOnce => v3::Qos::AtMostOnce,
            v2::Qos::AtLeastOnce => v3::Qos::AtLeastOnce,
            v2::Qos::ExactlyOnce => v3::Qos::ExactlyOnce,
        };
        let connection = self.mqtt(&connection)?;
        Ok(connection.publish(&topic, &payload, qos).await?)
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
            v3::Error::ConnectionFailed(cause) => v2::Error::ConnectionFailed(cause),
            v3::Error::Other(cause) => v2::Error::Other(cause),
        }
    }
}
