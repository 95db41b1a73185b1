//! Counts attempts against their limits.
//!
//! An attempt is counted before it is checked, so that many at once cannot slip through, and forgiven when it
//! was right. The counts are in Redis, so that a flood costs PostgreSQL nothing once it is refused; while Redis
//! is away they are in PostgreSQL.

use kit::store::{Db, redis};
use spin_sdk::redis::RedisResult;

use crate::error::Error;
use crate::limit::{Limit, LimitReached};
use crate::store::attempts;

/// Counts an attempt, or refuses it when a limit is reached: then it does not count.
pub async fn count(db: &Db, limits: &[Limit]) -> Result<(), Error> {
    const COUNT: &str = "local wait = 0 \
        for i, key in ipairs(KEYS) do \
            if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i]) then \
                wait = math.max(wait, redis.call('TTL', key), 1) \
            end \
        end \
        if wait == 0 then \
            for i, key in ipairs(KEYS) do \
                if redis.call('INCR', key) == 1 then redis.call('EXPIRE', key, ARGV[#KEYS + i]) end \
            end \
        end \
        return wait";
    if limits.is_empty() {
        return Ok(());
    }
    let mut arguments = script(COUNT, limits);
    arguments.extend(limits.iter().map(|it| it.most.to_string()));
    arguments.extend(limits.iter().map(|it| it.seconds.to_string()));
    let wait = match redis::run_all("EVAL", arguments).await.as_deref() {
        Ok([RedisResult::Int64(seconds)]) => *seconds,
        Ok(_) | Err(_) => attempts::count_attempt(db, limits).await?,
    };
    match u32::try_from(wait) {
        Ok(0) | Err(_) => Ok(()),
        Ok(retry_after_s) => Err(LimitReached { retry_after_s }.into()),
    }
}

/// Takes back the count of an attempt that was right.
pub async fn forgive(db: &Db, limits: &[Limit]) -> Result<(), Error> {
    const FORGIVE: &str = "for _, key in ipairs(KEYS) do \
            if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end \
        end";
    if limits.is_empty() {
        return Ok(());
    }
    match redis::run_all("EVAL", script(FORGIVE, limits)).await {
        Ok(_) => Ok(()),
        Err(_) => attempts::forgive_attempt(db, limits).await,
    }
}

fn script(text: &str, limits: &[Limit]) -> Vec<String> {
    let mut arguments = vec![text.to_owned(), limits.len().to_string()];
    arguments.extend(limits.iter().map(|it| it.name.clone()));
    arguments
}
