//! Who is at the other end: where a request came from, and whether a person
//! sent it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use kit::{Caller, FORBIDDEN, Problem, RequestId};

/// More of a browser's name tells nobody anything.
const LONGEST_AGENT: usize = 200;

/// Where a request came from, as the audit trail keeps it.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: String,
    pub agent: Option<String>,
    pub request_id: RequestId,
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self {
            address: address(&parts.headers),
            agent: agent(&parts.headers),
            request_id: RequestId::from_request_parts(parts, state).await?,
        })
    }
}

impl Client {
    /// Somebody for whom another function asks.
    pub fn at(address: String) -> Self {
        Self {
            address,
            agent: None,
            request_id: RequestId::fresh(),
        }
    }

    /// Whether it is another function that asks over HTTP, as the bot does for everybody in its
    /// chats: they have no address, and it counts what each of them does.
    pub fn is_neighbour(&self) -> bool {
        self.address == "0.0.0.0"
    }
}

/// The host says who is at the other end; what a client says of itself is not asked.
fn address(headers: &HeaderMap) -> String {
    headers
        .get("spin-client-addr")
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.parse::<SocketAddr>().ok())
        .map_or_else(
            || "unknown".to_owned(),
            |it| it.ip().to_canonical().to_string(),
        )
}

fn agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().take(LONGEST_AGENT).collect())
}

/// What one household or machine shares: of IPv6 it has a whole /64 to call from.
pub fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(it)) => {
            let [a, b, c, d, ..] = it.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        _ => address.to_owned(),
    }
}

/// A caller with a token that stands for the whole person. A token with a scope neither makes
/// further tokens nor changes how its person signs in.
#[derive(Clone, Debug)]
pub struct Person(pub Caller);

impl<S: Sync> FromRequestParts<S> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        match caller.scope {
            None => Ok(Self(caller)),
            Some(_) => Err(FORBIDDEN),
        }
    }
}

/// A platform admin with a token that stands for the whole person: what they do to others goes
/// further than any scope says.
#[derive(Clone, Debug)]
pub struct AdminInPerson(pub Caller);

impl<S: Sync> FromRequestParts<S> for AdminInPerson {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Person::from_request_parts(parts, state).await? {
            Person(caller) if caller.is_admin() => Ok(Self(caller)),
            _ => Err(FORBIDDEN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_not_part_of_an_address() {
        let from = |addr: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("spin-client-addr", addr.parse().unwrap());
            address(&headers)
        };
        assert_eq!(from("192.0.2.1:4711"), "192.0.2.1");
        assert_eq!(from("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(from("[::ffff:192.0.2.1]:4711"), "192.0.2.1");
        assert_eq!(from("nonsense"), "unknown");
    }

    #[test]
    fn a_household_is_one_network() {
        assert_eq!(network("2001:db8:1:2:3::4"), "2001:db8:1:2::");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("unknown"), "unknown");
    }
}
