//! Letters: secrets that are sent by e-mail to reset a password or to verify a mailbox.

use kit::Word;

use crate::secret;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Purpose {
    Reset,
    Verify,
}

/// A letter that is about to be sent.
pub struct Letter {
    /// What is stored of the secret.
    pub digest: Vec<u8>,
    pub secret: String,
    pub seconds: i64,
}

impl Letter {
    pub fn new(purpose: Purpose) -> Self {
        let (kind, seconds) = match purpose {
            // The person waits for it at their desk.
            Purpose::Reset => ("wharf_reset", 30 * 60),
            // It may be read tomorrow.
            Purpose::Verify => ("wharf_verify", 2 * 86_400),
        };
        let secret = secret::generate(kind);
        Self {
            digest: secret::digest(&secret),
            secret,
            seconds,
        }
    }
}
