//! Callers: the token of a request, the session it belongs to, roles and scopes.

mod caller;
mod clock;
mod cookie;
mod generations;
mod role;
mod scope;
mod secret;
pub mod session;
pub mod token;

pub(crate) use caller::INSUFFICIENT_PROOF;
pub use caller::{
    Admin, CROSS_ORIGIN, Caller, FORBIDDEN, INVALID_TOKEN, NO_TOKEN, PROOF_TOO_OLD, RECENT_S,
    Recent, SAME_DAY_S, SameDay,
};
pub use clock::Clock;
pub use cookie::{cookie_tokens, is_same_origin, session_cookie};
pub use role::{Role, Roles};
pub use scope::is_scope;
pub use secret::is_secret;
pub(crate) use token::Vouched;
