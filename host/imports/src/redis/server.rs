//! How a Redis server is reached: one shared connection, made again when it is lost, and connections for one guest alone.
//!
//! While the server is away callers are told so at once; one of them at a time tries whether it is back.

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

use crate::egress::Egress;

/// Redis is near, or it is not there: what depends on it can do without it for a while.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// A server silent for so long is not going to answer. Commands that may block have no such limit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// After a failure everybody is told of it for this long without trying again.
const FAIL_FAST: Duration = Duration::from_millis(100);

pub struct Server {
    client: Client,
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    egress: Arc<Egress>,
    shared: Mutex<Shared>,
    /// Held by who tries to connect.
    dialing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Shared {
    live: Option<MultiplexedConnection>,
    /// Counts connections, so that the end of an old one does not take a new one away.
    generation: u64,
    failed: Option<(Instant, String)>,
}

/// A connection for one guest alone.
pub struct Own(MultiplexedConnection);

impl Server {
    /// `None` if the address is not one of a Redis server that is reached over TCP.
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
                let settings = crate::tls_settings(Arc::clone(roots)).ok()?;
                (host.clone(), *port, Some(Arc::new(settings)))
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

    pub fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Runs a command on the shared connection.
    pub async fn run(self: &Arc<Self>, command: &Cmd) -> Result<Value, RedisError> {
        let (mut connection, generation) = self.shared().await.map_err(unreachable_server)?;
        let answer = connection.req_packed_command(command).await;
        // A connection that no longer answers is given up for everybody.
        answer.inspect_err(|error| {
            if error.is_timeout() || error.is_unrecoverable_error() {
                self.lost(generation);
            }
        })
    }

    /// The shared connection, which is made if there is none.
    pub async fn shared(self: &Arc<Self>) -> Result<(MultiplexedConnection, u64), String> {
        if let Some(known) = self.known(FAIL_FAST) {
            return known;
        }
        let _alone = match self.dialing.try_lock() {
            Ok(alone) => alone,
            Err(_) => {
                // Somebody is trying. Whoever knows the server to be away does not wait for it.
                if let Some(known) = self.known(Duration::MAX) {
                    return known;
                }
                self.dialing.lock().await
            }
        };
        if let Some(known) = self.known(FAIL_FAST) {
            return known;
        }
        let dialed = self.dial(Some(ANSWER_TIMEOUT)).await;
        let mut shared = self.state();
        match dialed {
            Ok((connection, drive)) => {
                shared.generation += 1;
                shared.live = Some(connection.clone());
                shared.failed = None;
                let generation = shared.generation;
                let server = Arc::downgrade(self);
                tokio::spawn(async move {
                    drive.await;
                    if let Some(server) = server.upgrade() {
                        server.lost(generation);
                    }
                });
                Ok((connection, generation))
            }
            Err(cause) => {
                shared.failed = Some((Instant::now(), cause.clone()));
                Err(cause)
            }
        }
    }

    /// What is known without trying, failures if they are no older than this.
    fn known(&self, fresh: Duration) -> Option<Result<(MultiplexedConnection, u64), String>> {
        let shared = self.state();
        if let Some(live) = &shared.live {
            return Some(Ok((live.clone(), shared.generation)));
        }
        let (at, cause) = shared.failed.as_ref()?;
        (at.elapsed() < fresh).then(|| Err(cause.clone()))
    }

    fn lost(&self, generation: u64) {
        let mut shared = self.state();
        if shared.generation == generation {
            shared.live = None;
        }
    }

    /// A connection for one guest, on which commands may block.
    pub async fn own(&self) -> Result<Own, String> {
        let (connection, drive) = self.dial(None).await?;
        tokio::spawn(drive);
        Ok(Own(connection))
    }

    async fn dial(
        &self,
        answer_timeout: Option<Duration>,
    ) -> Result<(MultiplexedConnection, BoxFuture<'static, ()>), String> {
        let (scheme, host, port) = (self.scheme(), &self.host, self.port);
        let settings = AsyncConnectionConfig::new().set_response_timeout(answer_timeout);
        let connected = timeout(CONNECT_TIMEOUT, async {
            let stream = self.connect().await.map_err(|error| error.to_string())?;
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
        Ok((connection, Box::pin(drive)))
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

    fn state(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Own {
    pub async fn run(&self, command: &Cmd) -> Result<Value, RedisError> {
        self.0.clone().req_packed_command(command).await
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

fn unreachable_server(cause: String) -> RedisError {
    std::io::Error::new(std::io::ErrorKind::NotConnected, cause).into()
}
