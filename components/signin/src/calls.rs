//! What signin asks of others over HTTP: password hashes, and what tokens of other issuers say.

pub mod issuers;
pub mod passwords;
