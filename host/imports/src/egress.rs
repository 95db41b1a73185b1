//! The check of every outgoing connection: first the manifest's grant, then the addresses that the name resolves to.
//!
//! Each capability checks a destination before it resolves the name, and connects only to addresses that this module
//! resolved. `wharf_manifest::egress` parses and matches grants.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use wasmtime_wasi::sockets::SocketAddrUse;
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks, Denied};

use crate::budget::{Budget, ConnectionPermit};

/// Longest server address that a guest may give. Pools and clients are kept by address, so the host stores a copy.
pub(crate) const MAX_ADDRESS_BYTES: usize = 4096;

/// Names that a component looks up at the same time: a quarter of the threads that the host has for blocking work. A look-up
/// occupies one until the system's resolver answers or gives up, which takes seconds when a name server is silent.
const MAX_LOOK_UPS: usize = 128;

/// Takes one line for the component's stderr log.
pub type StderrLine = Arc<dyn Fn(&str) + Send + Sync>;

pub struct Egress {
    allowed: AllowedHosts,
    blocked: BlockedNetworks,
    stderr: StderrLine,
    budget: Budget,
    pub(crate) look_ups: Arc<Semaphore>,
}

impl Egress {
    /// Without a limit, as for connections of the operator; those of a component draw [`with_budget`](Self::with_budget).
    pub fn new(allowed: AllowedHosts, blocked: BlockedNetworks, stderr: StderrLine) -> Egress {
        Egress {
            allowed,
            blocked,
            stderr,
            budget: Budget::unlimited(),
            look_ups: Arc::new(Semaphore::new(MAX_LOOK_UPS)),
        }
    }

    pub fn with_budget(self, budget: Budget) -> Egress {
        Egress { budget, ..self }
    }

    /// What every connection of the component and every answer held for it draws from.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// A permit for a connection. A refusal tells the component's log which limit was met.
    pub(crate) fn try_connect(&self) -> Option<ConnectionPermit> {
        let permit = self.budget.try_connect();
        let permit = permit.inspect_err(|refused| (self.stderr)(&refused.to_string()));
        permit.ok()
    }

    /// For connections that the operator configured: they need no grant, and no network is blocked.
    pub(crate) fn for_operator() -> Egress {
        Egress::new(
            AllowedHosts::default(),
            BlockedNetworks::default(),
            Arc::new(|_| ()),
        )
    }

    /// Whether the component may connect there. A denial tells the component's log which manifest line would allow it.
    pub fn check(&self, scheme: &str, host: &str, port: u16) -> Result<(), Denied> {
        let checked = self.allowed.check(scheme, host, port);
        checked.inspect_err(|denied| (self.stderr)(&denied.to_string()))
    }

