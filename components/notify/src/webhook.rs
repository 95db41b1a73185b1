//! Webhooks: programs of users are told, in the form of Standard Webhooks.
//!
//! A user chooses the address, so it is a stranger's: it must have a public name
//! and speak https on its usual port, redirects are not followed, and the host
//! connects only to what is no private network (`block_private_networks`), however
//! the name resolves.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use kit::outbound::{self, Failed};
use kit::relay::Outcome;
use kit::{Db, setting};
use sha2::Sha256;
use uuid::Uuid;

use crate::error::Error;
use crate::plan::ToWebhook;
use crate::store;

const PATIENCE: Duration = Duration::from_secs(10);

/// An address that a stranger may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    #[error("it is no address, or longer than 2000 characters")]
    Unreadable,
    #[error("it must begin with https:// and name no port")]
    Scheme,
    #[error("it must not carry a user name or password")]
    User,
    #[error("its host must be a public name, as hooks.example.com")]
    Host,
}

/// Names that lead nowhere public (RFC 6761, RFC 8375 and what is common in offices).
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
    /// `tried` is an origin that may be named all the same: a developer's own machine.
    pub fn parse(text: &str, tried: &str) -> Result<Self, BadAddress> {
        if text.len() > 2000 {
            return Err(BadAddress::Unreadable);
        }
        let uri: Uri = text.parse().map_err(|_| BadAddress::Unreadable)?;
        let authority = uri.authority().ok_or(BadAddress::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(BadAddress::User);
        }
        let scheme = uri.scheme_str().unwrap_or_default();
        if !tried.is_empty() && format!("{scheme}://{authority}") == tried {
            return Ok(Self(uri.to_string()));
        }
        if scheme != "https" || authority.port().is_some() {
            return Err(BadAddress::Scheme);
        }
        if !is_public_name(authority.host()) || authority.as_str() != authority.host() {
            return Err(BadAddress::Host);
        }
        Ok(Self(uri.to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Two or more labels, the last of which is a word. No form of an IP address ends in a word: neither
/// 127.0.0.1 nor 2130706433, 0x7f.1, 017700000001 or [::ffff:127.0.0.1].
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

/// The key of a webhook: as it is stored, base64 of 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 244 random bits.
    pub fn random() -> Self {
        let bytes = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
        Self(STANDARD.encode(bytes))
    }

    pub fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_stored(&self) -> &str {
        &self.0
    }

    /// As its owner is shown it, once.
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

/// The `webhook-signature` of a call: one for each key that is in force.
fn signatures(keys: &[Secret], id: &str, at: Timestamp, body: &str) -> String {
    let signed = format!("{id}.{}.{body}", at.as_second());
    let signatures: Vec<String> = keys.iter().filter_map(|it| it.sign(&signed)).collect();
    signatures.join(" ")
}

thread_local! {
    /// The calls that this instance has under way, by owner.
    static UNDER_WAY: RefCell<HashMap<Uuid, usize>> = RefCell::default();
}

/// One owner's programs take no more of an instance than this: others want to be told too.
const AT_ONCE: usize = 8;
/// A call that found its owner at their limit is tried again so much later.
const TURN_OVER: Duration = Duration::from_secs(2);

/// The right to make one call, until it is dropped.
struct Slot(Uuid);

impl Slot {
    fn take(owner: Uuid) -> Option<Self> {
        UNDER_WAY.with_borrow_mut(|it| {
            let count = it.entry(owner).or_default();
            (*count < AT_ONCE).then(|| {
                *count += 1;
                Self(owner)
            })
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        UNDER_WAY.with_borrow_mut(|it| match it.get_mut(&self.0) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(it.remove(&self.0)),
        });
    }
}

pub async fn deliver(db: &Db, event: Uuid, call: &ToWebhook) -> Result<Outcome, Error> {
    // Deleted or disabled since: nobody waits for it.
    let Some(webhook) = store::webhook_to_call(db, call.webhook).await? else {
        return Ok(Outcome::DONE);
    };
    if !webhook.rests.is_zero() {
        return Ok(Outcome::Later(webhook.rests));
    }
    let Some(_slot) = Slot::take(webhook.owner) else {
        return Ok(Outcome::Later(TURN_OVER));
    };
    // What is allowed may have changed since it was registered.
    let address = match Address::parse(&webhook.url, setting("webhook_test_origin").await?) {
        Ok(address) => address,
        Err(bad) => return Ok(Outcome::Never(format!("the address is not called: {bad}"))),
    };
    let (id, now, body) = (format!("msg_{event}"), kit::now(), call.body.to_string());
    let request = Request::post(address.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "wharf-webhooks/1")
        .header("webhook-id", &id)
        .header("webhook-timestamp", now.as_second())
        .header(
            "webhook-signature",
            signatures(&webhook.keys, &id, now, &body),
        )
        .body(Bytes::from(body))
        .map_err(|_| Failed::NoAddress);
    let answer = match request {
        Ok(request) => outbound::send_for_status(request, PATIENCE).await,
        Err(failed) => Err(failed),
    };
    match answer {
        Ok(answer) if answer.status == StatusCode::GONE => {
            store::webhook_disable(db, call.webhook, "it answered 410 Gone").await?;
            Ok(Outcome::DONE)
        }
        Ok(answer) if answer.status.is_success() => {
            if webhook.failures > 0 {
                store::webhook_took(db, call.webhook).await?;
            }
            Ok(Outcome::DONE)
        }
        Ok(answer) => {
            let after = answer.retry_after(kit::now());
            store::webhook_failed(db, call.webhook, after).await?;
            Ok(Outcome::Again {
                why: format!("it answered {}", answer.status),
                after,
            })
        }
        // Resolving again a day long will not make it public.
        Err(failed @ (Failed::Forbidden | Failed::NoAddress)) => {
            store::webhook_disable(db, call.webhook, &failed.to_string()).await?;
            Ok(Outcome::Never(failed.to_string()))
        }
        // Whether it was read, nobody knows; the same id tells them that it is the same call.
        Err(failed) => {
            store::webhook_failed(db, call.webhook, None).await?;
            Ok(Outcome::again(failed))
        }
    }
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
    fn no_form_of_a_private_address_is_one() {
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
        assert_eq!(refused("http://example.com/"), BadAddress::Scheme);
        assert_eq!(refused("ftp://example.com/"), BadAddress::Scheme);
        assert_eq!(refused("https://example.com:6379/"), BadAddress::Scheme);
        assert_eq!(refused("https://example.com@10.0.0.1/"), BadAddress::User);
        assert_eq!(refused("https://u:p@example.com/"), BadAddress::User);
        assert_eq!(refused("/relative"), BadAddress::Unreadable);
        assert_eq!(refused(""), BadAddress::Unreadable);
    }

    #[test]
    fn a_developers_own_origin_is_tried_and_no_other() {
        let tried = "http://127.0.0.1:4567";
        assert!(Address::parse("http://127.0.0.1:4567/hook", tried).is_ok());
        for text in [
            "http://127.0.0.1:4568/hook",
            "http://127.0.0.1:45670/hook",
            "http://127.0.0.1/hook",
            "https://127.0.0.1:4567/hook",
            "http://u@127.0.0.1:4567/hook",
        ] {
            assert!(Address::parse(text, tried).is_err(), "{text}");
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
        fn any_text_is_judged(text in "\\PC*") {
            let _ = Address::parse(&text, "");
        }
    }

    /// The example of the specification.
    #[test]
    fn a_call_is_signed_as_the_standard_has_it() {
        let key = Secret::stored("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signature = signatures(
            std::slice::from_ref(&key),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn one_owner_does_not_take_all_of_an_instance() {
        let (slow, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut slots: Vec<Slot> = (0..AT_ONCE).filter_map(|_| Slot::take(slow)).collect();
        assert_eq!(slots.len(), AT_ONCE);
        assert!(Slot::take(slow).is_none());
        assert!(Slot::take(other).is_some());
        slots.pop();
        assert!(Slot::take(slow).is_some());
        drop(slots);
        UNDER_WAY.with_borrow(|it| assert!(it.is_empty()));
    }

    #[test]
    fn both_keys_sign_while_one_replaces_the_other() {
        let keys = [Secret::random(), Secret::random()];
        let now = Timestamp::UNIX_EPOCH;
        let signed = signatures(&keys, "msg_1", now, "{}");
        let each: Vec<String> = keys
            .iter()
            .map(|it| signatures(std::slice::from_ref(it), "msg_1", now, "{}"))
            .collect();
        assert_eq!(signed, each.join(" "));
        assert_ne!(each[0], each[1]);
    }
}
