//! One entry of `allowed_outbound_hosts`: `scheme://host[:port]`.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;
use url::Host;

/// The suffix of `http://<component>.spin.internal`: local service chaining, a call to another component in memory.
pub const CHAINING_SUFFIX: &str = ".spin.internal";

/// The component id in a host name like `payments.spin.internal`.
pub fn chained_component(host: &str) -> Option<&str> {
    host.strip_suffix(CHAINING_SUFFIX)
        .filter(|id| !id.is_empty() && !id.contains('.'))
}

const LEARN_MORE: &str = "Learn more: https://spinframework.dev/v3/http-outbound#granting-http-permissions-to-components";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `None` means any.
    scheme: Option<String>,
    host: Hosts,
    ports: Ports,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Any,
    /// The application itself: relative URLs and `self`.
    Own,
    /// Any host name with this suffix, which starts with a dot.
    Subdomains(String),
    Network(IpNet),
    One(Host),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ports {
    Any,
    One(u16),
    Range(Range<u16>),
}

impl Grant {
    pub fn parse(entry: &str) -> Result<Grant, String> {
        let entry = entry.trim();
        let (scheme, rest) = entry
            .split_once("://")
            .ok_or_else(|| missing_scheme(entry))?;
        let (host, port) = split_port(entry, rest)?;
        Ok(Grant {
            ports: Ports::parse(port, scheme)
                .map_err(|why| format!("Invalid allowed host port {port:?}: {why}"))?,
            scheme: parse_scheme(scheme)
                .map_err(|why| format!("Invalid allowed host scheme {scheme:?}: {why}"))?,
            host: Hosts::parse(host)
                .map_err(|why| format!("Invalid allowed host {host:?}: {why}"))?,
        })
    }

    pub fn allows(&self, scheme: &str, host: &Host, port: u16) -> bool {
        self.allows_scheme(scheme) && self.host.allows(host) && self.ports.allows(port)
    }

    /// Whether the grant allows requests to the own application. The port does not matter: such requests have none.
    pub fn allows_self(&self, named_only: bool) -> bool {
        let http = self.allows_scheme("http") || self.allows_scheme("https");
        http && (self.host == Hosts::Own || (self.host == Hosts::Any && !named_only))
    }

    /// Whether the grant covers this host by more than `*`.
    pub(super) fn names(&self, host: &Host) -> bool {
        self.host != Hosts::Any && self.host.allows(host)
    }

    /// The component of a grant like `http://payments.spin.internal`.
    pub fn chained_component(&self) -> Option<&str> {
        match &self.host {
            Hosts::One(Host::Domain(name)) => chained_component(name),
            _ => None,
        }
    }

    /// Replaces `*.spin.internal` with one grant per component. Other grants stay as they are.
    pub(super) fn within<'a>(self, components: impl Iterator<Item = &'a str>) -> Vec<Grant> {
        if self.host != Hosts::Subdomains(CHAINING_SUFFIX.to_owned()) {
            return vec![self];
        }
        components
            .map(|id| Grant {
                host: Hosts::One(Host::Domain(format!("{id}{CHAINING_SUFFIX}"))),
                ..self.clone()
            })
            .collect()
    }

    /// The host name of a grant for this scheme and port.
    pub(super) fn name_with_port(&self, scheme: &str, port: u16) -> Option<&str> {
        match &self.host {
            Hosts::One(Host::Domain(name))
                if self.allows_scheme(scheme) && self.ports.allows(port) =>
            {
                Some(name)
            }
            _ => None,
        }
    }

    pub(super) fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme
            .as_deref()
            .is_none_or(|allowed| allowed == scheme)
    }
}

fn missing_scheme(entry: &str) -> String {
    match entry {
        "*" | ":" | "" | "?" => format!(
            "{entry:?} is not an allowed outbound host format.\n\
             Hosts must be in the form <scheme>://<host>[:<port>], with '*' wildcards allowed for each.\n\
             If you intended to allow all outbound networking, you can use '*://*:*' - this will obviate all network sandboxing.\n\
             {LEARN_MORE}"
        ),
        "insecure:allow-all" => {
            "'insecure:allow-all' is not allowed - use '*://*:*' instead if you really want to \
                                 allow all outbound traffic"
                .to_owned()
        }
        _ => {
            format!("{entry:?} does not contain a scheme (e.g., 'http://' or '*://')\n{LEARN_MORE}")
        }
    }
}

