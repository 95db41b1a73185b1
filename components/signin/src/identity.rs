//! Extractors of the callers that this component's handlers ask for.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kit::identity::{Caller, FORBIDDEN, Role};
use kit::web::{Input, Operation, Problem, Security};

use crate::client::Actor;

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident(roles: [$($role:ident),*], scoped: $scoped:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Actor);

        impl $name {
            pub fn check(caller: &Caller) -> Result<(), Problem> {
                let roles: &[Role] = &[$(Role::$role),*];
                let has_role = roles.is_empty() || caller.roles.any(roles);
                match has_role && ($scoped || caller.scope.is_none()) {
                    true => Ok(()),
                    false => Err(FORBIDDEN),
                }
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
            }
        }
    )*};
}

callers! {
    /// A caller whose token has no scope. A token with one neither makes further tokens nor changes how its
    /// person signs in.
    Unscoped(roles: [], scoped: false);
    /// A platform admin whose token has no scope: what admins do to others exceeds any scope.
    UnscopedAdmin(roles: [Admin], scoped: false);
    /// A caller who manages accounts: admins those of everyone, zone admins those that they registered.
    Manager(roles: [ZoneAdmin, Admin], scoped: false);
    /// A caller who may see other users.
    Moderator(roles: [Moderator, Admin], scoped: true);
}
