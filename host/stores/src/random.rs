//! Random texts for passwords and names.

use crate::error::{Error, Result};

/// Letters and digits only: they need no quoting in a URL, a shell or a configuration file.
pub(crate) fn random_text(length: usize) -> Result<String> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::NoValue(format!("cannot get random bytes: {error}")))?;
        // Drops bytes from 248 = 4 × 62 on, which would make some letters more likely.
        let letters = bytes
            .iter()
            .filter(|byte| **byte < 248)
            .filter_map(|byte| LETTERS.get(usize::from(byte % 62)));
        text.extend(
            letters
                .map(|letter| char::from(*letter))
                .take(length - text.len()),
        );
    }
    Ok(text)
}