/// Splits `host[:port][/]`. The last colon may belong to an IPv6 address or network: it starts a port only if the whole
/// text is not a host.
fn split_port<'a>(entry: &str, rest: &'a str) -> Result<(&'a str, &'a str), String> {
    match rest.rsplit_once(':') {
        None => Ok((rest, "")),
        Some((host, "")) => Ok((host, "")),
        Some(_) if Hosts::parse(rest).is_ok() => Ok((rest, "")),
        Some((host, tail)) => match tail.split_once('/') {
            None => Ok((host, tail)),
            Some((port, "")) => Ok((host, port)),
            Some(_) => Err(format!("{entry:?} has a path but is not allowed to")),
        },
    }
}

fn parse_scheme(scheme: &str) -> Result<Option<String>, &'static str> {
    if scheme == "*" {
        Ok(None)
    } else if scheme.starts_with('{') {
        Err("scheme lists are not supported")
    } else if scheme.chars().all(char::is_alphabetic) {
        Ok(Some(scheme.to_owned()))
    } else {
        Err("only alphabetic characters are allowed")
    }
}

impl Hosts {
    fn parse(host: &str) -> Result<Hosts, String> {
        let host = host.trim();
        match host {
            "*" => return Ok(Hosts::Any),
            "self" | "self.alt" => return Ok(Hosts::Own),
            _ if host.starts_with('{') => return Err("host lists are not yet supported".to_owned()),
            _ => {}
        }
        if let Ok(network) = host.parse::<IpNet>() {
            return Ok(Hosts::Network(network));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains('/') {
            return Err("must not include a path".to_owned());
        }
        if let Some(domain) = host.strip_prefix("*.") {
            return Hosts::parse_subdomains(domain);
        }
        if host.contains('*') {
            return Err("wildcards are allowed only as subdomains".to_owned());
        }
        Host::parse(host)
            .map(Hosts::One)
            .map_err(|why| why.to_string())
    }

    fn parse_subdomains(domain: &str) -> Result<Hosts, String> {
        if domain.contains('*') {
            return Err("wildcards are allowed only as prefixes".to_owned());
        }
        match Host::parse(domain) {
            Ok(Host::Domain(domain)) => Ok(Hosts::Subdomains(format!(".{domain}"))),
            Ok(Host::Ipv4(_) | Host::Ipv6(_)) => Err("wildcard suffix must be a domain".to_owned()),
            Err(why) => Err(format!("invalid wildcard host \"*.{domain}\": {why}")),
        }
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Hosts::Any, _) => true,
            (Hosts::Subdomains(suffix), Host::Domain(name)) => name.ends_with(suffix.as_str()),
            (Hosts::Network(network), Host::Ipv4(address)) => {
                network.contains(&IpAddr::V4(*address))
            }
            (Hosts::Network(network), Host::Ipv6(address)) => {
                network.contains(&IpAddr::V6(*address))
            }
            (Hosts::One(one), host) => one == host,
            (Hosts::Subdomains(_), Host::Ipv4(_) | Host::Ipv6(_)) => false,
            // Names are not resolved here: a network grant covers literal addresses only.
            (Hosts::Network(_), Host::Domain(_)) => false,
            (Hosts::Own, _) => false,
        }
    }
}

impl Ports {
    fn parse(port: &str, scheme: &str) -> Result<Ports, String> {
        if port.is_empty() {
            return default_port(scheme).map(Ports::One).ok_or_else(|| {
                format!("no port was provided and the scheme {scheme:?} does not have a known default port number")
            });
        }
        if port == "*" {
            return Ok(Ports::Any);
        }
        if port.starts_with('{') {
            return Err("port lists are not yet supported".to_owned());
        }
        let number = |text: &str| text.parse::<u16>().ok();
        match port.split_once("..") {
            Some((first, end)) => number(first)
                .zip(number(end))
                .map(|(first, end)| Ports::Range(first..end))
                .ok_or_else(|| format!("port range {port:?} contains non-number")),
            None => number(port)
                .map(Ports::One)
                .ok_or_else(|| format!("port {port:?} is not a number")),
        }
    }