    /// The addresses of a host, without the blocked ones. An error if all of them are blocked.
    pub async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = self.look_up(host, port).await?;
        let allowed = found.iter().copied();
        let allowed: Vec<SocketAddr> = allowed
            .filter(|address| !self.is_blocked(host, address.ip()))
            .collect();
        if allowed.is_empty() && !found.is_empty() {
            (self.stderr)(&format!(
                "{host}:{port} resolves only to addresses in networks that this host's operator or the manifest blocks."
            ));
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "destination address prohibited",
            ));
        }
        Ok(allowed)
    }

    /// A caller that waits no longer leaves the look-up behind, which keeps its permit until it ends.
    pub(crate) async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(literal) = host.parse() {
            return Ok(vec![SocketAddr::new(literal, port)]);
        }
        let permit = Arc::clone(&self.look_ups).acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        let host = host.to_owned();
        let found = tokio::spawn(async move {
            let found = lookup_host((host, port)).await;
            drop(permit);
            found.map(|found| found.collect::<Vec<SocketAddr>>())
        });
        found.await.map_err(io::Error::other)?
    }

    /// Whether a granted host may not be at this address. For addresses that did not come from [`Egress::resolve`].
    pub fn is_blocked(&self, host: &str, address: IpAddr) -> bool {
        self.blocked.is_blocked(address) || !self.allowed.allows_address(host, address)
    }

    /// Whether the component may use sockets of this kind at all; `tcp` or `udp`.
    pub fn allows_sockets(&self, scheme: &str) -> bool {
        self.allowed.allows_scheme(scheme)
    }

    /// A socket knows only addresses. A grant of a host name covers those that the name resolves to at this moment.
    async fn allows_socket(&self, scheme: &str, address: SocketAddr) -> bool {
        let literal = address.ip().to_string();
        let denied = match self.allowed.check(scheme, &literal, address.port()) {
            Ok(()) => return !self.is_blocked(&literal, address.ip()),
            Err(denied) => denied,
        };
        for name in self.allowed.names_with_port(scheme, address.port()) {
            let Ok(found) = self.look_up(name, address.port()).await else {
                continue;
            };
            if found.into_iter().any(|found| found.ip() == address.ip()) {
                return !self.is_blocked(name, address.ip());
            }
        }
        (self.stderr)(&denied.to_string());
        false
    }

    /// The check for `wasi:sockets`, as `WasiCtxBuilder::socket_addr_check` takes it. Listening is always denied.
    pub(crate) fn socket_check(
        self: &Arc<Self>,
    ) -> impl Fn(SocketAddr, SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>>
    + Send
    + Sync
    + 'static {
        let egress = Arc::clone(self);
        move |address, purpose| {
            let scheme = match purpose {
                // The implicit bind before a connect or send. A bind to a chosen address would be a server.
                SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
                    let is_wildcard = address.ip().is_unspecified() && address.port() == 0;
                    return Box::pin(std::future::ready(is_wildcard));
                }
                SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => {
                    return Box::pin(std::future::ready(false));
                }
                SocketAddrUse::TcpConnect => "tcp",
                SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => "udp",
            };
            let egress = Arc::clone(&egress);
            Box::pin(async move { egress.allows_socket(scheme, address).await })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::wait_until;
    use futures::FutureExt as _;
    use std::sync::Mutex;

    fn egress(allowed: &[&str], blocked: &[&str]) -> (Arc<Egress>, Arc<Mutex<Vec<String>>>) {
        let entries: Vec<String> = allowed.iter().map(|entry| (*entry).to_owned()).collect();
        let mut networks = BlockedNetworks::default();
        for network in blocked {
            networks.block(network).unwrap();
        }
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let stderr: StderrLine = Arc::new(move |line| lines.lock().unwrap().push(line.to_owned()));
        let allowed = AllowedHosts::parse(&entries).unwrap();
        (Arc::new(Egress::new(allowed, networks, stderr)), log)
    }

    #[test]
    fn a_denial_logs_the_missing_manifest_line() {
        let (egress, log) = egress(&["postgres://db"], &[]);
        assert!(egress.check("postgres", "db", 5432).is_ok());
        assert!(egress.check("redis", "db", 6379).is_err());
        let log = log.lock().unwrap();
        assert!(log[0].contains("'allowed_outbound_hosts = [\"redis://db:6379\"]'"));
    }

    #[tokio::test]
    async fn a_granted_name_that_resolves_into_a_blocked_network_is_refused() {
        let (egress, log) = egress(&["http://localhost:80"], &["127.0.0.0/8", "::1/128"]);
        let refused = egress.resolve("localhost", 80).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_component_looks_up_a_limited_number_of_names_at_the_same_time() {
        let (egress, _) = egress(&["*://*:*"], &[]);
        let free = || egress.look_ups.available_permits();
        // Nothing waits for this one any more.
        assert!(egress.resolve("localhost", 80).now_or_never().is_none());
        assert_eq!(free(), MAX_LOOK_UPS - 1);
        wait_until("it ends", async || free() == MAX_LOOK_UPS).await;

        let all = u32::try_from(MAX_LOOK_UPS).unwrap();
        let all = egress.look_ups.acquire_many(all).await.unwrap();
        assert!(egress.resolve("localhost", 80).now_or_never().is_none());
        let literal = egress.resolve("[::1]", 80).now_or_never();
        assert_eq!(literal.unwrap().unwrap().len(), 1);
        drop(all);
        assert_eq!(free(), MAX_LOOK_UPS, "an address is not looked up");
        assert!(!egress.resolve("localhost", 80).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_name_granted_only_by_a_wildcard_must_not_resolve_into_a_private_network() {
        let entries = ["https://*:443".to_owned(), "http://127.0.0.1:80".to_owned()];
        let allowed = AllowedHosts::parse(&entries).unwrap();
        let egress = Egress::new(
            allowed.blocking_private_networks(true),
            BlockedNetworks::default(),
            Arc::new(|_| {}),
        );
        assert!(egress.check("https", "localhost", 443).is_ok());
        let refused = egress.resolve("localhost", 443).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let named = egress.resolve("127.0.0.1", 80).await.unwrap();
        assert_eq!(named.len(), 1);
    }

    #[tokio::test]
    async fn sockets_need_their_own_grant_and_never_listen() {
        let (egress, _) = egress(&["tcp://127.0.0.1:9"], &[]);
        let check = egress.socket_check();
        let address = "127.0.0.1:9".parse().unwrap();
        assert!(check(address, SocketAddrUse::TcpConnect).await);
        assert!(!check(address, SocketAddrUse::UdpSend).await);
        assert!(!check(address, SocketAddrUse::TcpListen).await);
        assert!(!check(address, SocketAddrUse::TcpBind).await);
        assert!(check("0.0.0.0:0".parse().unwrap(), SocketAddrUse::TcpBind).await);
    }
}
