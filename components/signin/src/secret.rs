//! Secrets that we give out and keep the digest of.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// 244 random bits behind a word that says what it is, so that one that leaks is found by it.
pub fn new(kind: &str) -> String {
    let (left, right) = (Uuid::new_v4(), Uuid::new_v4());
    let bytes = [left.into_bytes(), right.into_bytes()].concat();
    format!("{kind}_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept. A secret of that length needs no salt and no slow hash.
pub fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

/// Six decimal digits, each as likely as any other.
pub fn six_digits() -> String {
    // 2^122 is so much more than a million that the remainder leans to no side.
    format!("{:06}", Uuid::new_v4().as_u128() % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_secrets_are_the_same() {
        let secret = new("wharf_pat");
        assert!(
            secret.starts_with("wharf_pat_") && secret.len() == 10 + 43,
            "{secret}"
        );
        assert_ne!(digest(&secret), digest(&new("wharf_pat")));
        assert!(six_digits().len() == 6);
    }
}
