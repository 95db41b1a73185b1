//! The caller of a request. A handler without one of these parameters is public.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use uuid::Uuid;

use super::cookie::{cookie_tokens, is_same_origin};
use super::role::{Role, Roles};
use super::scope::{self, RPC};
use super::session::{self, Standing};
use super::token::{self, Claims, Refused, Unverifiable};
use crate::web::{Input, Operation, Problem, Security};

/// Any signed-in user.
#[derive(Clone, Debug)]
pub struct Caller {
    pub id: Uuid,
    pub username: String,
    pub roles: Roles,
    /// The sign-in this request belongs to.
    pub session: Uuid,
    /// Without a scope, the token may do all that its bearer may do.
    pub scope: Option<String>,
    /// When the token stops working, in Unix seconds.
    pub expires_at: i64,
    /// When the person last proved who they are, in Unix seconds.
    pub proven_at: i64,
    /// How they proved it, in the words of RFC 8176.
    pub proofs: Vec<String>,
}

/// For how long a proof is recent enough for what is hard to undo.
pub const RECENT_S: i64 = 10 * 60;
/// The same for the paths of replaced systems, whose clients can only sign in again: a day.
pub const SAME_DAY_S: i64 = 86_400;

impl Caller {
    pub fn is(&self, role: Role) -> bool {
        self.roles.has(role)
    }

    pub fn is_admin(&self) -> bool {
        self.is(Role::Admin)
    }

    /// Refuses a caller whose last proof is older than that.
    pub fn check_proof(&self, max_age_s: i64) -> Result<(), Problem> {
        match crate::now().as_second() - self.proven_at <= max_age_s {
            true => Ok(()),
            false => Err(PROOF_TOO_OLD),
        }
    }

    /// The caller of a request, if they hold one of the roles.
    pub async fn with_role<S: Sync>(
        parts: &mut Parts,
        state: &S,
        roles: &[Role],
    ) -> Result<Self, Problem> {
        let caller = <Self as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        match caller.roles.any(roles) {
            true => Ok(caller),
            false => Err(FORBIDDEN),
        }
    }
}

impl From<&Claims> for Caller {
    fn from(claims: &Claims) -> Self {
        Self {
            id: claims.sub,
            username: claims.username.clone(),
            roles: claims.roles,
            session: claims.sid,
            scope: claims.scope.clone(),
            expires_at: claims.exp,
            proven_at: claims.auth_time.unwrap_or(claims.iat),
            proofs: claims.amr.clone(),
        }
    }
}

pub const NO_TOKEN: Problem =
    Problem::new(StatusCode::UNAUTHORIZED, "no-token", "No token provided");
pub const INVALID_TOKEN: Problem =
    Problem::new(StatusCode::UNAUTHORIZED, "invalid-token", "Invalid token");
pub const FORBIDDEN: Problem = Problem::new(
    StatusCode::FORBIDDEN,
    "forbidden",
    "Not allowed for this user",
);

/// RFC 9470; the header says how old a proof may be.
pub const PROOF_TOO_OLD: Problem = Problem::new(
    StatusCode::UNAUTHORIZED,
    INSUFFICIENT_PROOF,
    "The last proof of who you are is too old; prove it again",
);

pub(crate) const INSUFFICIENT_PROOF: &str = "insufficient-user-authentication";

/// Neither Redis nor signin says whether the session is over.
const STANDING_UNKNOWN: Problem = Problem::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "unavailable",
    "Try again in a moment",
)
.retry_after_s(1);

pub const CROSS_ORIGIN: Problem = Problem::new(
    StatusCode::FORBIDDEN,
    "cross-origin",
    "A cookie is no proof for a request from another origin",
);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let token = bearer(parts)?.ok_or(NO_TOKEN)?;
        verified(token, parts).await
    }
}

/// For public handlers that show signed-in callers more. A bad token is refused all the same.
impl<S: Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        match bearer(parts)? {
            Some(token) => Ok(Some(verified(token, parts).await?)),
            None => Ok(None),
        }
    }
}

