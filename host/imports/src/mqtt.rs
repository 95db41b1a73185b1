//! Publishing to MQTT brokers, in version 3.1.1 of the protocol.
//!
//! `protocol` is the packets that a publisher sends and receives. A connection is opened with the guest's and belongs to it. It is
//! opened again by the next message after an error, or after it was idle for the guest's keep-alive interval.

mod protocol;
#[cfg(test)]
mod tests;
pub(crate) mod wit;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use self::protocol::{Login, Message};
use crate::bindings::spin::mqtt::mqtt::{Error, Qos};
use crate::budget::ConnectionPermit;
use crate::egress::{Egress, MAX_ADDRESS_BYTES};

/// Limit for connecting, up to the broker's acceptance.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Limit for the broker's acknowledgement of a message.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(10);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The brokers of one component.
pub(crate) struct Brokers {
    egress: Arc<Egress>,
    roots: Arc<RootCertStore>,
}

impl Brokers {
    pub(crate) fn new(egress: Arc<Egress>, roots: Arc<RootCertStore>) -> Brokers {
        Brokers { egress, roots }
    }

    async fn open(
        &self,
        address: &str,
        username: String,
        password: String,
        keep_alive_seconds: u64,
    ) -> Result<Connection, Error> {
        let server = Server::parse(address).ok_or(Error::InvalidAddress)?;
        let checked = self
            .egress
            .check(server.scheme(), &server.host, server.port);
        checked
            .map_err(|_| Error::ConnectionFailed(format!("address {address} is not permitted")))?;
        let permit = self.egress.budget().try_connect();
        let permit = permit.map_err(|_| Error::TooManyConnections)?;
        let connection = Connection(Arc::new(Inner {
            egress: Arc::clone(&self.egress),
            roots: Arc::clone(&self.roots),
            login: Login {
                client_id: server.client_id.clone(),
                username,
                password,
                keep_alive: u16::try_from(keep_alive_seconds).unwrap_or(u16::MAX),
            },
            server,
            session: Mutex::default(),
            _permit: permit,
        }));
        let session = connection.0.connect().await?;
        *connection.0.session.lock().await = Some(session);
        Ok(connection)
    }
}

/// `mqtt://host[:port]?client_id=…`, or `mqtts://` for TLS.
struct Server {
    host: String,
    port: u16,
    is_tls: bool,
    client_id: String,
}

impl Server {
    fn parse(address: &str) -> Option<Server> {
        if address.len() > MAX_ADDRESS_BYTES {
            return None;
        }
        let (scheme, rest) = address.split_once("://")?;
        let (is_tls, default_port) = match scheme {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            _ => return None,
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let place: http::uri::Authority = place.trim_end_matches('/').parse().ok()?;
        let host = place.host();
        // A login belongs into the arguments of `open`.
        if host.is_empty() || place.as_str().contains('@') {
            return None;
        }
        let client_id = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("client_id="));
        Some(Server {
            port: place.port_u16().unwrap_or(default_port),
            host: host.to_owned(),
            is_tls,
            client_id: client_id.filter(|id| !id.is_empty())?.to_owned(),
        })
    }

    fn scheme(&self) -> &'static str {
        if self.is_tls { "mqtts" } else { "mqtt" }
    }
}

/// A guest's connection. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    server: Server,
    login: Login,
    egress: Arc<Egress>,
    roots: Arc<RootCertStore>,
    /// `None` after an error, and while a message is on its way.
    session: Mutex<Option<Session>>,
    _permit: ConnectionPermit,
}

struct Session {
    stream: Box<dyn Stream>,
    last_packet_id: u16,
    used_at: Instant,
}

impl Connection {
    async fn publish(&self, topic: &str, payload: &[u8], qos: Qos) -> Result<(), Error> {
        let inner = &*self.0;
        let mut kept = inner.session.lock().await;
        // Taken out, so that a message of which only a part was sent leaves no session behind.
        let mut session = match kept.take().filter(|session| inner.is_alive(session)) {
            Some(session) => session,
            None => inner.connect().await?,
        };
        session.last_packet_id = session.last_packet_id.checked_add(1).unwrap_or(1);
        let message = Message {
            topic,
            payload,
            qos,
            packet_id: session.last_packet_id,
        };
        let packet = message.encode().map_err(Error::Other)?;
        let sent = protocol::publish(&mut session.stream, &packet, &message);
        let sent = timeout(ACKNOWLEDGE_TIMEOUT, sent).await;
        sent.map_err(|_| Error::Other("the broker did not acknowledge the message".to_owned()))?
            .map_err(|why| Error::Other(why.to_string()))?;
        session.used_at = Instant::now();
        *kept = Some(session);
        Ok(())
    }
}

impl Inner {
    /// A broker closes a connection that was silent for one and a half times the keep-alive interval.
    fn is_alive(&self, session: &Session) -> bool {
        let interval = Duration::from_secs(self.login.keep_alive.into());
        interval.is_zero() || session.used_at.elapsed() < interval
    }

    async fn connect(&self) -> Result<Session, Error> {
        let connected = timeout(CONNECT_TIMEOUT, self.dial()).await;
        let failed = |why: String| {
            let Server { host, port, .. } = &self.server;
            Error::ConnectionFailed(format!("{host}:{port}: {why}"))
        };
        let stream = connected
            .map_err(|_| failed("it did not answer in time".to_owned()))?
            .map_err(|why| failed(why.to_string()))?;
        Ok(Session {
            stream,
            last_packet_id: 0,
            used_at: Instant::now(),
        })
    }

    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        let Server { host, port, .. } = &self.server;
        let addresses = self.egress.resolve(host, *port).await?;
        let stream = TcpStream::connect(&*addresses).await?;
        stream.set_nodelay(true)?;
        let mut stream: Box<dyn Stream> = if self.server.is_tls {
            let name = host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned();
            let name = ServerName::try_from(name).map_err(io::Error::other)?;
            let config = crate::tls::client_config(Arc::clone(&self.roots));
            let config = Arc::new(config.map_err(io::Error::other)?);
            Box::new(TlsConnector::from(config).connect(name, stream).await?)
        } else {
            Box::new(stream)
        };
        protocol::log_in(&mut stream, &self.login).await?;
        Ok(stream)
    }
}
