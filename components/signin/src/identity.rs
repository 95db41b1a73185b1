//! Extractors of the callers that this component's handlers ask for.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kit::identity::{Caller, FORBIDDEN, PROOF_TOO_OLD, RECENT_S, Role, SAME_DAY_S};
use kit::web::{Input, Operation, Problem, Security};

use crate::client::Actor;

macro_rules! callers {
    ($(
        $(#[$doc:meta])*
        $name:ident(roles: [$($role:ident),*], scoped: $scoped:literal $(, proven within: $seconds:expr)?);
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Actor);

        impl $name {
            pub fn check(caller: &Caller) -> Result<(), Problem> {
                let roles: &[Role] = &[$(Role::$role),*];
                let has_role = roles.is_empty() || caller.roles.any(roles);
                if !has_role || !($scoped || caller.scope.is_none()) {
                    return Err(FORBIDDEN);
                }
                $(caller.check_proof($seconds)?;)?
                Ok(())
            }
        }

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let actor = Actor::from_request_parts(parts, state).await?;
                Self::check(&actor.caller)?;
                Ok(Self(actor))
            }
        }

        impl Input for $name {
            fn describe(operation: &mut Operation) {
                Actor::describe(operation);
                let roles: &[Role] = &[$(Role::$role),*];
                if !roles.is_empty() {
                    let names = roles.iter().map(|it| it.name()).collect();
                    operation.add_security(Security::Roles(names));
                }
                $(
                    let _: i64 = $seconds;
                    operation.add_refusals([PROOF_TOO_OLD]);
                )?
            }
        }
    )*};
}

callers! {
    /// A caller whose token has no scope. A token with one neither makes further tokens nor changes how its
    /// person signs in.
    Unscoped(roles: [], scoped: false);
    /// The same, with a proof of who they are from the last ten minutes: for what is hard to undo.
    Proven(roles: [], scoped: false, proven within: RECENT_S);
    /// The same on paths of replaced systems, whose clients can only sign in again: within a day.
    ProvenToday(roles: [], scoped: false, proven within: SAME_DAY_S);
    /// A platform admin whose token has no scope: what admins do to others exceeds any scope.
    UnscopedAdmin(roles: [Admin], scoped: false);
    /// A caller who manages accounts: admins manage all of them, zone admins manage accounts that they registered.
    Manager(roles: [ZoneAdmin, Admin], scoped: false);
    /// A caller who may see other users.
    Moderator(roles: [Moderator, Admin], scoped: true);
}
