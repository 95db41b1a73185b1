//! The roles that this component's handlers ask for. The rights of a caller in a zone are decided in SQL.

use kit::identity::Caller;

/// The shared login of people who park without an account.
const GUEST: &str = "guest";

/// Whether the caller is the shared guest. It owns nothing: plates that it registers have no owner, and it is not shown the
/// tickets and fines that were bought and paid with it, because another person uses it next.
pub fn is_guest(caller: &Caller) -> bool {
    caller.username.eq_ignore_ascii_case(GUEST)
}

kit::holders! {
    /// A caller who may found a zone.
    Founder: ZoneAdmin | Admin;
}
