//! Webhooks, in the form of Standard Webhooks: which addresses may be called, and how calls are signed. No
//! I/O in this file.
//!
//! A user chooses the address, so it is not trusted: it must have a public name and speak https on its
//! usual port. Redirects are not followed, and the host connects to no private network
//! (`block_private_networks`), however the name resolves.

use std::time::Duration;

use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

/// Webhooks that one user may have: each notice to them costs as many calls.
pub const MAX_WEBHOOKS: i64 = 10;

/// Tests that one user may send in an hour. They cost nothing else, and nothing proves that the called server is theirs.
pub const MAX_TESTS: i64 = 30;

/// A webhook as its owner sees it.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Webhook {
    pub id: Uuid,
    pub url: String,
    /// The notices it is told about; all of them when null.
    pub templates: Option<Vec<String>>,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    pub disabled_because: Option<String>,
    /// Consecutive calls that it did not take.
    pub failures: i32,
}

/// A webhook as a call needs it.
#[derive(FromRow)]
pub struct Callee {
    pub url: String,
    /// Why it is not called, if it is disabled.
    pub disabled_because: Option<String>,
    rests_ms: i64,
    /// The keys in force, the newest first.
    #[row(json)]
    pub keys: Vec<Secret>,
}

impl Callee {
    /// How long it is not called after a failure; zero when it may be called now.
    pub fn rests(&self) -> Duration {
        Duration::from_millis(self.rests_ms.unsigned_abs())
    }
}

/// A call that was made, and what came of it.
pub struct Call<'a> {
    pub webhook: Uuid,
    pub event: Uuid,
    pub template: &'a str,
    pub status: Option<i32>,
    /// Absent when the webhook took it.
    pub error: Option<&'a str>,
    pub took: Duration,
    pub retry_after: Option<Duration>,
}

/// A call as the owner of the webhook sees it.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Attempt {
    /// `before` of the next page.
    pub id: i64,
    /// The `webhook-id` of the call is `msg_` and this: the same for every attempt.
    pub event: Uuid,
    pub template: String,
    pub made_at: Timestamp,
    /// Of the answer; absent when none came.
    pub status: Option<i32>,
    /// Absent when the webhook took the call.
    pub error: Option<String>,
    pub took_ms: i64,
}

/// An address that a user may register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    #[error("it must be an absolute URL of at most 2000 characters")]
    Unreadable,
    #[error("it must begin with https:// and name no port")]
    Scheme,
    #[error("it must not carry a user name or password")]
    User,
    #[error("its host must be a public name, as hooks.example.com")]
    Host,
}

/// Top-level names that are not public: those of RFC 6761 and RFC 8375, and common names of office networks.
const PRIVATE_NAMES: [&str; 12] = [
    "alt",
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localhost",
    "onion",
    "test",
];

