//! The hosts a component may connect to: its `allowed_outbound_hosts`, minus the networks that the operator blocks.
//!
//! Grammar, matching and messages are Spin's. An import that opens a connection calls [`AllowedHosts::check`] before it
//! resolves the host name, and [`BlockedNetworks`] afterwards. This module resolves no names and opens no connections.

mod blocked;
mod grant;

pub use blocked::BlockedNetworks;
pub use grant::{CHAINING_SUFFIX, Grant, chained_component};

use std::fmt;
use std::net::IpAddr;

use url::Host;

/// Whether the host name stands for the component's own application.
pub fn is_own_application(host: &str) -> bool {
    matches!(host, "self" | "self.alt")
}

/// A host name as name servers know it, in ASCII and lower case, or an address without brackets. `None` if it is neither.
pub fn normalize_host(host: &str) -> Option<String> {
    Some(match grant::parse_host(host).ok()? {
        Host::Domain(name) => name,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

/// The grants of a component. The default grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    grants: Vec<Grant>,
    blocks_private_networks: bool,
}

impl AllowedHosts {
    /// Parses entries whose templates are resolved. Fails with a message for each invalid entry.
    pub fn parse(entries: &[String]) -> Result<AllowedHosts, Vec<String>> {
        let mut grants = Vec::with_capacity(entries.len());
        let mut faults = Vec::new();
        for entry in entries {
            match Grant::parse(entry) {
                Ok(grant) => grants.push(grant),
                Err(reason) => faults.push(format!("allowed_outbound_hosts {entry:?}: {reason}")),
            }
        }
        if faults.is_empty() {
            Ok(AllowedHosts {
                grants,
                blocks_private_networks: false,
            })
        } else {
            Err(faults)
        }
    }

    /// Narrows `*.spin.internal` to the components that exist.
    pub fn within<'a>(self, components: impl Iterator<Item = &'a str> + Clone) -> AllowedHosts {
        let grants = self.grants.into_iter();
        AllowedHosts {
            grants: grants
                .flat_map(|grant| grant.within(components.clone()))
                .collect(),
            ..self
        }
    }

    /// With `block_private_networks`, a grant to `*` covers public hosts only: no private network, no part of this
    /// application. For a component that connects to hosts chosen by its users.
    pub fn blocking_private_networks(self, blocks_private_networks: bool) -> AllowedHosts {
        AllowedHosts {
            blocks_private_networks,
            ..self
        }
    }

    /// Whether a host that passed [`AllowedHosts::check`] may resolve to this address.
    pub fn allows_address(&self, host: &str, address: IpAddr) -> bool {
        !self.blocks_private_networks || !blocked::is_private(address) || self.names(host)
    }

    /// Whether a grant other than `*` covers the host.
    fn names(&self, host: &str) -> bool {
        grant::parse_host(host).is_ok_and(|host| self.grants.iter().any(|grant| grant.names(&host)))
    }

    /// Whether the component may connect to this destination. `host` is a name or an address; the brackets of an IPv6
    /// address are optional.
    pub fn check(&self, scheme: &str, host: &str, port: u16) -> Result<(), Denied> {
        if is_own_application(host) {
            return self.check_self();
        }
        let parsed = grant::parse_host(host);
        let is_hidden =
            self.blocks_private_networks && chained_component(host).is_some() && !self.names(host);
        let is_allowed = parsed.as_ref().is_ok_and(|host| {
            self.grants
                .iter()
                .any(|grant| grant.allows(scheme, host, port))
        }) && !is_hidden;
        if is_allowed {
            return Ok(());
        }
        let host = parsed.map_or_else(|_| host.to_owned(), |host| host.to_string());
        let destination = match (scheme, port) {
            ("http", 80) | ("https", 443) => format!("{scheme}://{host}"),
            _ => format!("{scheme}://{host}:{port}"),
        };
        Err(Denied { destination })
    }

    /// Whether a grant covers some destination with this scheme.
    pub fn allows_scheme(&self, scheme: &str) -> bool {
        self.grants.iter().any(|grant| grant.allows_scheme(scheme))
    }

    /// The host names with grants for this scheme and port. A guest that connects to an address may mean one of them.
    pub fn names_with_port<'a>(
        &'a self,
        scheme: &'a str,
        port: u16,
    ) -> impl Iterator<Item = &'a str> {
        let grants = self.grants.iter();
        grants.filter_map(move |grant| grant.name_with_port(scheme, port))
    }

    /// Whether the component may send HTTP requests to its own application.
    pub fn check_self(&self) -> Result<(), Denied> {
        let named_only = self.blocks_private_networks;
        if self
            .grants
            .iter()
            .any(|grant| grant.allows_self(named_only))
        {
            return Ok(());
        }
        Err(Denied {
            destination: "http://self".to_owned(),
        })
    }

    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }
}

