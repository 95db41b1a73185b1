//! The harness of the black-box tests in `tests/platform`: the real host with the real functions and stores, and clients
//! and systems outside of them.
//!
//! A test borrows the running platform ([`Stack::shared`]) or starts one of its own when it breaks
//! things ([`Stack::start`]), makes a [`User`], asks ([`Request`]) and looks at the [`Answer`], or opens pages ([`Browser`]), at the
//! database ([`Stack::sql`]) or at Redis ([`Stack::redis`]). [`eventually`] waits for a condition, [`at_once`] runs an act
//! on many threads at the same time, a [`Cable`] fails between the host and a store, an [`Outside`] is a system beyond the
//! platform that can be told to misbehave.
//!
//! Everything blocks, so a test reads in the order of its steps. Every answer has to match the API description
//! ([`described`]); the test decides which answer it should be. The harness fails by panicking, as a test does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod account;
mod answer;
mod at_once;
mod background;
mod browser;
mod cable;
pub mod described;
mod dice;
mod failure;
mod folder;
mod listening;
mod lock;
mod options;
mod outside;
mod pages;
mod photo;
mod record;
mod request;
mod stack;
mod stores;
mod times;
mod token;
mod user;
mod wait;

pub use answer::{Answer, Cookie};
pub use at_once::at_once;
pub use browser::{Browser, Page};
pub use cable::Cable;
pub use dice::Dice;
pub use folder::Folder;
pub use listening::Listening;
pub use options::Options;
pub use outside::{Outside, Received, Reply};
pub use pages::pages_read;
pub use photo::photo;
pub use request::Request;
pub use stack::{Shared, Stack};
pub use token::Token;
pub use user::{User, unique};
pub use wait::{eventually, eventually_some, now_s};
pub use wharf_launch::repository;
