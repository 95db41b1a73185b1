//! Parses the address of a database, a URL or libpq's `key=value` form, into its servers and its TLS mode.
//!
//! `sslmode` is parsed here because the driver knows only some of libpq's values.

use std::borrow::Cow;
use std::fmt;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::errors::with_causes;
use crate::egress::{Egress, MAX_ADDRESS_BYTES};

const DEFAULT_PORT: u16 = 5432;

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    Disable,
    /// Encrypts if the server supports it; does not verify the server.
    Prefer,
    /// Encrypts; does not verify the server.
    Require,
    /// Verifies the certificate's chain, but not its host name.
    VerifyCa,
    /// Verifies the certificate's chain and host name.
    VerifyFull,
}

/// A parsed address. `config` holds the password and must never be printed.
#[derive(Clone)]
pub struct Address {
    pub config: Config,
    pub tls: Tls,
    /// In the order in which they are tried.
    pub servers: Vec<Server>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
}

impl Address {
    pub fn parse(text: &str) -> Result<Address, String> {
        let (text, mode) = take_ssl_mode(text);
        let mut config: Config = text.parse().map_err(|error| with_causes(&error))?;
        let tls = match mode.as_deref() {
            None | Some("prefer" | "allow") => Tls::Prefer,
            Some("disable") => Tls::Disable,
            Some("require") => Tls::Require,
            Some("verify-ca") => Tls::VerifyCa,
            Some("verify-full") => Tls::VerifyFull,
            Some(other) => return Err(format!("unknown sslmode {other:?}")),
        };
        config.ssl_mode(match tls {
            Tls::Disable => SslMode::Disable,
            Tls::Prefer => SslMode::Prefer,
            Tls::Require | Tls::VerifyCa | Tls::VerifyFull => SslMode::Require,
        });
        let servers = servers(&config)?;
        Ok(Address {
            config,
            tls,
            servers,
        })
    }

    /// Checks that every server of the address is granted.
    pub fn check(&self, egress: &Egress) -> Result<(), String> {
        let explicit_port = !self.config.get_ports().is_empty();
        for server in &self.servers {
            let checked = egress.check("postgres", &server.host, server.port);
            checked.map_err(|_| {
                let port = if explicit_port {
                    format!(":{}", server.port)
                } else {
                    String::new()
                };
                format!("address postgres://{}{port} is not permitted", server.host)
            })?;
        }
        Ok(())
    }
}

impl Address {
    /// What connections must have in common to serve the same pool: servers, login, database, session options and TLS. Not the
    /// rest, like names and timeouts, of which a guest could make up ever others.
    pub fn identity(&self, ca_root: Option<&str>) -> String {
        let config = &self.config;
        format!(
            "{:?}",
            (
                &self.servers,
                self.tls,
                config.get_user(),
                config.get_password(),
                config.get_dbname(),
                config.get_options(),
                ca_root,
            )
        )
    }
}

/// Refuses an address that is too long to be stored.
pub fn check_length(text: &str) -> Result<(), String> {
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(format!(
            "the address is longer than {MAX_ADDRESS_BYTES} bytes"
        ));
    }
    Ok(())
}

/// The servers alone, without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        for (at, server) in self.servers.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}:{}", server.host, server.port)?;
        }
        Ok(())
    }
}

fn servers(config: &Config) -> Result<Vec<Server>, String> {
    // `hostaddr` would bypass the egress check, which is made for `host`.
    if !config.get_hostaddrs().is_empty() {
        return Err("hostaddr is not supported; use host".to_owned());
    }
    let hosts = config.get_hosts();
    let ports = config.get_ports();
    if hosts.is_empty() {
        return Err("the address names no host".to_owned());
    }
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err("the address must name one port for all hosts, or one for each".to_owned());
    }
    let mut servers = Vec::with_capacity(hosts.len());
    for (at, host) in hosts.iter().enumerate() {
        let Host::Tcp(host) = host else {
            return Err("Unix sockets are not supported on WebAssembly".to_owned());
        };
        let port = ports.get(at).or(ports.first()).copied();
        servers.push(Server {
            host: host.clone(),
            port: port.unwrap_or(DEFAULT_PORT),
        });
    }
    Ok(servers)
}

/// Splits the `sslmode` off the address.
fn take_ssl_mode(text: &str) -> (Cow<'_, str>, Option<String>) {
    if !text.contains("sslmode") {
        return (Cow::Borrowed(text), None);
    }
    let (rest, mode) = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        take_from_url(text)
    } else {
        take_from_pairs(text)
    };
    (Cow::Owned(rest), mode)
}

