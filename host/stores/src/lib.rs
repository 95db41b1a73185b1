//! The stores an application needs, from one call: PostgreSQL and Redis as supervised child
//! processes, S3 inside the process, or whatever addresses were given instead; the migrations of
//! the database; and the values (keys, passwords, addresses) that an application's variables may
//! name as their source.
//!
//! Reading order: `stores` (start and stop), `child` (how a process is kept alive), `postgres` and
//! `redis`, `s3`, `migrations` and `migrate`, `values`.
//!
//! Deliberately not here: the manifest (only how values and variables are written), TLS to external
//! servers, and anything that knows what an application does with its stores. Linux only: death
//! signals and `/proc` are what makes "gone when the host is gone" true.

mod child;
mod env_file;
mod error;
mod home;
mod kept;
mod log_file;
mod migrate;
mod migrations;
mod ports;
mod postgres;
mod process;
mod programs;
mod redis;
mod s3;
mod signing_key;
mod stores;
mod template;
mod values;
mod variables_file;

pub use env_file::EnvFile;
pub use error::{Error, Result};
pub use home::left_over;
pub use migrate::migrate;
pub use migrations::Migrations;
pub use process::end_with_this_thread;
pub use stores::{Addresses, Options, Progress, S3Address, Store, Stores, Wanted};
pub use template::Template;
pub use values::{Given, Values};
pub use variables_file::add_variables;
