//! Who is asking: the token of a request, verified once and remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use kit::token::{Claims, Keys};
use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::native::{Failed, Shared};
use crate::token::ISSUER;

/// As many as an instance of a component remembers.
const REMEMBERED: usize = 512;
/// As long as the kit believes that a session lives.
const BELIEVED_S: i64 = 3;

pub struct Known {
    keys: Keys,
    redis: ConnectionManager,
    verified: Mutex<HashMap<[u8; 32], Arc<Claims>>>,
    /// When Redis was asked about a session.
    live: Mutex<HashMap<Uuid, i64>>,
}

pub struct Caller(pub Arc<Claims>);

impl Known {
    pub async fn new(jwks: &str, redis_url: &str) -> Result<Self> {
        Ok(Self {
            keys: Keys::parse(jwks)?,
            redis: ConnectionManager::new(redis::Client::open(redis_url)?).await?,
            verified: Mutex::default(),
            live: Mutex::default(),
        })
    }

    fn verified(&self, token: &str, now: i64) -> Result<Arc<Claims>> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let known = self
            .verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&digest)
            .cloned();
        if let Some(claims) = known.filter(|it| it.exp > now) {
            return Ok(claims);
        }
        let claims = Arc::new(self.keys.verify(token, ISSUER, ISSUER, now)?);
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= REMEMBERED {
            verified.clear();
        }
        verified.insert(digest, Arc::clone(&claims));
        Ok(claims)
    }

    async fn has_ended(&self, session: Uuid, now: i64) -> Result<bool> {
        let asked_at = self
            .live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&session)
            .copied();
        if asked_at.is_some_and(|it| now - it < BELIEVED_S) {
            return Ok(false);
        }
        let ended: bool = self
            .redis
            .clone()
            .exists(format!("session:ended:{session}"))
            .await?;
        if !ended {
            self.live
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(session, now);
        }
        Ok(ended)
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
        let claims = shared.known.verified(token, now)?;
        if shared.known.has_ended(claims.sid, now).await? {
            return Err(anyhow!("the session is over").into());
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
