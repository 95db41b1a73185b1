//! The tokens of a chat as they are stored: encrypted and authenticated (XChaCha20-Poly1305), under a key that the
//! database does not know. They belong to their chat: moved to the row of another one, they cannot be opened.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::platform::Token;

/// The stored part of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub token: Token,
    pub refresh_token: String,
}

const NONCE: usize = 24;

/// The stored form: a nonce of its own, then the ciphertext.
pub fn seal(key: &str, chat: i64, kept: &Kept) -> Option<Vec<u8>> {
    let (left, right) = (Uuid::new_v4(), Uuid::new_v4());
    let random = [left.into_bytes(), right.into_bytes()].concat();
    let nonce: [u8; NONCE] = random.get(..NONCE)?.try_into().ok()?;
    let text = serde_json::to_vec(kept).ok()?;
    let payload = Payload {
        msg: &text,
        aad: &chat.to_be_bytes(),
    };
    let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload).ok()?;
    Some([nonce.as_slice(), &sealed].concat())
}

pub fn open(key: &str, chat: i64, stored: &[u8]) -> Option<Kept> {
    let (nonce, sealed) = stored.split_at_checked(NONCE)?;
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    let payload = Payload {
        msg: sealed,
        aad: &chat.to_be_bytes(),
    };
    let text = cipher(key).decrypt(&XNonce::from(nonce), payload).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The variable is long and random, so one hash makes a key of it.
fn cipher(key: &str) -> XChaCha20Poly1305 {
    let key: [u8; 32] = Sha256::digest(key).into();
    XChaCha20Poly1305::new(&key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept {
            token: Token("an access token".to_owned()),
            refresh_token: "a refresh token".to_owned(),
        }
    }

    #[test]
    fn tokens_open_only_with_their_key_in_their_chat() {
        let sealed = seal("key", 7, &kept()).unwrap();
        assert_eq!(open("key", 7, &sealed), Some(kept()));
        assert_eq!(open("another key", 7, &sealed), None);
        assert_eq!(open("key", 8, &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open("key", 7, &changed), None, "byte {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(open("key", 7, &sealed[..length]), None);
        }
    }

    #[test]
    fn the_same_tokens_are_sealed_differently_and_show_nothing() {
        let (first, second) = (seal("key", 7, &kept()), seal("key", 7, &kept()));
        assert_ne!(first, second);
        let text = String::from_utf8_lossy(&first.unwrap()).into_owned();
        assert!(!text.contains("token"), "{text}");
    }
}