fn take_from_url(text: &str) -> (String, Option<String>) {
    let Some((base, query)) = text.split_once('?') else {
        return (text.to_owned(), None);
    };
    let mut mode = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.strip_prefix("sslmode=") {
            Some(value) => mode = Some(value.to_owned()),
            None => kept.push(pair),
        }
    }
    if kept.is_empty() {
        return (base.to_owned(), mode);
    }
    (format!("{base}?{}", kept.join("&")), mode)
}

/// `host=db sslmode='verify-full' password='a b\'c'`: spaces around `=` are allowed, values may be quoted.
fn take_from_pairs(text: &str) -> (String, Option<String>) {
    let mut mode = None;
    let mut kept = String::new();
    let mut rest = text;
    while let Some((key, value, raw_len)) = next_pair(rest) {
        let (pair, after) = rest.split_at(raw_len);
        if key == "sslmode" {
            mode = Some(value);
        } else {
            kept.push_str(pair);
            kept.push(' ');
        }
        rest = after;
    }
    kept.push_str(rest);
    (kept, mode)
}

/// The first pair: its key, its unquoted value, and its length in bytes.
fn next_pair(text: &str) -> Option<(&str, String, usize)> {
    let (key, after) = text.split_once('=')?;
    let value_text = after.trim_start();
    let quoted = value_text.starts_with('\'');
    let mut value = String::new();
    let mut characters = value_text.char_indices().skip(usize::from(quoted));
    let mut end = value_text.len();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => {
                end = at + 1;
                break;
            }
            space if !quoted && space.is_whitespace() => {
                end = at;
                break;
            }
            other => value.push(other),
        }
    }
    let value_starts = text.len() - value_text.len();
    Some((key.trim(), value, value_starts + end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

    fn egress(allowed: &str) -> Egress {
        let allowed = AllowedHosts::parse(&[allowed.to_owned()]).unwrap();
        Egress::new(allowed, BlockedNetworks::default(), Arc::new(|_| ()))
    }

    #[test]
    fn every_sslmode_of_libpq_is_known_in_both_forms() {
        for (word, tls) in [
            ("disable", Tls::Disable),
            ("allow", Tls::Prefer),
            ("prefer", Tls::Prefer),
            ("require", Tls::Require),
            ("verify-ca", Tls::VerifyCa),
            ("verify-full", Tls::VerifyFull),
        ] {
            for address in [
                format!("postgres://a:b@db/x?sslmode={word}"),
                format!(
                    "postgresql://a:b@db/x?connect_timeout=3&sslmode={word}&application_name=y"
                ),
                format!("host=db user=a sslmode={word} dbname=x"),
                format!("host=db sslmode = '{word}' user=a"),
            ] {
                let address = Address::parse(&address).unwrap_or_else(|e| panic!("{address}: {e}"));
                assert_eq!(address.tls, tls, "{word}");
                assert_eq!(address.config.get_user(), Some("a"));
                assert_eq!(address.servers[0].host, "db");
            }
        }
        assert_eq!(Address::parse("host=db").unwrap().tls, Tls::Prefer);
        assert!(Address::parse("host=db sslmode=sometimes").is_err());
    }

    #[test]
    fn a_password_may_contain_the_text_of_a_setting() {
        let address = Address::parse(r"host=db password='a sslmode=disable \'x' user=u").unwrap();
        assert_eq!(address.tls, Tls::Prefer);
        assert_eq!(
            address.config.get_password(),
            Some(b"a sslmode=disable 'x".as_slice())
        );
        assert_eq!(address.config.get_user(), Some("u"));
    }

    #[test]
    fn each_host_gets_its_port() {
        let address = Address::parse("postgres://u@a:1,b:2/x").unwrap();
        assert_eq!(address.to_string(), "postgres://a:1,b:2");
        let address = Address::parse("host=a,b port=7 user=u").unwrap();
        assert_eq!(address.to_string(), "postgres://a:7,b:7");
        let address = Address::parse("host=a user=u").unwrap();
        assert_eq!(address.to_string(), "postgres://a:5432");
    }

    #[test]
    fn addresses_that_would_bypass_the_egress_check_are_refused() {
        for address in [
            "host=db hostaddr=10.0.0.1 user=u",
            "postgres://u@%2Ftmp/x",
            "user=u",
            "",
            "postgres://u@a:1,b:2,c:3/x?port=1",
        ] {
            assert!(Address::parse(address).is_err(), "{address}");
        }
    }

    #[test]
    fn every_server_of_an_address_must_be_granted() {
        let egress = egress("postgres://a");
        let check = |address| Address::parse(address).unwrap().check(&egress);
        assert_eq!(check("postgres://u@a/x"), Ok(()));
        assert_eq!(
            check("postgres://u@a:5432,b:5432/x"),
            Err("address postgres://b:5432 is not permitted".to_owned())
        );
        assert_eq!(
            check("host=b user=u"),
            Err("address postgres://b is not permitted".to_owned())
        );
    }
}
