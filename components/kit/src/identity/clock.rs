//! A clock outside of the host: on platforms without Redis triggers a cron calls
//! the tick routes, and shows a token of its own.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::caller::{INVALID_TOKEN, NO_TOKEN};
use super::secret::is_secret;
use crate::setting::setting;
use crate::web::{Input, Operation, Problem, Security};

/// A call that carries the variable `tick_token` as its bearer token.
#[derive(Debug)]
pub struct Clock;

impl<S: Sync> FromRequestParts<S> for Clock {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let shown = bearer(parts).ok_or(NO_TOKEN)?;
        if is_secret(shown, setting("tick_token").await?) {
            Ok(Self)
        } else {
            Err(INVALID_TOKEN)
        }
    }
}

impl Input for Clock {
    fn describe(operation: &mut Operation) {
        operation.add_security(Security::Secret);
        operation.add_refusals([NO_TOKEN, INVALID_TOKEN]);
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts
        .headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn only_a_bearer_token_counts() {
        let shown = |value: &str| {
            let request = Request::post("/").header("authorization", value);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            bearer(&parts).map(str::to_owned)
        };
        assert_eq!(shown("Bearer t"), Some("t".to_owned()));
        assert_eq!(shown("Basic t"), None);
        assert_eq!(shown("t"), None);
    }
}
