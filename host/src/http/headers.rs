//! Spin's headers, from which a component learns its route and its client; the request id; the host of a request.

use std::fmt::Write;
use std::net::SocketAddr;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use wharf_manifest::routes::{Match, Pattern};

use crate::http::client::Client;
use crate::request_id;

/// Larger than the cookies of any browser; small enough that a thousand connections fit in memory.
pub const MAX_HEADER_BYTES: usize = 32 << 10;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// Header values that are the same for every request of a route.
pub struct RouteHeaders {
    matched: HeaderValue,
    raw: HeaderValue,
    prefix: HeaderValue,
}

impl RouteHeaders {
    pub fn new(route: &Pattern) -> Self {
        Self {
            matched: value(route.absolute()),
            raw: value(route.raw()),
            prefix: value(route.raw_prefix()),
        }
    }

    /// Sets the headers that a component may trust; values that a client sent under these names are removed.
    pub fn apply<T>(
        &self,
        headers: &mut HeaderMap,
        found: &Match<'_, '_, T>,
        uri: &Uri,
        host: &str,
        client: &Client,
    ) {
        remove_reserved(headers);
        headers.reserve(7 + found.named.len());
        headers.insert(FULL_URL, full_url(uri, host, client));
        headers.insert(PATH_INFO, value(found.trailing));
        headers.insert(MATCHED_ROUTE, self.matched.clone());
        headers.insert(BASE_PATH, HeaderValue::from_static("/"));
        headers.insert(RAW_ROUTE, self.raw.clone());
        headers.insert(ROUTE, self.prefix.clone());
        headers.insert(CLIENT_ADDR, address_value(client.address));
        for (name, text) in &found.named {
            // Underscores are legal in a header's name, but some proxies drop such headers, so Spin writes hyphens.
            let name = name.to_ascii_lowercase().replace('_', "-");
            let name = format!("spin-path-match-{name}");
            if let Ok(name) = HeaderName::try_from(name) {
                headers.insert(name, value(text));
            }
        }
    }
}

/// Removes headers reserved for Spin, and `connection`, which concerns only the client's connection.
fn remove_reserved(headers: &mut HeaderMap) {
    headers.remove(header::CONNECTION);
    while let Some(forged) = headers
        .keys()
        .find(|name| name.as_str().starts_with("spin-"))
        .cloned()
    {
        headers.remove(forged);
    }
}

fn full_url(uri: &Uri, host: &str, client: &Client) -> HeaderValue {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let scheme = client.scheme.as_str();
    let mut url = String::with_capacity(scheme.len() + host.len() + path.len() + 3);
    for part in [scheme, "://", host, path] {
        url.push_str(part);
    }
    HeaderValue::from_maybe_shared(Bytes::from(url)).unwrap_or(HeaderValue::from_static(""))
}

/// The URI with scheme and host: components do not get the `Host` header, so they read the host from here. `None` if
/// the host is invalid.
pub fn absolute_uri(uri: &Uri, host: &str, client: &Client) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(client.scheme.clone());
    parts.authority = Some(host.parse().ok()?);
    parts
        .path_and_query
        .get_or_insert(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).ok()
}

fn address_value(client: SocketAddr) -> HeaderValue {
    let mut text = String::with_capacity(21);
    let _ = write!(text, "{client}");
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static(""))
}

/// Never fails for paths: they come from a parsed URI, which holds only bytes that a header may hold.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// The host of a request; `None` if there is none, several `Host` headers, or one that contradicts the URI (RFC 9112,
/// section 3.2).
pub fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut named = headers.get_all(header::HOST).iter();
    let in_header = match (named.next(), named.next()) {
        (None, _) => None,
        (Some(host), None) => Some(host.to_str().ok()?),
        (Some(_), Some(_)) => return None,
    };
    match (
        uri.authority().map(|authority| authority.as_str()),
        in_header,
    ) {
        (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => None,
        (Some(host), _) | (None, Some(host)) if !host.is_empty() => Some(host),
        _ => None,
    }
}

