//! Connections to one Redis server: a shared one, reopened when it is lost, and dedicated ones for single guests.
//!
//! While the server is unreachable, callers fail at once; one caller at a time tries to connect again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionAddr, RedisError, Value};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::replies::BoundedReplies;
use crate::budget::ConnectionPermit;
use crate::egress::Egress;

/// Limit for connecting. Redis is close by, and callers can do without it for a while, so waiting longer gains nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Limit for the answer to a command on the shared connection. Dedicated ones have none, because their commands may block.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// After a failed attempt to connect, callers get its error for this long without another attempt.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

pub struct Server {
    client: Client,
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    egress: Arc<Egress>,
    shared: Mutex<Shared>,
    /// Held by the caller that is connecting.
    dialing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Shared {
    live: Option<MultiplexedConnection>,
    /// Number of the latest connection, so that the end of an earlier one does not remove it.
    generation: u64,
    last_failure: Option<(Instant, String)>,
}

/// A connection for a single guest.
pub struct DedicatedConnection(MultiplexedConnection);

impl Server {
    /// `None` if the address is not that of a Redis server over TCP.
    pub fn new(address: &str, egress: Arc<Egress>, roots: &Arc<RootCertStore>) -> Option<Server> {
        let client = Client::open(address).ok()?;
        let (host, port, tls) = match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) => (host.clone(), *port, None),
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                ..
            } => {
                let config = crate::tls::client_config(Arc::clone(roots)).ok()?;
                (host.clone(), *port, Some(Arc::new(config)))
            }
            _ => return None,
        };
        Some(Server {
            client,
            host,
            port,
            tls,
            egress,
            shared: Mutex::default(),
            dialing: tokio::sync::Mutex::default(),
        })
    }

    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() {
            "rediss"
        } else {
            "redis"
        }
    }

    pub fn host_and_port(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Runs a command on the shared connection.
    pub async fn run(self: &Arc<Self>, command: &Cmd) -> Result<Value, RedisError> {
        let (mut connection, generation) = self.connect_shared().await.map_err(unreachable)?;
        let answer = connection.req_packed_command(command).await;
        // A connection that no longer answers is replaced for all guests.
        answer.inspect_err(|error| {
            if error.is_timeout() || error.is_unrecoverable_error() {
                self.mark_lost(generation);
            }
        })
    }

    /// The shared connection and its generation. Connects if there is none.
    pub async fn connect_shared(self: &Arc<Self>) -> Result<(MultiplexedConnection, u64), String> {
        if let Some(known) = self.peek(RETRY_INTERVAL) {
            return known;
        }
        let _dialing = match self.dialing.try_lock() {
            Ok(dialing) => dialing,
            Err(_) => {
                // Another caller is connecting. Wait for it unless the previous attempt failed.
                if let Some(known) = self.peek(Duration::MAX) {
                    return known;
                }
                self.dialing.lock().await
            }
        };
        if let Some(known) = self.peek(RETRY_INTERVAL) {
            return known;
        }
        let dialed = self.dial(Some(ANSWER_TIMEOUT)).await;
        let mut shared = self.lock_shared();
        match dialed {
            Ok((connection, drive)) => {
                shared.generation += 1;
                shared.live = Some(connection.clone());
                shared.last_failure = None;
                let generation = shared.generation;
                let server = Arc::downgrade(self);
                tokio::spawn(async move {
                    drive.await;
                    if let Some(server) = server.upgrade() {
                        server.mark_lost(generation);
                    }
                });
                Ok((connection, generation))
            }
            Err(cause) => {
                shared.last_failure = Some((Instant::now(), cause.clone()));
                Err(cause)
            }
        }
    }

    /// The live connection, or the last failure if it is younger than `max_age`. Does not connect.
    fn peek(&self, max_age: Duration) -> Option<Result<(MultiplexedConnection, u64), String>> {
        let shared = self.lock_shared();
        if let Some(live) = &shared.live {
            return Some(Ok((live.clone(), shared.generation)));
        }
        let (at, cause) = shared.last_failure.as_ref()?;
        (at.elapsed() < max_age).then(|| Err(cause.clone()))
    }

    fn mark_lost(&self, generation: u64) {
        let mut shared = self.lock_shared();
        if shared.generation == generation {
            shared.live = None;
        }
    }

    /// Opens a connection for a single guest. Its commands may block.
    pub async fn open_dedicated(&self) -> Result<DedicatedConnection, String> {
        let (connection, drive) = self.dial(None).await?;
        tokio::spawn(drive);
        Ok(DedicatedConnection(connection))
    }

    async fn dial(
        &self,
        answer_timeout: Option<Duration>,
    ) -> Result<(MultiplexedConnection, BoxFuture<'static, ()>), String> {
        let (scheme, host, port) = (self.scheme(), &self.host, self.port);
        let settings = AsyncConnectionConfig::new().set_response_timeout(answer_timeout);
        let permit = self.permit()?;
        let connected = timeout(CONNECT_TIMEOUT, async {
            let stream = self.connect().await.map_err(|error| error.to_string())?;
            let stream = BoundedReplies::new(stream, self.egress.budget());
            let info = self.client.get_connection_info().redis_settings();
            MultiplexedConnection::new_with_config(info, stream, settings)
                .await
                .map_err(|error| error.to_string())
        });
        let connected = connected
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())));
        let (connection, drive) = connected
            .map_err(|cause| format!("cannot connect to {scheme}://{host}:{port}: {cause}"))?;
        let drive = async move {
            let _permit = permit;
            drive.await;
        };
        Ok((connection, Box::pin(drive)))
    }

    fn permit(&self) -> Result<ConnectionPermit, String> {
        let permit = self.egress.budget().try_connect();
        permit.map_err(|refused| refused.to_string())
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        let addresses = self.egress.resolve(&self.host, self.port).await?;
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::try_from(self.host.clone()).map_err(std::io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(tls))
            .connect(name, stream)
            .await?;
        Ok(Box::new(stream))
    }

    fn lock_shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DedicatedConnection {
    pub async fn run(&self, command: &Cmd) -> Result<Value, RedisError> {
        self.0.clone().req_packed_command(command).await
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

fn unreachable(cause: String) -> RedisError {
    std::io::Error::new(std::io::ErrorKind::NotConnected, cause).into()
}
