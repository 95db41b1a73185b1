//! `spin:redis` and the older `fermyon:spin/redis`: commands over one shared connection per server.
//!
//! A guest's connection is virtual: its commands share a pipelined connection with everybody else's. The first command that
//! needs a connection of its own (a transaction, a blocking read, …) opens one, which closes when the guest's does.
//!
//! Reading order: this file (commands), `server` (how a server is reached). `older` holds the previous interface.

mod older;
mod server;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, cmd};
use rustls::RootCertStore;
use tokio::sync::OnceCell;
use wasmtime::component::{Accessor, Linker, Resource};

pub(crate) use self::server::{Own, Server};
use crate::bindings::fermyon::spin::redis as v2;
use crate::bindings::spin::redis::redis as v3;
use crate::egress::{ADDRESS_BYTES, Egress};
use crate::{HasImports, ImportsCtxView, ImportsView};
use v3::{Error, RedisParameter, RedisResult};

/// Servers one component is connected to; the one unused longest goes first. Few components know two.
const SERVERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// The servers of one component.
pub(crate) struct Servers {
    egress: Arc<Egress>,
    roots: Arc<RootCertStore>,
    servers: Mutex<LruCache<Box<str>, Arc<Server>>>,
}

impl Servers {
    pub(crate) fn new(egress: Arc<Egress>, roots: Arc<RootCertStore>) -> Servers {
        let servers = Mutex::new(LruCache::new(SERVERS));
        Servers {
            egress,
            roots,
            servers,
        }
    }

    /// A connection of the guest, once the server is known to be there.
    pub(crate) async fn open(&self, address: &str) -> Result<Connection, Error> {
        let server = self.server(address)?;
        server.shared().await.map_err(Error::Other)?;
        let own = OnceCell::new();
        Ok(Connection(Arc::new(Session { server, own })))
    }

    fn server(&self, address: &str) -> Result<Arc<Server>, Error> {
        if address.len() > ADDRESS_BYTES {
            return Err(Error::InvalidAddress);
        }
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(address) {
            return Ok(Arc::clone(server));
        }
        let server = Server::new(address, Arc::clone(&self.egress), &self.roots);
        let server = server.ok_or(Error::InvalidAddress)?;
        let (host, port) = server.place();
        let checked = self.egress.check(server.scheme(), host, port);
        checked.map_err(|_| Error::InvalidAddress)?;
        let server = Arc::new(server);
        servers.put(address.into(), Arc::clone(&server));
        Ok(server)
    }
}

/// A guest's connection. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Session>);

struct Session {
    server: Arc<Server>,
    /// Made by the first command that needs it.
    own: OnceCell<Own>,
}

impl Connection {
    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let Session { server, own } = &*self.0;
        let answer = if let Some(own) = own.get() {
            own.run(command).await
        } else if needs_own_connection(command) {
            let own = own.get_or_try_init(|| server.own()).await;
            own.map_err(Error::Other)?.run(command).await
        } else {
            server.run(command).await
        };
        let value = answer.and_then(|value| Ok(T::from_redis_value(value.extract_error()?)?));
        value.map_err(of_command)
    }

    async fn publish(&self, channel: &str, payload: &[u8]) -> Result<(), Error> {
        self.run(cmd("PUBLISH").arg(channel).arg(payload)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.run(cmd("GET").arg(key)).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.run(cmd("SET").arg(key).arg(value)).await
    }

    async fn incr(&self, key: &str) -> Result<i64, Error> {
        self.run(cmd("INCR").arg(key)).await
    }

    /// For the commands that take a list and count what they did. The server refuses an empty list; nothing is nothing.
    async fn count(&self, mut command: Cmd, values: &[String]) -> Result<u32, Error> {
        if values.is_empty() {
            return Ok(0);
        }
        self.run(command.arg(values)).await
    }

    async fn del(&self, keys: &[String]) -> Result<u32, Error> {
        self.count(cmd("DEL"), keys).await
    }

    async fn sadd(&self, key: &str, values: &[String]) -> Result<u32, Error> {
        self.count(cmd("SADD").arg(key).to_owned(), values).await
    }

    async fn smembers(&self, key: &str) -> Result<Vec<String>, Error> {
        self.run(cmd("SMEMBERS").arg(key)).await
    }

    async fn srem(&self, key: &str, values: &[String]) -> Result<u32, Error> {
        self.count(cmd("SREM").arg(key).to_owned(), values).await
    }

    async fn execute(
        &self,
        command: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, Error> {
        let mut command = cmd(command);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => command.arg(number),
                RedisParameter::Binary(bytes) => command.arg(bytes),
            };
        }
        let mut results = Vec::new();
        flatten(self.run(&command).await?, &mut results)?;
        Ok(results)
    }
}

/// The WIT knows lists of plain values: what is nested becomes one list.
fn flatten(value: Value, results: &mut Vec<RedisResult>) -> Result<(), Error> {
    match value {
        Value::Nil => results.push(RedisResult::Nil),
        Value::Int(number) => results.push(RedisResult::Int64(number)),
        Value::Boolean(truth) => results.push(RedisResult::Int64(truth.into())),
        Value::BulkString(bytes) => results.push(RedisResult::Binary(bytes)),
        Value::BigNumber(number) => results.push(RedisResult::Binary(number.to_string().into())),
        Value::Double(number) => results.push(RedisResult::Binary(number.to_string().into())),
        Value::VerbatimString { text, .. } => results.push(RedisResult::Binary(text.into())),
        Value::SimpleString(text) => results.push(RedisResult::Status(text)),
        Value::Okay => results.push(RedisResult::Status("OK".to_owned())),
        Value::Array(values) | Value::Set(values) => {
            for value in values {
                flatten(value, results)?;
            }
        }
        Value::Map(pairs) => {
            for (key, value) in pairs {
                flatten(key, results)?;
                flatten(value, results)?;
            }
        }
        Value::Attribute { data, .. } => flatten(*data, results)?,
        Value::ServerError(error) => return Err(of_command(error.into())),
        Value::Push { .. } => return Err(Error::TypeError),
        _ => return Err(Error::TypeError),
    }
    Ok(())
}

fn of_command(error: RedisError) -> Error {
    let of_another_type = error.code() == Some("WRONGTYPE")
        || error.kind() == ErrorKind::UnexpectedReturnType
        || (error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
            && error
                .detail()
                .is_some_and(|detail| detail.starts_with("value is not an integer")));
    if of_another_type {
        return Error::TypeError;
    }
    Error::Other(error.to_string())
}

/// Commands after which the connection is not what it was, or which keep everything behind them waiting.
const OF_THE_CONNECTION: [&str; 36] = [
    "ASKING",
    "AUTH",
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "REPLCONF",
    "RESET",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WAIT",
    "WAITAOF",
    "WATCH",
    "XREAD",
    "XREADGROUP",
];

fn needs_own_connection(command: &Cmd) -> bool {
    let name = match command.args_iter().next() {
        Some(redis::Arg::Simple(name)) => name,
        _ => return false,
    };
    OF_THE_CONNECTION
        .into_iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker::<_, HasImports>(linker, T::imports)?;
    Ok(())
}

impl ImportsCtxView<'_> {
    fn redis(&self, connection: &Resource<Connection>) -> Result<Connection, Error> {
        let connection = self.table.get(connection).cloned();
        connection.map_err(|error| Error::Other(error.to_string()))
    }

    fn keep_redis(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let kept = self.table.push(connection);
        kept.map_err(|_| Error::TooManyConnections)
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
        accessor.with(|mut access| access.get().keep_redis(connection))
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