/// A refused connection. Its message has, as in Spin, the line of the manifest that would grant it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Denied {
    destination: String,
}

impl Denied {
    /// `scheme://host:port`, as in `allowed_outbound_hosts`.
    pub fn destination(&self) -> &str {
        &self.destination
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let destination = &self.destination;
        if destination == "http://self" {
            f.write_str("A component tried to make an HTTP request to its own app but it does not have permission.")?;
        } else {
            write!(
                f,
                "A component tried to make an outbound network connection to disallowed destination '{destination}'."
            )?;
        }
        write!(
            f,
            "\nTo allow this request, add 'allowed_outbound_hosts = [\"{destination}\"]' to the manifest component section."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str]) -> AllowedHosts {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        AllowedHosts::parse(&entries).unwrap()
    }

    #[test]
    fn a_connection_needs_a_grant_for_its_scheme_host_and_port() {
        type Connections = &'static [(&'static str, &'static str, u16)];
        let table: &[(&str, Connections, Connections)] = &[
            (
                "postgres://db",
                &[("postgres", "db", 5432)],
                &[("postgres", "db", 5433), ("redis", "db", 5432)],
            ),
            (
                "mysql://db",
                &[("mysql", "db", 3306)],
                &[("mysql", "db.example", 3306)],
            ),
            ("mqtt://db", &[("mqtt", "db", 1883)], &[]),
            (
                "redis://Cache:*",
                &[("redis", "cache", 1), ("redis", "CACHE", 6379)],
                &[("Redis", "cache", 1)],
            ),
            (
                "https://api.example.com/",
                &[("https", "api.example.com", 443)],
                &[("https", "x.api.example.com", 443)],
            ),
            (
                "http://localhost:8000..8002",
                &[("http", "localhost", 8000), ("http", "localhost", 8001)],
                &[("http", "localhost", 8002), ("http", "localhost", 7999)],
            ),
            (
                "http://*.example.com",
                &[
                    ("http", "a.example.com", 80),
                    ("http", "a.b.EXAMPLE.com", 80),
                ],
                &[
                    ("http", "example.com", 80),
                    ("http", "myexample.com", 80),
                    ("http", "1.2.3.4", 80),
                ],
            ),
            (
                "*://10.0.0.0/8:*",
                &[("tcp", "10.1.2.3", 9)],
                &[("tcp", "11.0.0.1", 9), ("tcp", "ten.example", 9)],
            ),
            (
                "http://2001:db8::/32",
                &[("http", "[2001:db8::1]", 80), ("http", "2001:db8::1", 80)],
                &[("http", "[2001:db9::1]", 80), ("http", "[2001:db8::1]", 81)],
            ),
            (
                "http://[::1]:8080",
                &[("http", "[::1]", 8080), ("http", "::1", 8080)],
                &[("http", "[::2]", 8080)],
            ),
            (
                "http://127.0.0.1",
                &[("http", "127.0.0.1", 80), ("http", "0x7f.1", 80)],
                &[("http", "localhost", 80)],
            ),
            (
                "*://*:*",
                &[
                    ("udp", "any.example", 53),
                    ("http", "self", 80),
                    ("http", "x.spin.internal", 80),
                ],
                &[],
            ),
            (
                "http://*",
                &[("http", "any.example", 80)],
                &[("http", "any.example", 81), ("https", "any.example", 443)],
            ),
        ];
        for (entry, granted, denied) in table {
            let allowed = allowed(&[entry]);
            for (scheme, host, port) in *granted {
                assert_eq!(
                    allowed.check(scheme, host, *port),
                    Ok(()),
                    "{entry} grants {scheme}://{host}:{port}"
                );
            }
            for (scheme, host, port) in *denied {
                assert!(
                    allowed.check(scheme, host, *port).is_err(),
                    "{entry} denies {scheme}://{host}:{port}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(
            AllowedHosts::default()
                .check("http", "example.com", 80)
                .is_err()
        );
        assert!(AllowedHosts::default().check_self().is_err());
        assert!(AllowedHosts::default().is_empty());
    }

    #[test]
    fn the_own_application_needs_its_own_grant() {
        assert_eq!(allowed(&["http://self"]).check("http", "self", 80), Ok(()));
        assert_eq!(
            allowed(&["https://self.alt"]).check("http", "self.alt", 80),
            Ok(())
        );
        assert_eq!(allowed(&["*://*:*"]).check_self(), Ok(()));
        assert!(
            allowed(&["redis://*:*", "http://localhost:3000"])
                .check_self()
                .is_err()
        );
        assert!(
            allowed(&["http://self"])
                .check("http", "example.com", 80)
                .is_err()
        );
    }

    #[test]
    fn chaining_reaches_only_components_that_exist() {
        let ids = ["payments", "signin"];
        let allowed = allowed(&["http://*.spin.internal", "https://elsewhere.example"])
            .within(ids.into_iter());
        assert_eq!(allowed.check("http", "payments.spin.internal", 80), Ok(()));
        assert_eq!(allowed.check("http", "signin.spin.internal", 80), Ok(()));
        assert!(allowed.check("http", "ghost.spin.internal", 80).is_err());
        assert!(
            allowed
                .check("http", "a.payments.spin.internal", 80)
                .is_err()
        );
        assert_eq!(allowed.check("https", "elsewhere.example", 443), Ok(()));
    }

    #[test]
    fn a_host_is_normalized() {
        for (host, expected) in [
            ("DB.Example", Some("db.example")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("127.1", Some("127.0.0.1")),
            ("::1", Some("::1")),
            ("[::1]", Some("::1")),
            ("two words", None),
            ("", None),
        ] {
            assert_eq!(normalize_host(host).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn a_chained_host_names_its_component() {
        for (host, expected) in [
            ("payments.spin.internal", Some("payments")),
            ("a.b.spin.internal", None),
            (".spin.internal", None),
            ("spin.internal", None),
            ("payments.spin.internal.example", None),
        ] {
            assert_eq!(chained_component(host), expected, "{host}");
        }
    }

    #[test]
    fn a_wildcard_excludes_private_networks_if_they_are_blocked() {
        let entries = [
            "https://*:443",
            "http://127.0.0.1:4567",
            "redis://cache.lan",
        ];
        let open = allowed(&entries);
        let blocking = open.clone().blocking_private_networks(true);
        let private: IpAddr = "10.0.0.8".parse().unwrap();
        let public: IpAddr = "93.184.216.34".parse().unwrap();

        assert!(open.allows_address("hooks.example.com", private));
        assert!(blocking.allows_address("hooks.example.com", public));
        assert!(!blocking.allows_address("hooks.example.com", private));
        assert!(!blocking.allows_address("10.0.0.8", private));
        assert!(
            blocking.allows_address("cache.lan", private),
            "a grant names it"
        );
        assert!(blocking.allows_address("127.0.0.1", "127.0.0.1".parse().unwrap()));

        for own in ["signin.spin.internal", "self", "self.alt"] {
            assert_eq!(open.check("https", own, 443), Ok(()), "{own}");
            assert!(blocking.check("https", own, 443).is_err(), "{own}");
        }
        let named = allowed(&[
            "https://*:443",
            "https://signin.spin.internal",
            "http://self",
        ])
        .blocking_private_networks(true);
        assert_eq!(named.check("https", "signin.spin.internal", 443), Ok(()));
        assert_eq!(named.check("http", "self", 80), Ok(()));
    }

    #[test]
    fn a_denial_displays_the_line_to_add() {
        let none = AllowedHosts::default();
        assert_eq!(
            none.check("postgres", "db", 5432).unwrap_err().to_string(),
            "A component tried to make an outbound network connection to disallowed destination 'postgres://db:5432'.\n\
             To allow this request, add 'allowed_outbound_hosts = [\"postgres://db:5432\"]' to the manifest component section."
        );
        assert_eq!(
            none.check("http", "self", 80).unwrap_err().to_string(),
            "A component tried to make an HTTP request to its own app but it does not have permission.\n\
             To allow this request, add 'allowed_outbound_hosts = [\"http://self\"]' to the manifest component section."
        );
        for (scheme, host, port, line) in [
            ("http", "example.com", 80, "http://example.com"),
            ("https", "example.com", 8443, "https://example.com:8443"),
            ("redis", "::1", 6379, "redis://[::1]:6379"),
        ] {
            let denied = none.check(scheme, host, port).unwrap_err();
            assert_eq!(denied.destination(), line);
            assert_eq!(
                allowed(&[line]).check(scheme, host, port),
                Ok(()),
                "the line grants it"
            );
        }
    }

    #[test]
    fn every_bad_entry_is_reported() {
        let entries = [
            "http://ok".to_owned(),
            "*".to_owned(),
            "http://x/y".to_owned(),
        ];
        let faults = AllowedHosts::parse(&entries).unwrap_err();
        assert_eq!(faults.len(), 2);
        assert!(faults[0].contains("you can use '*://*:*'"), "{faults:?}");
        assert!(
            faults[1].starts_with("allowed_outbound_hosts \"http://x/y\": "),
            "{faults:?}"
        );
    }
}
