//! The keys by which others verify our tokens, and the discovery documents of OAuth and OpenID Connect.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use kit::setting;
use kit::web::{Dialect, Json, Problem, Routes, Schema};
use serde::Serialize;

use crate::issue;

pub fn routes() -> Routes {
    let discovery = Routes::new("Keys", Dialect::Plain)
        .get("/.well-known/jwks.json", show_keys, |it| {
            it.summary("Show the signing keys (JWKS)")
                .note("Every key whose tokens may still be in use. A new key is published before it signs.")
                .returns_media(200, "application/jwk-set+json")
                .returns_header(200, "Cache-Control", "Five minutes")
        })
        .get(
            [
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ],
            show_configuration,
            |it| it.summary("Show the OAuth configuration"),
        );
    let zones = Routes::new("Keys", Dialect::Zones).get("/api/v1/pubkey", show_public_key, |it| {
        it.summary("Show the key that signs now")
            .instead("GET /.well-known/jwks.json")
    });
    Routes::of([discovery, zones])
}

/// Long enough to spare us requests, short enough that a new key is known before it signs.
const CACHED: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

async fn show_keys() -> Result<Response, Problem> {
    let keys = setting("jwt_public_keys").await?;
    let json = (header::CONTENT_TYPE, "application/jwk-set+json");
    Ok(([json, CACHED], keys).into_response())
}

/// What we offer of OAuth and OpenID Connect: tokens and the description of a user; no pages to sign in on, no ID
/// tokens.
#[derive(Serialize, Schema)]
struct Configuration {
    /// As tokens say it. OpenID requires the address that the client asked: the operator configures it so.
    issuer: &'static str,
    jwks_uri: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    grant_types_supported: [&'static str; 3],
    response_types_supported: [&'static str; 0],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    claims_supported: [&'static str; 12],
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
        token_endpoint_auth_methods_supported: ["none"],
        claims_supported: [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "jti",
            "sid",
            "username",
            "roles",
            "scope",
            "auth_time",
            "amr",
        ],
    }))
}

#[derive(Serialize, Schema)]
struct PublicKey {
    /// PEM, encoded as base64 once more.
    pubkey: String,
}

async fn show_public_key() -> Result<Json<PublicKey>, Problem> {
    let key = issue::signing_pair().await?.public();
    let pem = key
        .to_public_key_pem(LineEnding::LF)
        .map_err(|it| Problem::internal(&it))?;
    Ok(Json(PublicKey {
        pubkey: STANDARD.encode(pem),
    }))
}
