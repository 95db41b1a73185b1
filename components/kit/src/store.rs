//! What is kept: PostgreSQL above all, the outbox in it, and Redis for wake-ups.

mod db;
pub mod erasure;
pub mod event;
mod idempotency;
#[cfg(feature = "s3")]
pub mod photo;
pub mod redis;
pub mod relay;
mod row;
#[cfg(feature = "s3")]
pub mod s3;
mod wake;

#[cfg(not(target_family = "wasm"))]
pub(crate) use db::INVALID_VALUE;
pub use db::{Db, DbError, ParameterValue};
pub use idempotency::{Keyed, Once, Replay, Replayable, purge_keys};
pub use kit_derive::FromRow;
pub use row::{Column, DbValue, Decided, FromRow, Only, Param, Row};
pub use wake::{drain_in_turn, sweep_in_turn};
