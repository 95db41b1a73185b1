//! Tests with the real stores: PostgreSQL, Redis and S3 are started, killed and started again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

mod data_folder;
mod host;
mod migrations;
mod restarts;
mod s3;
mod templates;
mod values;
