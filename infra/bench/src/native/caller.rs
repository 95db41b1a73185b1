//! The caller of a request, from its token; verified tokens are cached.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use kit::identity::token::{Claims, Keys};
use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::native::{Failed, Shared};
use crate::token::ISSUER;

/// The same size as the cache of a component instance.
const MAX_CACHED: usize = 512;
/// The same interval as in the kit.
const RECHECK_AFTER_S: i64 = 3;

pub struct Tokens {
    keys: Keys,
    redis: ConnectionManager,
    verified: Mutex<HashMap<[u8; 32], Arc<Claims>>>,
    /// When Redis was last asked about a session.
    checked_at: Mutex<HashMap<Uuid, i64>>,
}

pub struct Caller(pub Arc<Claims>);

impl Tokens {
    pub async fn new(jwks: &str, redis_url: &str) -> Result<Self> {
        Ok(Self {
            keys: Keys::parse(jwks)?,
            redis: ConnectionManager::new(redis::Client::open(redis_url)?).await?,
            verified: Mutex::default(),
            checked_at: Mutex::default(),
        })
    }

    fn verify(&self, token: &str, now: i64) -> Result<Arc<Claims>> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let cached = self
            .verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&digest)
            .cloned();
        if let Some(claims) = cached.filter(|it| it.exp > now) {
            return Ok(claims);
        }
        let claims = Arc::new(self.keys.verify(token, ISSUER, ISSUER, now)?);
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MAX_CACHED {
            verified.clear();
        }
        verified.insert(digest, Arc::clone(&claims));
        Ok(claims)
    }

    async fn is_revoked(&self, session: Uuid, now: i64) -> Result<bool> {
        let checked_at = self
            .checked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&session)
            .copied();
        if checked_at.is_some_and(|it| now - it < RECHECK_AFTER_S) {
            return Ok(false);
        }
        let is_revoked: bool = self
            .redis
            .clone()
            .exists(format!("session:ended:{session}"))
            .await?;
        if !is_revoked {
            self.checked_at
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(session, now);
        }
        Ok(is_revoked)
    }
}

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Failed> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .ok_or_else(|| anyhow!("no token"))?;
        let token = header
            .to_str()?
            .strip_prefix("Bearer ")
            .ok_or_else(|| anyhow!("no bearer"))?;
        let now = kit::now().as_second();
        let claims = shared.tokens.verify(token, now)?;
        if shared.tokens.is_revoked(claims.sid, now).await? {
            return Err(anyhow!("the session was revoked").into());
        }
        Ok(Self(claims))
    }
}

#[derive(Serialize)]
pub struct Me {
    id: Uuid,
    username: String,
}

pub async fn show(Caller(claims): Caller) -> Json<Me> {
    Json(Me {
        id: claims.sub,
        username: claims.username.clone(),
    })
}
