//! The network that a request came from. No I/O in this file.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kit::web::{Input, Operation};

/// What one household or machine shares: of IPv6 it has a whole /64. Absent for a function of ours, which asks for many
/// people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network(Option<String>);

impl Network {
    /// As the host names the client. Headers of the client are not read: it could write anything there.
    fn of(client: Option<&str>) -> Self {
        let client: Option<SocketAddr> = client.and_then(|it| it.parse().ok());
        let address = client.map(|it| it.ip().to_canonical());
        Self(
            address
                .filter(|it| !it.is_unspecified())
                .map(|it| match it {
                    IpAddr::V4(it) => it.to_string(),
                    IpAddr::V6(it) => {
                        let [a, b, c, d, ..] = it.segments();
                        Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
                    }
                }),
        )
    }

    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<S: Sync> FromRequestParts<S> for Network {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let client = parts.headers.get("spin-client-addr");
        Ok(Self::of(client.and_then(|it| it.to_str().ok())))
    }
}

impl Input for Network {
    fn describe(_: &mut Operation) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_or_a_prefix() {
        for (client, network) in [
            (Some("192.0.2.7:4711"), Some("192.0.2.7")),
            (Some("[::ffff:192.0.2.7]:4711"), Some("192.0.2.7")),
            (Some("[2001:db8:1:2:3::4]:4711"), Some("2001:db8:1:2::")),
            (Some("0.0.0.0:0"), None),
            (Some("unknown"), None),
            (None, None),
        ] {
            assert_eq!(Network::of(client).name(), network, "{client:?}");
        }
    }
}