impl Input for Caller {
    fn describe(operation: &mut Operation) {
        operation.add_security(Security::SignedIn);
        operation.add_refusals([NO_TOKEN, INVALID_TOKEN, FORBIDDEN, CROSS_ORIGIN]);
    }
}

impl Input for Option<Caller> {
    fn describe(operation: &mut Operation) {
        Caller::describe(operation);
        operation.add_security(Security::Optional);
    }
}

async fn verified(token: &str, parts: &Parts) -> Result<Caller, Problem> {
    let now = crate::now().as_second();
    let caller: Caller = match token::verify(token, parts.extensions.get().copied(), now).await {
        Ok(claims) => (&*claims).into(),
        Err(Unverifiable::Refused(Refused::Invalid)) => return Err(INVALID_TOKEN),
        // One body for every bad token; only the RPC dialect tells expiry apart.
        Err(Unverifiable::Refused(Refused::Expired)) => return Err(INVALID_TOKEN.number(11)),
        Err(broken) => return Err(Problem::internal(&broken)),
    };
    let mut standing = session::standing(caller.session, now).await;
    if standing == Standing::Unknown {
        standing = match only_reads(parts) {
            true => Standing::Live,
            false => session::ask_signin(token).await,
        };
    }
    match standing {
        Standing::Live => {}
        Standing::Ended => return Err(INVALID_TOKEN),
        Standing::Unknown => return Err(STANDING_UNKNOWN),
    }
    match &caller.scope {
        Some(scope) if !scope::permits(scope, &parts.method, parts.uri.path()) => Err(FORBIDDEN),
        _ => Ok(caller),
    }
}

/// The token of a request. A request with different tokens is refused.
fn bearer(parts: &Parts) -> Result<Option<&str>, Problem> {
    let headers = &parts.headers;
    let mut found: Vec<&str> = Vec::new();
    for value in headers.get_all(header::AUTHORIZATION) {
        let (scheme, token) = text(value)?.split_once(' ').ok_or(INVALID_TOKEN)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(INVALID_TOKEN);
        }
        found.push(token.trim_ascii());
    }
    for value in headers.get_all("api_key") {
        found.push(text(value)?.trim_ascii());
    }
    found.extend(query_token(parts));
    let by_cookie = cookie_tokens(headers).collect::<Vec<_>>();
    if found.is_empty() && !by_cookie.is_empty() && !only_reads(parts) && !is_same_origin(headers) {
        return Err(CROSS_ORIGIN);
    }
    found.extend(by_cookie);
    found.dedup();
    match found.as_slice() {
        [] => Ok(None),
        [""] => Err(NO_TOKEN),
        [token] => Ok(Some(token)),
        _ => Err(INVALID_TOKEN),
    }
}

/// Cheaper than `HeaderValue::to_str`, which checks byte by byte. A value beyond ASCII is refused later: no token of ours has one.
fn text(value: &HeaderValue) -> Result<&str, Problem> {
    std::str::from_utf8(value.as_bytes()).map_err(|_| INVALID_TOKEN)
}

fn only_reads(parts: &Parts) -> bool {
    matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
        // There GET changes things too, and a link on any page would be enough.
        && !parts.uri.path().starts_with(RPC)
}

/// Old modpack clients send the token in the query, and only they may.
fn query_token(parts: &Parts) -> Option<&str> {
    if !parts.uri.path().starts_with(RPC) {
        return None;
    }
    parts
        .uri
        .query()?
        .split('&')
        .find_map(|it| it.strip_prefix("token="))
        .filter(|it| !it.is_empty())
}

macro_rules! proven {
    ($($(#[$doc:meta])* $name:ident within $seconds:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Caller);

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
                caller.check_proof($seconds)?;
                Ok(Self(caller))
            }
        }

        impl Input for $name {
            fn describe(operation: &mut Operation) {
                <Caller as Input>::describe(operation);
                operation.add_refusals([PROOF_TOO_OLD]);
            }
        }
    )*};
}

proven! {
    /// A caller who proved who they are within [`RECENT_S`].
    Recent within RECENT_S;
    /// A caller who proved who they are within [`SAME_DAY_S`].
    SameDay within SAME_DAY_S;
}

