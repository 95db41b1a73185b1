//! The two callers of the sandbox: the payer, and the merchant with its access token. There is neither outside a
//! sandbox.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use kit::web::{Input, Operation, Problem, Security};
use kit::{flag, setting};
use subtle::ConstantTimeEq;

use crate::error::Error;

/// The payer: any caller, while this is a sandbox. Its money has no value.
pub struct Payer;

impl<S: Sync> FromRequestParts<S> for Payer {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Problem> {
        match flag("sandbox").await? {
            true => Ok(Self),
            false => Err(Error::NoSandbox.into()),
        }
    }
}

impl Input for Payer {
    fn describe(operation: &mut Operation) {
        operation.add_refusals([Error::NO_SANDBOX]);
    }
}

/// The merchant: a caller who shows the access token. `key` is its idempotency key.
pub struct Merchant {
    pub key: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Merchant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Payer::from_request_parts(parts, state).await?;
        let token = setting("psp_token").await?;
        let header = |name| parts.headers.get(name).and_then(|it| it.to_str().ok());
        let given = header(header::AUTHORIZATION.as_str())
            .and_then(|it| it.strip_prefix("Bearer "))
            .ok_or(Error::NotTheMerchant)?;
        if !bool::from(given.as_bytes().ct_eq(token.as_bytes())) {
            return Err(Error::NotTheMerchant.into());
        }
        Ok(Self {
            key: header("x-idempotency-key").map(str::to_owned),
        })
    }
}

impl Input for Merchant {
    fn describe(operation: &mut Operation) {
        Payer::describe(operation);
        operation.add_security(Security::Secret);
        operation.add_refusals([Error::NOT_THE_MERCHANT]);
    }
}
