//! Ids of requests and messages, for logs and responses.

use std::fmt::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Whether an id that a client sent is safe to log.
pub fn is_safe(id: &[u8]) -> bool {
    (1..=64).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Unique across hosts and restarts, since each starts at a random number; guessable.
pub fn new() -> String {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(uuid::Uuid::new_v4().as_u64_pair().0));
    // SplitMix64: consecutive ids look unrelated, and none repeats within 2^64.
    let mut id = NEXT.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
    id = (id ^ (id >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    id = (id ^ (id >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    id ^= id >> 31;
    let mut text = String::with_capacity(16);
    let _ = write!(text, "{id:016x}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_ids_differ_and_are_safe() {
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        assert!(is_safe(one.as_bytes()));
    }
}
