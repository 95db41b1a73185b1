//! What signin asks, by local service chaining.

use kit::setting;
use kit::web::{Dialect, Json, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::issuer::{self, Issuer};
use crate::{keys, store};

pub fn routes() -> Routes {
    Routes::new("Issuers", Dialect::Plain).post("/verify", verify_token, |it| {
        it.summary("Verify a token of another issuer")
            .note("The issuers are those of the configuration. Their keys are fetched from where it says and kept.")
            .refuses([Error::BAD_TOKEN])
    })
}

#[derive(Deserialize, Schema)]
struct ForeignToken {
    #[schemars(example = &"eyJhbGciOiJSUzI1NiJ9.e30.c2ln")]
    token: String,
}

#[derive(Serialize, Schema)]
struct VerifiedToken {
    /// As `iss` says it.
    issuer: String,
    claims: Map<String, Value>,
}

async fn verify_token(Json(given): Json<ForeignToken>) -> Result<Json<VerifiedToken>, Problem> {
    Ok(Json(verify(&given.token).await?))
}

async fn verify(token: &str) -> Result<VerifiedToken, Error> {
    let issuers: Vec<Issuer> = serde_json::from_str(setting("foreign_issuers").await?)?;
    let issuer = issuer::named_by(token, &issuers).ok_or(Error::BadToken)?;
    let kid = issuer::key_id(token).ok_or(Error::BadToken)?;
    let keys = keys::find_keys(&store::open().await?, issuer, &kid).await?;
    Ok(VerifiedToken {
        issuer: issuer.issuer.clone(),
        claims: issuer::verify(token, &keys, issuer).ok_or(Error::BadToken)?,
    })
}
