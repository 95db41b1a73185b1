//! Spin's headers, from which a component learns its route and its client; the request id; the host of a request.

use std::net::SocketAddr;

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;
use wharf_manifest::routes::Pattern;

use crate::http::bearer::Bearer;
use crate::http::client::Client;
use crate::http::head::Head;
use crate::request_id;

/// Larger than the cookies of any browser; small enough that a thousand connections fit in memory.
pub const MAX_HEADER_BYTES: usize = 32 << 10;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Header values that are the same for every request of a route.
pub struct RouteHeaders {
    matched: String,
    raw: String,
    prefix: String,
}

impl RouteHeaders {
    pub fn new(route: &Pattern) -> Self {
        Self {
            matched: route.absolute().to_owned(),
            raw: route.raw().to_owned(),
            prefix: route.raw_prefix().to_owned(),
        }
    }
}

/// The way of a request to a component, which the component is told of.
pub struct Way<'a> {
    pub route: &'a RouteHeaders,
    /// The segments of the path that the route names.
    pub named: Vec<(&'a str, &'a str)>,
    pub trailing: &'a str,
    /// With scheme and host: components do not get the `Host` header, so they read the host from here.
    pub url: String,
    pub client: SocketAddr,
    pub request_id: &'a HeaderValue,
    /// Checks tokens for components that trust the host to.
    pub bearer: Option<&'a Bearer>,
}

impl Way<'_> {
    /// Tells of it in the URI and the header of a request over `wasi:http`.
    pub fn mark<B>(&self, request: &mut Request<B>) {
        if let Ok(uri) = Uri::try_from(self.url.as_str()) {
            *request.uri_mut() = uri;
        }
        let headers = request.headers_mut();
        headers.remove(header::CONNECTION);
        while let Some(forged) = headers.keys().find(|name| is_reserved(name)).cloned() {
            headers.remove(forged);
        }
        self.each_field(|name, text| {
            if let Ok(name) = HeaderName::try_from(name) {
                headers.insert(name, value(text));
            }
        });
    }

    /// The head of the request over `wharf:http`.
    pub fn head<B>(&self, request: &Request<B>) -> Vec<u8> {
        let is_vouched = self
            .bearer
            .is_some_and(|bearer| bearer.vouches_for(request.headers()));
        let mut head = Head::new(is_vouched, request.method(), &self.url);
        for (name, value) in request.headers() {
            if !is_reserved(name) && !DEFAULT_FORBIDDEN_HEADERS.contains(name) {
                head.add(name.as_str(), value.as_bytes());
            }
        }
        self.each_common_field(|name, text| head.add(name, text.as_bytes()));
        head.into_bytes()
    }

    /// The fields that both interfaces have.
    fn each_common_field(&self, mut field: impl FnMut(&str, &str)) {
        field("spin-full-url", &self.url);
        field("spin-client-addr", &self.client.to_string());
        field(
            REQUEST_ID.as_str(),
            self.request_id.to_str().unwrap_or_default(),
        );
    }

    fn each_field(&self, mut field: impl FnMut(&str, &str)) {
        self.each_common_field(&mut field);
        field("spin-path-info", self.trailing);
        field("spin-matched-route", &self.route.matched);
        field("spin-base-path", "/");
        field("spin-raw-component-route", &self.route.raw);
        field("spin-component-route", &self.route.prefix);
        for (name, text) in &self.named {
            // Underscores are legal in a header's name, but some proxies drop such headers, so Spin writes hyphens.
            let name = name.to_ascii_lowercase().replace('_', "-");
            field(&format!("spin-path-match-{name}"), text);
        }
    }
}

/// Only the host sets these; what a client sent under such a name is left out.
fn is_reserved(name: &HeaderName) -> bool {
    name.as_str().starts_with("spin-") || *name == REQUEST_ID
}

/// The URL of a request. `None` if the host is invalid.
pub fn full_url(uri: &Uri, host: &str, client: &Client) -> Option<String> {
    if !is_host(host) {
        return None;
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Some([client.scheme.as_str(), "://", host, path].concat())
}

/// Whether it is a host with or without a port (RFC 9110, section 7.2). An authority may have user information too, and
/// `http` accepts any text as its port.
fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    let rest = text.strip_prefix(host).filter(|_| !host.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// The number may be missing (RFC 3986, section 3.2.3).
fn is_port(text: &str) -> bool {
    let is_number = text.bytes().all(|it| it.is_ascii_digit());
    is_number && (text.is_empty() || text.parse::<u16>().is_ok())
}

pub fn size(headers: &HeaderMap) -> usize {
    let fields = headers.iter();
    fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
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
    use crate::http::head;
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
        let mut request = Request::get(uri.clone()).body(()).unwrap();
        *request.headers_mut() = headers(&[
            ("spin-client-addr", "6.6.6.6:1"),
            ("spin-admin", "yes"),
            ("x-request-id", "forged"),
            ("connection", "close"),
            ("x-own", "kept"),
        ]);
        let client = Client {
            address: "10.0.0.1:5".parse().unwrap(),
            scheme: Scheme::HTTPS,
        };
        let way = Way {
            route: &RouteHeaders::new(found.pattern),
            named: found.named,
            trailing: found.trailing,
            url: full_url(&uri, "h:80", &client).unwrap(),
            client: client.address,
            request_id: &HeaderValue::from_static("r-1"),
            bearer: None,
        };
        let told = [
            "spin-base-path: /",
            "spin-client-addr: 10.0.0.1:5",
            "spin-component-route: /users/:User_Id",
            "spin-full-url: https://h:80/users/42/cars/?a=b",
            "spin-matched-route: /users/:User_Id/...",
            "spin-path-info: /cars/",
            "spin-path-match-user-id: 42",
            "spin-raw-component-route: /users/:User_Id/...",
            "x-own: kept",
            "x-request-id: r-1",
        ];
        let head = way.head(&request);
        for line in told {
            let (name, value) = line.split_once(": ").unwrap();
            let is_common =
                ["spin-full-url", "spin-client-addr", "x-own", "x-request-id"].contains(&name);
            assert_eq!(head::has_field(&head, name, value), is_common, "{line}");
        }
        for forged in ["6.6.6.6:1", "spin-admin", "forged", "connection"] {
            assert!(!head.windows(forged.len()).any(|it| it == forged.as_bytes()));
        }
        way.mark(&mut request);
        assert_eq!(request.uri(), "https://h:80/users/42/cars/?a=b");
        let mut lines: Vec<String> = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        assert_eq!(lines, told);
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
    fn a_host_has_no_user_and_a_port_that_is_a_number() {
        let client = Client {
            address: "10.0.0.1:5".parse().unwrap(),
            scheme: Scheme::HTTP,
        };
        let url = |host: &str| full_url(&Uri::from_static("/a"), host, &client);
        for host in [
            "h",
            "h:80",
            "h:",
            "h:65535",
            "192.0.2.1:8",
            "[::1]",
            "[::1]:80",
        ] {
            assert_eq!(url(host), Some(format!("http://{host}/a")), "{host}");
        }
        for host in [
            "u@h",
            "u:p@h",
            "h@h",
            "h@h:80",
            "u@[::1]:80",
            "h:abc",
            "h:+80",
            "h:65536",
            "h:80:80",
            "h/x",
            ":80",
            "",
        ] {
            assert_eq!(url(host), None, "{host}");
        }
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
