//! Runs the stores of an application: PostgreSQL and Redis as supervised child processes, and an S3
//! server in this process. A given address replaces an embedded store. The crate also applies
//! migrations and generates the values (keys, passwords, addresses) of the application's variables.
//!
//! Reading order: `options`, `stores` (start and stop), `child` (supervises a process), `postgres`
//! and `redis`, `s3`, `migrations` and `migrate`, `values`.
//!
//! Not here: TLS to external servers, and any knowledge of the application's data. Linux only: the
//! parent-death signal and `/proc` make sure that no child outlives the host.

mod child;
mod data_folder;
mod env_file;
mod error;
mod log_file;
mod migrate;
mod migrations;
mod options;
mod ports;
mod postgres;
mod private_file;
mod process;
mod programs;
mod random;
mod redis;
mod s3;
mod signing_key;
mod stores;
mod template;
mod values;
mod variables_file;

pub use data_folder::find_abandoned_folders;
pub use env_file::EnvFile;
pub use error::{Error, Result};
pub use migrate::migrate;
pub use migrations::Migrations;
pub use options::{Addresses, Options, Progress, S3Address, Store, Wanted};
pub use private_file::write as write_private_file;
pub use process::set_parent_death_signal;
pub use programs::{MIN_REDIS_FOR_LOGINS, redis_version};
pub use stores::Stores;
pub use template::Template;
pub use values::{SharedSecret, Values};
pub use variables_file::add_variables;
