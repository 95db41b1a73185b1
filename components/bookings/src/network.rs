//! The network that a request comes from, and how much it may search.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kit::store::redis;
use kit::web::{Input, Operation};
use spin_sdk::redis::RedisResult;

use crate::error::Error;

/// Searches by name or distance of one network within a minute. Such a search may keep PostgreSQL busy for some
/// milliseconds; an office whose people all look for a place stays below it.
const MAX_SEARCHES: i64 = 1_200;

/// What one household or machine shares: an address, or of IPv6 a /64. None when another function asks.
#[derive(Debug, PartialEq, Eq)]
pub struct Network(Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Network {
    type Rejection = Infallible;

    /// As the host says it. Headers of the client are not read: it could write anything there.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts
            .headers
            .get("spin-client-addr")
            .and_then(|it| it.to_str().ok())
            .and_then(|it| it.parse::<SocketAddr>().ok());
        Ok(Self::of(address))
    }
}

impl Input for Network {
    fn describe(_: &mut Operation) {}
}

impl Network {
    fn of(address: Option<SocketAddr>) -> Self {
        let address = address.map(|it| it.ip().to_canonical());
        Self(match address {
            Some(IpAddr::V6(it)) => {
                let [a, b, c, d, ..] = it.segments();
                Some(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
            Some(it) if it.is_unspecified() => None,
            other => other,
        })
    }

    /// Counts a search, or refuses it. While Redis is away searches are not limited: each is bounded by itself.
    pub async fn count_search(&self) -> Result<(), Error> {
        const COUNT: &str = "local count = redis.call('INCR', KEYS[1]) \
            if count == 1 then redis.call('EXPIRE', KEYS[1], 60) end \
            return count";
        let Some(network) = self.0 else {
            return Ok(());
        };
        let key = format!("bookings:searches:{network}");
        match redis::run("EVAL", [COUNT, "1", &key]).await.as_deref() {
            Ok([RedisResult::Int64(count)]) if *count > MAX_SEARCHES => Err(Error::TooManySearches),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_or_the_first_64_bits_of_one() {
        let of = |address: &str| {
            let network = Network::of(address.parse().ok()).0;
            network.map(|it| it.to_string())
        };
        assert_eq!(of("192.0.2.1:4711").as_deref(), Some("192.0.2.1"));
        assert_eq!(of("[::ffff:192.0.2.1]:1").as_deref(), Some("192.0.2.1"));
        assert_eq!(
            of("[2001:db8:1:2:3::4]:1").as_deref(),
            Some("2001:db8:1:2::")
        );
        assert_eq!(of("0.0.0.0:0"), None);
        assert_eq!(of("nonsense"), None);
    }
}
