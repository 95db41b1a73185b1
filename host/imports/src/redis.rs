//! Redis commands over one shared connection per component and server.
//!
//! A guest's connection is virtual: the commands of all guests are pipelined on the shared connection. The first command that
//! changes or blocks its connection (a transaction, a blocking read, …) opens a dedicated one for the guest, which is closed
//! with the guest's connection.
//!
//! Reading order: this file (commands), `server` (connections to a server), `replies` (how large they may be), `wit`.

mod replies;
mod server;
#[cfg(test)]
mod tests;
pub(crate) mod wit;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, cmd};
use rustls::RootCertStore;
use tokio::sync::OnceCell;

use self::server::DedicatedConnection;
pub(crate) use self::server::Server;
use crate::bindings::spin::redis::redis::{Error, RedisParameter, RedisResult};
use crate::egress::{Egress, MAX_ADDRESS_BYTES};

/// Servers that are kept per component, the least recently used evicted first. Few components use more than one.
const MAX_SERVERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// The servers of one component.
pub(crate) struct Servers {
    egress: Arc<Egress>,
    roots: Arc<RootCertStore>,
    servers: Mutex<LruCache<Box<str>, Arc<Server>>>,
}

impl Servers {
    pub(crate) fn new(egress: Arc<Egress>, roots: Arc<RootCertStore>) -> Servers {
        let servers = Mutex::new(LruCache::new(MAX_SERVERS));
        Servers {
            egress,
            roots,
            servers,
        }
    }

    /// Opens a connection for a guest. Fails if the server cannot be reached.
    pub(crate) async fn open(&self, address: &str) -> Result<Connection, Error> {
        let server = self.find_or_add(address)?;
        server.connect_shared().await.map_err(Error::Other)?;
        let dedicated = OnceCell::new();
        Ok(Connection(Arc::new(Inner { server, dedicated })))
    }

    fn find_or_add(&self, address: &str) -> Result<Arc<Server>, Error> {
        if address.len() > MAX_ADDRESS_BYTES {
            return Err(Error::InvalidAddress);
        }
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(address) {
            return Ok(Arc::clone(server));
        }
        let server = Server::new(address, Arc::clone(&self.egress), &self.roots);
        let server = server.ok_or(Error::InvalidAddress)?;
        let (host, port) = server.host_and_port();
        let checked = self.egress.check(server.scheme(), host, port);
        checked.map_err(|_| Error::InvalidAddress)?;
        let server = Arc::new(server);
        servers.put(address.into(), Arc::clone(&server));
        Ok(server)
    }
}

/// A guest's connection. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    server: Arc<Server>,
    /// Opened by the first command that needs it. All later commands use it too.
    dedicated: OnceCell<DedicatedConnection>,
}

impl Connection {
    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let Inner { server, dedicated } = &*self.0;
        let answer = if let Some(dedicated) = dedicated.get() {
            dedicated.run(command).await
        } else if needs_dedicated_connection(command) {
            let dedicated = dedicated.get_or_try_init(|| server.open_dedicated()).await;
            dedicated.map_err(Error::Other)?.run(command).await
        } else {
            server.run(command).await
        };
        let value = answer.and_then(|value| Ok(T::from_redis_value(value.extract_error()?)?));
        value.map_err(from_redis)
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

    /// Runs a command that takes a list and answers a count. The server refuses an empty list; here it counts 0.
    async fn run_with_list(&self, mut command: Cmd, values: &[String]) -> Result<u32, Error> {
        if values.is_empty() {
            return Ok(0);
        }
        self.run(command.arg(values)).await
    }

    async fn del(&self, keys: &[String]) -> Result<u32, Error> {
        self.run_with_list(cmd("DEL"), keys).await
    }

    async fn sadd(&self, key: &str, values: &[String]) -> Result<u32, Error> {
        self.run_with_list(cmd("SADD").arg(key).to_owned(), values)
            .await
    }

    async fn smembers(&self, key: &str) -> Result<Vec<String>, Error> {
        self.run(cmd("SMEMBERS").arg(key)).await
    }

    async fn srem(&self, key: &str, values: &[String]) -> Result<u32, Error> {
        self.run_with_list(cmd("SREM").arg(key).to_owned(), values)
            .await
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

/// The WIT interface has only flat lists, so nested lists are flattened.
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
        Value::ServerError(error) => return Err(from_redis(error.into())),
        Value::Push { .. } => return Err(Error::TypeError),
        _ => return Err(Error::TypeError),
    }
    Ok(())
}

fn from_redis(error: RedisError) -> Error {
    let is_type_error = error.code() == Some("WRONGTYPE")
        || error.kind() == ErrorKind::UnexpectedReturnType
        || (error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
            && error
                .detail()
                .is_some_and(|detail| detail.starts_with("value is not an integer")));
    if is_type_error {
        return Error::TypeError;
    }
    Error::Other(error.to_string())
}

/// Commands that change the state of their connection, or block the commands behind them.
const DEDICATED_COMMANDS: [&str; 36] = [
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

fn needs_dedicated_connection(command: &Cmd) -> bool {
    let name = match command.args_iter().next() {
        Some(redis::Arg::Simple(name)) => name,
        _ => return false,
    };
    DEDICATED_COMMANDS
        .into_iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}
