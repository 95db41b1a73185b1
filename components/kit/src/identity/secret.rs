//! Shared secrets that a request shows.

use sha2::{Digest, Sha256};

/// Whether what was shown is the secret. Digests are compared, so the time it takes tells nothing
/// about the secret; a secret that is not set lets no request in.
pub fn is_secret(shown: &str, secret: &str) -> bool {
    !secret.is_empty() && Sha256::digest(shown) == Sha256::digest(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_not_set_lets_no_request_in() {
        assert!(is_secret("s", "s"));
        assert!(!is_secret("s", "t"));
        assert!(!is_secret("", ""));
    }
}
