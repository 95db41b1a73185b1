//! The keys by which others verify our tokens, and where they find us.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use kit::{Dialect, Json, Problem, Spellings, setting, speaking};
use serde::Serialize;

use crate::issue;

pub fn router() -> Router {
    let zones = Router::new().route("/api/v1/pubkey", get(show_public_key));
    Router::new()
        .route("/.well-known/jwks.json", get(show_keys))
        .spelled(
            [
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ],
            get(show_configuration),
        )
        .merge(speaking(Dialect::Zones, zones))
}

/// Long enough to spare us, short enough that a new key is known before it signs.
const CACHED: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

/// Every key whose tokens are still in use, as the operator gave them.
async fn show_keys() -> Result<([(HeaderName, &'static str); 2], &'static str), Problem> {
    let keys = setting("jwt_public_keys").await?;
    let json = (header::CONTENT_TYPE, "application/jwk-set+json");
    Ok(([json, CACHED], keys))
}

/// What we offer of OAuth and OpenID Connect: tokens, and no pages to sign in on.
#[derive(Serialize)]
struct Configuration {
    /// As tokens say it. Clients that insist on OpenID's rule want it to be the address that they
    /// asked: it is for the operator to call it so.
    issuer: &'static str,
    jwks_uri: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    grant_types_supported: [&'static str; 3],
    response_types_supported: [&'static str; 0],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    claims_supported: [&'static str; 10],
}

async fn show_configuration() -> Result<Json<Configuration>, Problem> {
    let here = setting("public_url").await?.trim_end_matches('/');
    Ok(Json(Configuration {
        issuer: setting("jwt_issuer").await?,
        jwks_uri: format!("{here}/.well-known/jwks.json"),
        token_endpoint: format!("{here}/token"),
        userinfo_endpoint: format!("{here}/auth/me"),
        grant_types_supported: [
            "password",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        response_types_supported: [],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["EdDSA"],
        token_endpoint_auth_methods_supported: ["none"],
        claims_supported: [
            "iss", "sub", "aud", "exp", "iat", "jti", "sid", "username", "roles", "scope",
        ],
    }))
}

#[derive(Serialize)]
struct PublicKey {
    /// PEM, and base64 around that.
    pubkey: String,
}

/// The key that signs today.
async fn show_public_key() -> Result<Json<PublicKey>, Problem> {
    let key = issue::signing_pair().await?.public();
    let pem = key
        .to_public_key_pem(LineEnding::LF)
        .map_err(|it| Problem::internal(&it))?;
    Ok(Json(PublicKey {
        pubkey: STANDARD.encode(pem),
    }))
}
