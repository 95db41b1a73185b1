//! Where a request came from, and which caller sent it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use kit::identity::Caller;
use kit::web::{Input, Operation, Problem, RequestId, client_address, network_of};

/// Bounds what is stored of a `User-Agent`.
const MAX_AGENT: usize = 200;
/// A chat is a number of 64 bits.
const MAX_CHAT: usize = 20;

/// Where a request came from, as the audit trail keeps it.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: String,
    pub agent: Option<String>,
    /// The chat for which the bot asks.
    chat: Option<String>,
    pub request_id: RequestId,
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self {
            address: address(&parts.headers),
            agent: header_of(&parts.headers, header::USER_AGENT.as_str(), MAX_AGENT),
            chat: header_of(&parts.headers, "x-chat", MAX_CHAT),
            request_id: RequestId::from_request_parts(parts, state).await?,
        })
    }
}

impl Input for Client {
    fn describe(_: &mut Operation) {}
}

impl Client {
    /// The client of another function that asks on its behalf.
    pub fn at(address: String) -> Self {
        Self {
            address,
            agent: None,
            chat: None,
            request_id: RequestId::fresh(),
        }
    }

    /// The network that the client shares with its household or machine; none for a function of ours.
    pub fn network(&self) -> Option<String> {
        (!self.is_function()).then(|| network(&self.address))
    }

    /// What the attempts at an account are counted by: the network, or the chat of the bot. A client outside names no chat.
    pub fn source(&self) -> String {
        match &self.chat {
            Some(chat) if self.is_function() => format!("chat {chat}"),
            _ => network(&self.address),
        }
    }

    /// Whether the request is one of our functions', as the bot's for all its chats. A function has no address and
    /// limits its users itself.
    pub fn is_function(&self) -> bool {
        self.address == "0.0.0.0"
    }
}

fn address(headers: &HeaderMap) -> String {
    client_address(headers).map_or_else(|| "unknown".to_owned(), |it| it.to_string())
}

fn header_of(headers: &HeaderMap, name: &str, longest: usize) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.chars().take(longest).collect())
}

/// What one household or machine shares: of IPv6 it has a whole /64.
pub fn network(address: &str) -> String {
    match address.parse() {
        Ok(it) => network_of(it).to_string(),
        Err(_) => address.to_owned(),
    }
}

/// A signed-in caller, and where the request came from: what the audit trail records of an act.
#[derive(Clone, Debug)]
pub struct Actor {
    pub caller: Caller,
    pub client: Client,
}

impl<S: Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let Ok(client) = Client::from_request_parts(parts, state).await;
        Ok(Self { caller, client })
    }
}

impl Input for Actor {
    fn describe(operation: &mut Operation) {
        <Caller as Input>::describe(operation);
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
    fn only_the_bot_names_a_chat() {
        let source = |address: &str| {
            let client = Client {
                chat: Some("7".to_owned()),
                ..Client::at(address.to_owned())
            };
            client.source()
        };
        assert_eq!(source("0.0.0.0"), "chat 7");
        assert_eq!(source("192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn an_ipv6_network_is_its_first_64_bits() {
        assert_eq!(network("2001:db8:1:2:3::4"), "2001:db8:1:2::");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("unknown"), "unknown");
    }
}
