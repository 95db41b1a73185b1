//! The real things: PostgreSQL, Redis and S3 are started, killed, started again.

mod data_folder;
mod migrations;
mod restarts;
mod templates;
mod values;
