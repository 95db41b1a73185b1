//! What every function shares: how a request is read, who is calling, how SQL
//! is run, what money is, how a refusal and an event are written.
//!
//! One module per noun. A handler meets them in this order: [`Caller`] (who),
//! [`Json`] / [`Form`] / [`Query`] / [`Keyed`] (what), [`Db`] (store),
//! [`Problem`] (no). [`answer`] is the edge that every component's entry calls.
//!
//! Nothing here knows a domain word: what only one component needs lives there.

mod answer;
mod body;
mod caller;
mod clock;
pub mod db;
mod dialect;
pub mod event;
pub mod http;
mod idempotency;
mod language;
mod money;
pub mod outbound;
mod page;
mod problem;
pub mod redis;
pub mod relay;
mod request_id;
mod role;
mod scope;
mod secret;
pub mod session;
mod setting;
mod spelling;
pub mod token;

pub use answer::answer;
pub use body::{Form, Json, Path, Query};
pub use caller::{Admin, Caller, Driver, FORBIDDEN, INVALID_TOKEN, NO_TOKEN, Owner};
pub use clock::Clock;
pub use db::{Db, DbError, FromRow, Row};
pub use dialect::{Dialect, speaking};
pub use idempotency::{Keyed, Once};
pub use language::{Language, shortened};
pub use money::{Cents, Currency, Money, decimal};
pub use page::Page;
pub use problem::{FieldError, Problem};
pub use request_id::RequestId;
pub use role::{Role, Roles};
pub use scope::is_scope;
pub use secret::is_secret;
pub use setting::{Unset, flag, setting};
pub use spelling::Spellings;

/// The moment it is; a component asks once per request and passes it on.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
