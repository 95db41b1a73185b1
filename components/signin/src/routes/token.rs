//! OAuth's token endpoint (RFC 6749, RFC 8693).

use kit::web::{Form, Json, Problem, Schema};
use serde::{Deserialize, Serialize};

use crate::authentication::{self, Attempt};
use crate::client::Client;
use crate::error::Error;
use crate::exchange;
use crate::issue::Renewal;
use crate::session::SignedIn;

#[derive(Deserialize, Schema)]
pub struct TokenRequest {
    /// Absent means `password`.
    #[schemars(example = &"password")]
    grant_type: Option<String>,
    /// The login or the e-mail.
    #[schemars(example = &"ana@example.org")]
    username: Option<String>,
    #[schemars(example = &"Correct-Horse-1")]
    password: Option<String>,
    /// A code of the second factor, when the account has one.
    code: Option<String>,
    /// Of the grant type of that name.
    refresh_token: Option<String>,
    /// Of the token exchange.
    subject_token: Option<String>,
}

#[derive(Serialize, Schema)]
pub struct TokenResponse {
    access_token: String,
    #[schemars(example = &"bearer")]
    token_type: &'static str,
    /// In seconds.
    expires_in: i64,
    customer_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

impl From<SignedIn> for TokenResponse {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.token,
            token_type: "bearer",
            expires_in: signed_in.expires_in_s,
            customer_id: signed_in.account.number,
            refresh_token: signed_in.refresh_token,
            issued_token_type: None,
        }
    }
}

pub async fn issue_token(
    client: Client,
    Form(body): Form<TokenRequest>,
) -> Result<Json<TokenResponse>, Problem> {
    let tokens = match body.grant_type.as_deref() {
        None | Some("" | "password") => by_password(&body, &client).await?.into(),
        Some("refresh_token") => {
            let token = required(body.refresh_token.as_deref(), "refresh_token")?;
            let refreshed = authentication::refresh(token, &client).await;
            refreshed.map_err(refuse_grant)?.into()
        }
        Some("urn:ietf:params:oauth:grant-type:token-exchange") => {
            let token = required(body.subject_token.as_deref(), "subject_token")?;
            let exchanged = exchange::exchange(token, body.code.as_deref(), &client).await;
            TokenResponse {
                issued_token_type: Some("urn:ietf:params:oauth:token-type:access_token"),
                ..exchanged.map_err(refuse_grant)?.into()
            }
        }
        Some(_) => return Err(Error::UnsupportedGrant.into()),
    };
    Ok(Json(tokens))
}

async fn by_password(body: &TokenRequest, client: &Client) -> Result<SignedIn, Error> {
    let attempt = Attempt {
        name: required(body.username.as_deref(), "username")?,
        password: required(body.password.as_deref(), "password")?,
        code: body.code.as_deref(),
    };
    let signed_in = authentication::sign_in(attempt, Renewal::Refresh, client).await;
    signed_in.map_err(refuse_grant)
}

fn required<'a>(value: Option<&'a str>, field: &'static str) -> Result<&'a str, Error> {
    value.ok_or(Error::invalid(field, "missing field"))
}

fn refuse_grant(error: Error) -> Error {
    match error {
        Error::UnknownName | Error::WrongPassword => Error::BadGrant,
        Error::CodeRequired
        | Error::WrongCode
        | Error::SessionOver
        | Error::RefreshTokenReused
        | Error::BadRefreshToken
        | Error::ExpiredRefreshToken
        | Error::BadForeignToken => Error::RefusedGrant(error.reason().into_owned()),
        other => other,
    }
}