impl Address {
    /// `allowed_origin` is exempt from all rules: a developer's own machine. Empty in production.
    pub fn parse(text: &str, allowed_origin: &str) -> Result<Self, InvalidAddress> {
        if text.len() > 2000 {
            return Err(InvalidAddress::Unreadable);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidAddress::Unreadable)?;
        let authority = uri.authority().ok_or(InvalidAddress::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(InvalidAddress::User);
        }
        let scheme = uri.scheme_str().unwrap_or_default();
        if !allowed_origin.is_empty() && format!("{scheme}://{authority}") == allowed_origin {
            return Ok(Self(uri.to_string()));
        }
        if scheme != "https" || authority.port().is_some() {
            return Err(InvalidAddress::Scheme);
        }
        if !is_public_name(authority.host()) || authority.as_str() != authority.host() {
            return Err(InvalidAddress::Host);
        }
        Ok(Self(uri.to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Two or more labels, the last of which begins with a letter. The last part of an IP address never does, in any
/// notation: 127.0.0.1, 2130706433, 0x7f.1, 017700000001, [::ffff:127.0.0.1].
fn is_public_name(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let is_label = |it: &str| {
        (1..=63).contains(&it.len())
            && !it.starts_with('-')
            && !it.ends_with('-')
            && it.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let Some((_, last)) = host.rsplit_once('.') else {
        return false;
    };
    host.len() <= 253
        && host.split('.').all(is_label)
        && last.starts_with(|it: char| it.is_ascii_alphabetic())
        && !PRIVATE_NAMES.contains(&last)
}

/// The key of a webhook, as it is stored: base64 of 32 bytes.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// 244 random bits.
    pub fn random() -> Self {
        let bytes = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
        Self(STANDARD.encode(bytes))
    }

    pub fn as_stored(&self) -> &str {
        &self.0
    }

    /// As its owner sees it, once.
    pub fn shown(&self) -> String {
        format!("whsec_{}", self.0)
    }

    fn sign(&self, signed: &str) -> Option<String> {
        let key = STANDARD.decode(&self.0).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(signed.as_bytes());
        Some(format!(
            "v1,{}",
            STANDARD.encode(mac.finalize().into_bytes())
        ))
    }
}

/// The `webhook-signature` of a call: one for each key in force.
pub fn sign(keys: &[Secret], id: &str, at: Timestamp, body: &str) -> String {
    let signed = format!("{id}.{}.{body}", at.as_second());
    let signatures: Vec<String> = keys.iter().filter_map(|it| it.sign(&signed)).collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_public_name_over_https_is_an_address() {
        for text in [
            "https://hooks.example.com/in?x=1",
            "https://example.com",
            "https://xn--e1afmkfd.xn--p1ai/",
            "https://a-b.c1.co/x",
        ] {
            assert!(Address::parse(text, "").is_ok(), "{text}");
        }
    }

    #[test]
    fn a_private_address_is_refused_in_every_notation() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.01",
            "017700000001",
            "0",
            "10.0.0.8",
            "169.254.169.254",
            "192.168.1.1",
            "100.64.0.1",
            "8.8.8.8",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fd00:ec2::254]",
            "[64:ff9b::7f00:1]",
            "localhost",
            "LOCALHOST",
            "app.localhost",
            "localhost.",
            "127.0.0.1.",
            "metadata.google.internal",
            "signin.spin.internal",
            "self",
            "self.alt",
            "printer.local",
            "router.lan",
            "nas.home.arpa",
            "hidden.onion",
            "a..b.com",
            "-a.com",
            "a_b.com",
            "ａ.com",
            "127。0。0。1",
            "%31%32%37.0.0.1",
            "example.com.1",
            "example.c%6Fm",
        ] {
            assert!(
                Address::parse(&format!("https://{host}/"), "").is_err(),
                "{host}"
            );
        }
    }

    #[test]
    fn other_schemes_ports_and_users_are_refused() {
        let refused = |text| Address::parse(text, "").unwrap_err();
        assert_eq!(refused("http://example.com/"), InvalidAddress::Scheme);
        assert_eq!(refused("ftp://example.com/"), InvalidAddress::Scheme);
        assert_eq!(refused("https://example.com:6379/"), InvalidAddress::Scheme);
        assert_eq!(
            refused("https://example.com@10.0.0.1/"),
            InvalidAddress::User
        );
        assert_eq!(refused("https://u:p@example.com/"), InvalidAddress::User);
        assert_eq!(refused("/relative"), InvalidAddress::Unreadable);
        assert_eq!(refused(""), InvalidAddress::Unreadable);
    }

    #[test]
    fn the_allowed_origin_is_accepted_and_no_other() {
        let allowed = "http://127.0.0.1:4567";
        assert!(Address::parse("http://127.0.0.1:4567/hook", allowed).is_ok());
        for text in [
            "http://127.0.0.1:4568/hook",
            "http://127.0.0.1:45670/hook",
            "http://127.0.0.1/hook",
            "https://127.0.0.1:4567/hook",
            "http://u@127.0.0.1:4567/hook",
        ] {
            assert!(Address::parse(text, allowed).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_ip_address_is_never_a_public_name(address: std::net::Ipv4Addr) {
            let number = u32::from(address);
            for host in [
                address.to_string(),
                number.to_string(),
                format!("{number:#x}"),
                format!("{number:#o}").replace("0o", "0"),
            ] {
                prop_assert!(!is_public_name(&host));
            }
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC*") {
            let _ = Address::parse(&text, "");
        }
    }

    /// The example of the specification.
    #[test]
    fn a_call_is_signed_as_in_the_specification() {
        let key = Secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signature = sign(
            std::slice::from_ref(&key),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn both_keys_sign_while_one_replaces_the_other() {
        let keys = [Secret::random(), Secret::random()];
        let now = Timestamp::UNIX_EPOCH;
        let signed = sign(&keys, "msg_1", now, "{}");
        let each: Vec<String> = keys
            .iter()
            .map(|it| sign(std::slice::from_ref(it), "msg_1", now, "{}"))
            .collect();
        assert_eq!(signed, each.join(" "));
        assert_ne!(each[0], each[1]);
    }
}
