//! The console: what the platform does, as pages for people.
//!
//! Read in this order: [`routes`] joins the tables of the sections, [`visitor`] is who asks and calls other functions in their
//! name, [`page`] puts a section's content into the frame of every page, [`fields`] is a form as it was filled in, [`lists`] are parts of lists,
//! [`words`] writes money and moments, [`error`] is what a call may end with. A section is one file in `src/sections`, with its
//! routes, its handlers and what it reads of other functions; its pages are in `src/pages`.
//!
//! Invariants:
//! - the console is one more client: it has no database and no rule, and calls other functions with the caller's own token, so it can do nothing
//!   that the caller cannot;
//! - no page holds a token, and none needs JavaScript;
//! - what moves money or makes something carries an `Idempotency-Key` from the page, so that a form that is sent twice is
//!   carried out once.

#[cfg(target_family = "wasm")]
mod entry;
mod error;
mod fields;
mod lists;
mod page;
pub mod routes;
mod sections;
#[cfg(test)]
mod tests;
mod visitor;
mod words;
