//! Where a request came from, as the host says it. Headers of the client are not read: it could write anything there. A function
//! of ours is believed when it names the client for whom it asks.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::operation::{Input, Operation};

/// The header in which a function names the address of the client for whom it asks.
pub const CLIENT: &str = "x-client-address";

/// The address that a request came from. It is unspecified (`0.0.0.0`) when another function of ours asks, and names no client.
pub fn client_address(headers: &HeaderMap) -> Option<IpAddr> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let sender: SocketAddr = text("spin-client-addr")?.parse().ok()?;
    let client = text(CLIENT).filter(|_| sender.ip().is_unspecified());
    let client: Option<IpAddr> = client.and_then(|it| it.parse().ok());
    Some(client.unwrap_or(sender.ip()).to_canonical())
}

/// What one household or machine shares: of IPv6 it has a whole /64.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        it @ IpAddr::V4(_) => it,
    }
}

/// The network that a request came from. It has no name when another function of ours asks: that one asks for many people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network(Option<String>);

impl Network {
    fn of(headers: &HeaderMap) -> Self {
        let address = client_address(headers).filter(|it| !it.is_unspecified());
        Self(address.map(|it| network_of(it).to_string()))
    }

    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<S: Sync> FromRequestParts<S> for Network {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl Input for Network {
    fn describe(_: &mut Operation) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_or_the_first_64_bits_of_one() {
        for (client, network) in [
            (Some("192.0.2.7:4711"), Some("192.0.2.7")),
            (Some("[::ffff:192.0.2.7]:4711"), Some("192.0.2.7")),
            (Some("[2001:db8:1:2:3::4]:4711"), Some("2001:db8:1:2::")),
            (Some("0.0.0.0:0"), None),
            (Some("unknown"), None),
            (None, None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(client) = client {
                headers.insert("spin-client-addr", client.parse().unwrap());
            }
            assert_eq!(Network::of(&headers).name(), network, "{client:?}");
        }
    }

    #[test]
    fn only_a_function_names_another_client() {
        for (sender, network) in [("0.0.0.0:0", "192.0.2.9"), ("192.0.2.7:4711", "192.0.2.7")] {
            let mut headers = HeaderMap::new();
            headers.insert("spin-client-addr", sender.parse().unwrap());
            headers.insert(CLIENT, "192.0.2.9".parse().unwrap());
            assert_eq!(Network::of(&headers).name(), Some(network));
        }
    }
}
