//! Modpacks: packs of files for games, their versions, and the bytes in S3, public or private to the last byte.
//!
//! Read in this order: [`routes`] holds the HTTP operations; [`pack`], [`version`], [`dependency`], [`file`],
//! [`path`] and [`picture`] are the rules, [`viewer`] is the reader; [`upload`] hands out addresses of S3, [`verify`] reads
//! uploaded bytes with the digests of [`digest`]; [`markdown`] renders texts of authors; [`export`] writes versions as
//! launchers read them; [`import`] and [`archive`] read packs of other platforms, of which [`unpack`] makes drafts;
//! [`upkeep`] is the work of the tick, [`audit`] compares rows and objects; [`store`] is the SQL, [`calls`] the calls to
//! signin, [`error`] every refusal.
//!
//! Invariants, held by the functions in `migrations/modpacks`:
//! - a file is served only after its bytes were read and matched the announced size and digests; they cannot change then;
//! - a thing that the viewer may not see is answered like one that does not exist, by the same statements;
//! - a published version does not change; it is yanked or deleted as a whole;
//! - bytes are deleted when no file needs them, and never before;
//! - the bytes of a user's packs and of their running uploads stay within the quota.

kit::bindings!("wharf:signin/accounts-caller", ["../../wit/signin.wit"]);

mod archive;
mod audit;
mod calls;
mod dependency;
mod digest;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod export;
mod file;
mod import;
mod markdown;
mod pack;
mod path;
mod picture;
pub mod routes;
mod store;
#[cfg(test)]
mod tests;
mod unpack;
pub mod upkeep;
mod upload;
mod verify;
mod version;
mod viewer;
mod zip;
