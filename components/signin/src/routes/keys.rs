//! The keys by which others verify our tokens.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use kit::{Dialect, Json, Problem, setting, speaking};
use serde::Serialize;

use crate::issue;

pub fn router() -> Router {
    let zones = Router::new().route("/api/v1/pubkey", get(show_public_key));
    Router::new()
        .route("/.well-known/jwks.json", get(show_keys))
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