    fn allows(&self, port: u16) -> bool {
        match self {
            Ports::Any => true,
            Ports::One(one) => *one == port,
            Ports::Range(range) => range.contains(&port),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Parses the host of a connection. Names become lower case.
pub(super) fn parse_host(host: &str) -> Result<Host, url::ParseError> {
    match host.parse::<Ipv6Addr>() {
        Ok(address) => Ok(Host::Ipv6(address)),
        Err(_) => Host::parse(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_spin_accepts_are_accepted() {
        for entry in [
            "http://spin.example.dev",
            "http://spin.example.dev/",
            "http://spin.example.dev:4444/",
            "http://spin.example.dev:4444..5555",
            "http://spin.example.dev:",
            "*://spin.example.dev:7777",
            "http://self",
            "https://self.alt",
            "http://*.example.com",
            "http://[::1]",
            "http://[2001:db8::1]:443",
            "http://[::1]:*",
            "http://[::1]:8080/",
            "*://127.0.0.0/24:80",
            "*://127.0.0.1/24:63551",
            "*://ff00::/8:80",
            "http://ff00::/8",
            "http://::1/128",
            "pg://localhost:5656",
            "rediss://cache:6380",
            "*://*:*",
            "  http://padded.example  ",
        ] {
            assert!(
                Grant::parse(entry).is_ok(),
                "{entry}: {:?}",
                Grant::parse(entry)
            );
        }
    }

    #[test]
    fn entries_that_spin_refuses_are_refused() {
        for entry in [
            "spin.example.dev",
            "spin.example.dev:80",
            "localhost:3001",
            "[::1]:8080",
            "insecure:allow-all",
            "http://spin.example.dev/a",
            "http://spin.example.dev:6666/a/b",
            "http://*.example.dev/a",
            "http://*.*.example.dev",
            "http://a.*.example.dev",
            "http://*.",
            "http://*.127.0.0.1",
            "http://*.[::1]",
            "http://[::1",
            "http://[::1]junk",
            "http://[::1]::80",
            "http://[::1]/foo",
            "http://ff00::/8/extra",
            "http://127.0.0.0/24/p",
            "http://example.com:80:90",
            "http://example.com//",
            "http://self//",
            "http://example%GG.com",
            r"http://exa\mple.com",
            "http://example.com:notaport",
            "http://self:notaport",
            "http://example.com:8080..",
            "http://example.com:8080..70000",
            "{http,https}://example.com",
            "http://{a,b}.example.com",
            "http://example.com:{80,81}",
            "htt-p://example.com:80",
            "*://127.0.0.0/24",
            "rediss://cache",
            "tcp://cache",
        ] {
            assert!(
                Grant::parse(entry).is_err(),
                "{entry}: {:?}",
                Grant::parse(entry)
            );
        }
    }

    #[test]
    fn refusals_have_spins_messages() {
        for (entry, expected) in [
            (
                "example.com",
                "\"example.com\" does not contain a scheme (e.g., 'http://' or '*://')\nLearn more: \
                 https://spinframework.dev/v3/http-outbound#granting-http-permissions-to-components",
            ),
            (
                "tcp://db",
                "Invalid allowed host port \"\": no port was provided and the scheme \"tcp\" does not have a known default port number",
            ),
            (
                "http://x:99999",
                "Invalid allowed host port \"99999\": port \"99999\" is not a number",
            ),
            (
                "http://x:1..z",
                "Invalid allowed host port \"1..z\": port range \"1..z\" contains non-number",
            ),
            (
                "{http}://x:1",
                "Invalid allowed host scheme \"{http}\": scheme lists are not supported",
            ),
            (
                "h2://x:1",
                "Invalid allowed host scheme \"h2\": only alphabetic characters are allowed",
            ),
            (
                "http://x/y",
                "Invalid allowed host \"x/y\": must not include a path",
            ),
            (
                "http://x:1/y",
                "\"http://x:1/y\" has a path but is not allowed to",
            ),
            (
                "http://a*",
                "Invalid allowed host \"a*\": wildcards are allowed only as subdomains",
            ),
        ] {
            assert_eq!(Grant::parse(entry).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_grant_of_service_chaining_names_its_component() {
        assert_eq!(
            Grant::parse("http://pay.spin.internal")
                .unwrap()
                .chained_component(),
            Some("pay")
        );
        assert_eq!(
            Grant::parse("http://*.spin.internal")
                .unwrap()
                .chained_component(),
            None
        );
        assert_eq!(
            Grant::parse("http://spin.internal")
                .unwrap()
                .chained_component(),
            None
        );
    }
}
