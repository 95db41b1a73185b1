//! The signature of a webhook: HMAC-SHA-256 with a secret that the provider shares. It does not cover the body,
//! which is not trusted anyway.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Bounds the replay of a recorded webhook: it is signed when it is sent.
const FRESH_FOR_S: i64 = 5 * 60;

/// Checks `x-signature: ts=…,v1=…` over `id:…;request-id:…;ts:…;`. Providers sign the id as it stands or in lower
/// case, so both are tried.
pub fn is_genuine(header: &str, request_id: &str, subject: &str, secret: &str, now_s: i64) -> bool {
    let Some((ts, v1)) = parts(header) else {
        return false;
    };
    if secret.is_empty() || !is_fresh(ts, now_s) {
        return false;
    }
    [subject.to_owned(), subject.to_lowercase()]
        .iter()
        .any(|id| {
            let expected = signature(id, request_id, ts, secret);
            expected.as_bytes().ct_eq(v1.as_bytes()).into()
        })
}

/// The `v1` of a webhook, in hex.
pub fn signature(id: &str, request_id: &str, ts: &str, secret: &str) -> String {
    let manifest = format!("id:{id};request-id:{request_id};ts:{ts};");
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of any length.
        return String::new();
    };
    mac.update(manifest.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn parts(header: &str) -> Option<(&str, &str)> {
    let value = |name| {
        header
            .split(',')
            .filter_map(|it| it.trim().split_once('='))
            .find_map(|(key, value)| (key.trim() == name).then_some(value.trim()))
    };
    Some((value("ts")?, value("v1")?)).filter(|(_, v1)| v1.len() == 64)
}

/// The time is in seconds or, on some of the provider's products, in milliseconds.
fn is_fresh(ts: &str, now_s: i64) -> bool {
    let Ok(ts) = ts.parse::<i64>() else {
        return false;
    };
    let ts_s = if ts > 100_000_000_000 { ts / 1000 } else { ts };
    now_s.saturating_sub(ts_s).saturating_abs() <= FRESH_FOR_S
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn header(id: &str, ts: &str, secret: &str) -> String {
        format!("ts={ts},v1={}", signature(id, "r-1", ts, secret))
    }

    fn genuine(header: &str, subject: &str) -> bool {
        is_genuine(header, "r-1", subject, "secret", NOW)
    }

    #[test]
    fn the_provider_may_sign_either_case() {
        let ts = NOW.to_string();
        assert!(genuine(&header("ORD01AB", &ts, "secret"), "ORD01AB"));
        assert!(genuine(&header("ord01ab", &ts, "secret"), "ORD01AB"));
        assert!(genuine(&header("1", &format!("{NOW}000"), "secret"), "1"));
    }

    #[test]
    fn another_secret_subject_or_request_is_forged() {
        let ts = NOW.to_string();
        let good = header("1", &ts, "secret");
        assert!(!genuine(&header("1", &ts, "guess"), "1"));
        assert!(!genuine(&good, "2"));
        assert!(!is_genuine(&good, "r-2", "1", "secret", NOW));
        assert!(!is_genuine(&header("1", &ts, ""), "r-1", "1", "", NOW));
        for wrong in [
            "",
            "ts=1",
            "v1=ab",
            "ts=x,v1=",
            &good.replace("ts=", "ts=1"),
        ] {
            assert!(!genuine(wrong, "1"), "{wrong}");
        }
    }

    #[test]
    fn a_recorded_webhook_goes_stale() {
        for (age, fresh) in [(0, true), (300, true), (301, false), (-301, false)] {
            let ts = (NOW - age).to_string();
            assert_eq!(genuine(&header("1", &ts, "secret"), "1"), fresh, "{age}");
        }
    }
}
