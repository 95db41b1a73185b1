//! The one check of every outgoing connection: what the manifest grants, then where the name really leads.
//!
//! Each capability asks before it resolves a name and connects only to addresses this module resolved. Grammar and
//! matching of grants are `wharf_manifest::egress`.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use wasmtime_wasi::sockets::SocketAddrUse;
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks, Denied};

/// The longest address a guest may name. What stands for it with the host keeps a copy.
pub(crate) const ADDRESS_BYTES: usize = 4096;

/// Takes one line for the component's stderr log.
pub type StderrLine = Arc<dyn Fn(&str) + Send + Sync>;

pub struct Egress {
    allowed: AllowedHosts,
    blocked: BlockedNetworks,
    stderr: StderrLine,
}

impl Egress {
    pub fn new(allowed: AllowedHosts, blocked: BlockedNetworks, stderr: StderrLine) -> Egress {
        Egress {
            allowed,
            blocked,
            stderr,
        }
    }

    /// For connections no guest asked for: to what the operator named.
    pub(crate) fn of_operator() -> Egress {
        Egress::new(
            AllowedHosts::default(),
            BlockedNetworks::default(),
            Arc::new(|_| ()),
        )
    }

    /// May the component connect there? If not, its log says which line of the manifest would allow it.
    pub fn check(&self, scheme: &str, host: &str, port: u16) -> Result<(), Denied> {
        let checked = self.allowed.check(scheme, host, port);
        checked.inspect_err(|denied| (self.stderr)(&denied.to_string()))
    }

    /// Where the host really is, without the addresses the operator blocks.
    pub async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
        let open = found.iter().copied();
        let open: Vec<SocketAddr> = open
            .filter(|address| !self.is_blocked(host, address.ip()))
            .collect();
        if open.is_empty() && !found.is_empty() {
            (self.stderr)(&format!(
                "{host}:{port} leads only to networks that are blocked, by the operator of this host or by the manifest."
            ));
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "destination address prohibited",
            ));
        }
        Ok(open)
    }

    /// Must a granted host not be at this address? For addresses that are not the answer of [`Egress::resolve`].
    pub fn is_blocked(&self, host: &str, address: IpAddr) -> bool {
        self.blocked.is_blocked(address) || !self.allowed.may_lead_to(host, address)
    }

    fn allows_address(&self, scheme: &str, address: SocketAddr) -> bool {
        let host = address.ip().to_string();
        self.check(scheme, &host, address.port()).is_ok() && !self.is_blocked(&host, address.ip())
    }

    /// The answer to `wasi:sockets`, in the form `WasiCtxBuilder::socket_addr_check` takes. Nobody may listen.
    pub fn socket_check(
        self: &Arc<Self>,
    ) -> impl Fn(SocketAddr, SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>>
    + Send
    + Sync
    + 'static {
        let egress = Arc::clone(self);
        move |address, purpose| {
            let any = address.ip().is_unspecified() && address.port() == 0;
            let allowed = match purpose {
                // What the system does by itself before it connects or sends; anything else would be a server.
                SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => any,
                SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => false,
                SocketAddrUse::TcpConnect => egress.allows_address("tcp", address),
                SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => {
                    egress.allows_address("udp", address)
                }
            };
            Box::pin(std::future::ready(allowed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn a_denial_puts_the_missing_line_into_the_log() {
        let (egress, log) = egress(&["postgres://db"], &[]);
        assert!(egress.check("postgres", "db", 5432).is_ok());
        assert!(egress.check("redis", "db", 6379).is_err());
        let log = log.lock().unwrap();
        assert!(log[0].contains("'allowed_outbound_hosts = [\"redis://db:6379\"]'"));
    }

    #[tokio::test]
    async fn a_granted_name_that_leads_to_a_blocked_network_is_refused() {
        let (egress, log) = egress(&["http://localhost:80"], &["127.0.0.0/8", "::1/128"]);
        let refused = egress.resolve("localhost", 80).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_name_that_only_a_wildcard_grants_must_not_lead_into_a_private_network() {
        let entries = ["https://*:443".to_owned(), "http://127.0.0.1:80".to_owned()];
        let allowed = AllowedHosts::parse(&entries).unwrap();
        let egress = Egress::new(
            allowed.with_private_by_name_only(true),
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
    async fn sockets_need_a_grant_of_their_own_and_never_listen() {
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