/// The request id of the client if it is safe to log, else a new one.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    match headers.get(REQUEST_ID) {
        Some(id) if request_id::is_safe(id.as_bytes()) => id.clone(),
        _ => HeaderValue::from_maybe_shared(Bytes::from(request_id::new()))
            .unwrap_or(HeaderValue::from_static("-")),
    }
}

/// The trace that the client's request belongs to (W3C Trace Context), if it is valid: `00-<trace>-<span>-<flags>`.
pub fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let lengths = text.split('-').map(str::len);
    let is_hex = |it: u8| matches!(it, b'0'..=b'9' | b'a'..=b'f' | b'-');
    (lengths.eq([2, 32, 16, 2]) && text.bytes().all(is_hex)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::uri::Scheme;
    use wharf_manifest::routes::Router;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn a_component_gets_the_headers_of_its_route_and_none_that_a_client_forged() {
        let router = Router::new([(Pattern::parse("/users/:User_Id/...").unwrap(), ())]);
        let uri: Uri = "/users/42/cars/?a=b".parse().unwrap();
        let found = router.find(uri.path()).unwrap();
        let mut got = headers(&[
            ("spin-client-addr", "6.6.6.6:1"),
            ("spin-admin", "yes"),
            ("connection", "close"),
            ("x-own", "kept"),
        ]);
        RouteHeaders::new(found.pattern).apply(
            &mut got,
            &found,
            &uri,
            "h:80",
            &Client {
                address: "10.0.0.1:5".parse().unwrap(),
                scheme: Scheme::HTTPS,
            },
        );
        let mut lines: Vec<String> = got
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "spin-base-path: /",
                "spin-client-addr: 10.0.0.1:5",
                "spin-component-route: /users/:User_Id",
                "spin-full-url: https://h:80/users/42/cars/?a=b",
                "spin-matched-route: /users/:User_Id/...",
                "spin-path-info: /cars/",
                "spin-path-match-user-id: 42",
                "spin-raw-component-route: /users/:User_Id/...",
                "x-own: kept",
            ]
        );
    }

    #[test]
    fn a_request_has_exactly_one_host() {
        let relative: Uri = "/a".parse().unwrap();
        let absolute: Uri = "http://one/a".parse().unwrap();
        assert_eq!(host(&relative, &headers(&[("host", "one")])), Some("one"));
        assert_eq!(host(&absolute, &headers(&[("host", "ONE")])), Some("one"));
        assert_eq!(host(&absolute, &headers(&[])), Some("one"));
        assert_eq!(host(&absolute, &headers(&[("host", "two")])), None);
        assert_eq!(host(&relative, &headers(&[])), None);
        assert_eq!(
            host(&relative, &headers(&[("host", "one"), ("host", "one")])),
            None
        );
    }

    #[test]
    fn the_request_id_of_a_client_is_kept_only_if_it_is_safe_to_log() {
        for (sent, kept) in [
            ("abc-1._X", true),
            ("", false),
            ("a b", false),
            ("a\u{e9}", false),
        ] {
            let got = request_id(
                &[(
                    REQUEST_ID,
                    HeaderValue::from_bytes(sent.as_bytes()).unwrap(),
                )]
                .into_iter()
                .collect(),
            );
            assert_eq!(got.as_bytes() == sent.as_bytes(), kept, "{sent}");
        }
        let long = "x".repeat(65);
        let got = request_id(&headers(&[("x-request-id", &long)]));
        assert_eq!(got.len(), 16);
    }

    #[test]
    fn a_trace_is_taken_over_only_if_it_is_well_formed() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(
            traceparent(&headers(&[("traceparent", trace)])),
            Some(trace)
        );
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-6-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473'-00f067aa0ba902b7-01",
        ] {
            assert_eq!(
                traceparent(&headers(&[("traceparent", wrong)])),
                None,
                "{wrong}"
            );
        }
        assert_eq!(traceparent(&headers(&[])), None);
    }
}
