//! The keys of an issuer: kept for an hour, fetched again for a token that names another one.

use jsonwebtoken::jwk::Jwk;
use kit::store::Db;

use crate::calls;
use crate::error::Error;
use crate::issuer::{self, Issuer};
use crate::store;

/// Keys are fetched again after this, so that a withdrawn one stops working.
const FRESH_S: i64 = 3_600;
/// While an issuer does not answer, its last keys work for this long.
const STALE_S: i64 = 86_400;
/// An issuer is asked at most once within this, however many tokens name unknown keys.
const FETCH_PAUSE_S: i64 = 60;

/// The issuer's keys of that id.
pub async fn find_keys(db: &Db, issuer: &Issuer, kid: &str) -> Result<Vec<Jwk>, Error> {
    if let Some(stored) = store::find_keys(db, &issuer.issuer).await?
        && stored.age_s < FRESH_S
    {
        let keys = issuer::find_keys(&stored.jwks, kid);
        if !keys.is_empty() {
            return Ok(keys);
        }
    }
    let fetched = fetch(db, issuer).await?.unwrap_or_default();
    Ok(issuer::find_keys(&fetched, kid))
}

/// The issuer's keys as they are now. If it was asked a moment ago or does not answer, as they were last.
async fn fetch(db: &Db, issuer: &Issuer) -> Result<Option<String>, Error> {
    let mut unanswered = None;
    if store::claim_keys(db, &issuer.issuer, FETCH_PAUSE_S).await? {
        match calls::fetch_keys(&issuer.jwks_url).await {
            Ok(jwks) => {
                store::store_keys(db, &issuer.issuer, &jwks).await?;
                return Ok(Some(jwks.to_string()));
            }
            Err(failed) => unanswered = Some(failed),
        }
    }
    let stored = store::find_keys(db, &issuer.issuer).await?;
    match (stored.filter(|it| it.age_s < STALE_S), unanswered) {
        (Some(stored), _) => Ok(Some(stored.jwks)),
        (None, Some(failed)) => Err(failed.into()),
        (None, None) => Ok(None),
    }
}
