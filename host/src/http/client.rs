//! The address and scheme of the client behind proxies, from `X-Forwarded-For` and `X-Forwarded-Proto`. These headers
//! count only if the peer is one of the manifest's `trusted_proxies`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::uri::Scheme;
use http::{HeaderMap, HeaderName};
use wharf_manifest::networks::Networks;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub address: SocketAddr,
    /// The scheme of the client's request: this host speaks HTTP, and a trusted proxy tells if the client spoke HTTPS
    /// with it. The scheme in a request line or an HTTP/2 pseudo-header is only a claim of the client.
    pub scheme: Scheme,
}

impl Client {
    /// The client of a call between components, as in Spin.
    pub const INTERNAL: Client = Client {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        scheme: Scheme::HTTP,
    };

    pub fn behind(peer: SocketAddr, headers: &HeaderMap, trusted: &Networks) -> Client {
        if !trusted.contain(peer.ip()) {
            return Client {
                address: peer,
                scheme: Scheme::HTTP,
            };
        }
        Client {
            address: address(peer, headers, trusted),
            scheme: scheme(headers).unwrap_or(Scheme::HTTP),
        }
    }
}

/// What counts as one client in limits per client: an address, or a network of IPv6, of which a client has a /64 at least.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        // That of `::1` would be the address of calls between components.
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

/// Each proxy appends the address of its peer. The rightmost address that is not a trusted proxy is the client;
/// addresses left of it were sent by the client and are not trusted.
fn address(peer: SocketAddr, headers: &HeaderMap, trusted: &Networks) -> SocketAddr {
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    let mut nearest = peer;
    for hop in hops {
        let Some(address) = parse_hop(hop.trim()) else {
            break;
        };
        nearest = address;
        if !trusted.contain(address.ip()) {
            break;
        }
    }
    nearest
}

/// Parses an address with or without a port: some proxies add one. The unspecified address is refused. It stands for a component
/// of the application, which has fewer limits than a client.
fn parse_hop(hop: &str) -> Option<SocketAddr> {
    let address = hop.trim_start_matches('[').trim_end_matches(']').parse();
    let address = address.map(|ip| SocketAddr::new(ip, 0));
    let address: SocketAddr = address.or_else(|_| hop.parse()).ok()?;
    (!address.ip().to_canonical().is_unspecified()).then_some(address)
}

fn scheme(headers: &HeaderMap) -> Option<Scheme> {
    let nearest = headers.get_all(FORWARDED_PROTO).iter().next_back()?;
    let nearest = nearest.to_str().ok()?.rsplit(',').next()?.trim();
    [Scheme::HTTP, Scheme::HTTPS]
        .into_iter()
        .find(|known| nearest.eq_ignore_ascii_case(known.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_network_of_ipv6_counts_as_one_client() {
        for (address, counted) in [
            ("2001:db8:0:1:2::3", "2001:db8:0:1::"),
            ("::1", "::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            let counted: IpAddr = counted.parse().unwrap();
            assert_eq!(network(address.parse().unwrap()), counted, "{address}");
        }
    }

    fn client(peer: &str, forwarded: &[&str], proto: &str) -> (String, Scheme) {
        let trusted = Networks::parse("10.0.0.0/8, ::1").unwrap();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        headers.append(FORWARDED_PROTO, HeaderValue::from_str(proto).unwrap());
        let client = Client::behind(peer.parse().unwrap(), &headers, &trusted);
        (client.address.to_string(), client.scheme)
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_not_a_trusted_proxy() {
        for (peer, forwarded, expected) in [
            ("10.0.0.1:9", &["8.8.8.8"][..], "8.8.8.8:0"),
            ("[::1]:9", &["8.8.8.8:77"], "8.8.8.8:77"),
            ("[::ffff:10.0.0.1]:9", &["2001:db8::1"], "[2001:db8::1]:0"),
            ("10.0.0.1:9", &["[2001:db8::1]:5"], "[2001:db8::1]:5"),
            ("10.0.0.1:9", &["[2001:db8::1]"], "[2001:db8::1]:0"),
            // Addresses further left are claims of the client.
            ("10.0.0.1:9", &["1.1.1.1, 8.8.8.8, 10.0.0.2"], "8.8.8.8:0"),
            (
                "10.0.0.1:9",
                &["1.1.1.1", "8.8.8.8", "10.0.0.2"],
                "8.8.8.8:0",
            ),
            ("10.0.0.1:9", &["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2:0"),
            ("10.0.0.1:9", &["10.0.0.3, 10.0.0.2"], "10.0.0.3:0"),
            ("10.0.0.1:9", &["0.0.0.0, 10.0.0.2"], "10.0.0.2:0"),
            ("10.0.0.1:9", &["0.0.0.0:0"], "10.0.0.1:9"),
            ("10.0.0.1:9", &["::"], "10.0.0.1:9"),
            ("10.0.0.1:9", &["[::ffff:0.0.0.0]:80"], "10.0.0.1:9"),
            ("10.0.0.1:9", &[], "10.0.0.1:9"),
            ("10.0.0.1:9", &["", "-"], "10.0.0.1:9"),
        ] {
            let (address, scheme) = client(peer, forwarded, "https");
            assert_eq!(address, expected, "{forwarded:?}");
            assert_eq!(scheme, Scheme::HTTPS);
        }
    }

    #[test]
    fn headers_of_an_untrusted_peer_are_ignored() {
        let (address, scheme) = client("8.8.8.8:9", &["1.1.1.1"], "https");
        assert_eq!((address.as_str(), scheme), ("8.8.8.8:9", Scheme::HTTP));
    }

    #[test]
    fn the_scheme_is_that_of_the_request_to_the_nearest_proxy() {
        for (proto, expected) in [
            ("HTTPS", Scheme::HTTPS),
            ("https, http", Scheme::HTTP),
            ("gopher", Scheme::HTTP),
            ("", Scheme::HTTP),
        ] {
            assert_eq!(client("10.0.0.1:9", &[], proto).1, expected, "{proto}");
        }
    }
}
