//! The front door: the home page, the API description and the page that shows it and tries it out.
//!
//! Read in this order: [`routes`] is what can be asked, [`file`](mod@file) serves embedded files with validators,
//! [`home`] is the home page, [`preference`] reads `Accept` and `Accept-Encoding`. `src/pages` is what browsers
//! get; `build.rs` prepares the description.
//!
//! Invariants:
//! - no database, no outbound request, no state: all that is served is part of the wasm;
//! - the pages need nothing from elsewhere and hold no inline script or style, so their
//!   Content-Security-Policy allows neither.

#[cfg(target_family = "wasm")]
mod entry;
mod file;
mod home;
mod preference;
pub mod routes;
#[cfg(test)]
mod tests;
