//! What signin asks of others over HTTP: password hashes, and the keys of other issuers.

pub mod issuers;
pub mod passwords;