/// Extractors like [`Admin`]: a caller with a role, or 403. `holders! { /// … Driver: Driver; }`
#[macro_export]
macro_rules! holders {
    ($($(#[$doc:meta])* $name:ident: $($role:ident)|+;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub $crate::identity::Caller);

        impl<S: Sync> ::axum::extract::FromRequestParts<S> for $name {
            type Rejection = $crate::web::Problem;

            async fn from_request_parts(
                parts: &mut ::axum::http::request::Parts,
                state: &S,
            ) -> Result<Self, $crate::web::Problem> {
                let roles = [$($crate::identity::Role::$role),+];
                $crate::identity::Caller::with_role(parts, state, &roles).await.map(Self)
            }
        }

        impl $crate::web::Input for $name {
            fn describe(operation: &mut $crate::web::Operation) {
                <$crate::identity::Caller as $crate::web::Input>::describe(operation);
                let roles = vec![$($crate::identity::Role::$role.name()),+];
                operation.add_security($crate::web::Security::Roles(roles));
            }
        }
    )*};
}

holders! {
    /// A platform admin. A zone admin is not one.
    Admin: Admin;
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn found(request: axum::http::request::Builder) -> Result<Option<String>, &'static str> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let token = bearer(&parts).map_err(|it| it.code())?;
        Ok(token.map(str::to_owned))
    }

    #[test]
    fn a_token_is_taken_from_every_transport() {
        let ok = Ok(Some("t".to_owned()));
        assert_eq!(
            found(Request::get("/").header("authorization", "Bearer t")),
            ok
        );
        assert_eq!(found(Request::get("/").header("api_key", "t")), ok);
        assert_eq!(
            found(Request::get("/").header("cookie", "a=b; access_token=t")),
            ok
        );
        assert_eq!(found(Request::get("/api/method/users.get?token=t")), ok);
        assert_eq!(found(Request::get("/users?token=t")), Ok(None));
    }

    #[test]
    fn two_tokens_are_refused_unless_they_are_the_same() {
        let both = |other| {
            Request::get("/")
                .header("authorization", "Bearer t")
                .header("api_key", other)
        };
        assert_eq!(found(both("u")), Err("invalid-token"));
        assert_eq!(found(both("t")), Ok(Some("t".to_owned())));
    }

    #[test]
    fn a_cookie_changes_something_only_from_our_own_origin() {
        let post = |origin| {
            Request::post("/")
                .header("spin-full-url", "http://wharf.test:3000/x")
                .header("cookie", "access_token=t")
                .header("origin", origin)
        };
        for ours in ["http://wharf.test:3000", "https://wharf.test:3000"] {
            assert_eq!(found(post(ours)), Ok(Some("t".to_owned())));
        }
        for other in ["https://evil.test", "http://wharf.test", "null", ""] {
            assert_eq!(found(post(other)), Err("cross-origin"), "{other}");
        }
        let silent = Request::post("/").header("cookie", "access_token=t");
        assert_eq!(found(silent), Err("cross-origin"));
        let nowhere = Request::post("/")
            .header("cookie", "access_token=t")
            .header("origin", "null");
        assert_eq!(found(nowhere), Err("cross-origin"));
    }

    #[test]
    fn a_link_to_a_method_by_name_is_not_followed_with_a_cookie() {
        let followed = |address: &str| {
            Request::get(address)
                .header("spin-full-url", format!("http://wharf.test{address}"))
                .header("cookie", "access_token=t")
        };
        assert_eq!(found(followed("/auth/me")), Ok(Some("t".to_owned())));
        let method = "/api/method/users.setRole?user_id=7&role=99";
        assert_eq!(found(followed(method)), Err("cross-origin"));
        let from_us = followed(method).header("origin", "http://wharf.test");
        assert_eq!(found(from_us), Ok(Some("t".to_owned())));
        let two = followed("/api/method/users.get?token=u");
        assert_eq!(found(two), Err("invalid-token"));
    }
}
