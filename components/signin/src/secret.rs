//! Secrets that are given out. Only their digest is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// 244 random bits behind a prefix that names the kind: secret scanners find a leaked one by it.
pub fn generate(kind: &str) -> String {
    let (left, right) = (Uuid::new_v4(), Uuid::new_v4());
    let bytes = [left.into_bytes(), right.into_bytes()].concat();
    format!("{kind}_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The stored form. A secret of that length needs no salt and no slow hash.
pub fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_differ() {
        let secret = generate("wharf_pat");
        assert!(
            secret.starts_with("wharf_pat_") && secret.len() == 10 + 43,
            "{secret}"
        );
        assert_ne!(digest(&secret), digest(&generate("wharf_pat")));
    }
}
