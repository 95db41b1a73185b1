//! Revocation: how a token stops working before it expires.
//!
//! A session ends in the database first. A mark in Redis then tells every function, which looks for it
//! ([`kit::identity::session`]). A mark that could not be set is set by the sweep.

use kit::identity::session::{ENDED, ENDED_COUNT, ENDED_KEPT, ended_mark};
use kit::store::Db;
use kit::store::redis::{self, Away};
use spin_sdk::redis::RedisResult;
use uuid::Uuid;

use crate::error::Error;
use crate::issue;
use crate::store::sessions;

/// Marks sessions that have just ended. What fails is left to the sweep.
pub async fn mark_revoked(sessions: &[Uuid]) -> Result<(), Error> {
    let token_seconds = issue::max_token_seconds().await?;
    if let Err(away) = mark_ended(sessions, token_seconds).await {
        eprintln!("ended sessions are marked later: {away}");
    }
    Ok(())
}

/// Marks ended sessions that have no mark yet, `limit` at most, and all of them again when Redis has lost its
/// marks. Answers how many.
pub async fn mark_pending(db: &Db, limit: u32, token_seconds: i64) -> Result<u32, Error> {
    if !keeps_marks().await? {
        sessions::unmark_all(db, token_seconds).await?;
        promise_marks().await?;
    }
    let ended = sessions::list_unmarked(db, limit.into()).await?;
    if ended.is_empty() {
        return Ok(0);
    }
    mark_ended(&ended, token_seconds).await?;
    let count = u32::try_from(ended.len()).unwrap_or(u32::MAX);
    sessions::record_marked(db, ended).await?;
    Ok(count)
}

/// The key that stands in Redis for as long as it keeps the marks that were set.
const MARKS_ARE_KEPT: &str = "session:marks-are-kept";

/// Whether Redis still has the marks that were set. One that started empty, or another one, lacks the key.
async fn keeps_marks() -> Result<bool, Away> {
    let answer = redis::run("EXISTS", [MARKS_ARE_KEPT]).await?;
    Ok(matches!(answer.as_slice(), [RedisResult::Int64(1..)]))
}

async fn promise_marks() -> Result<(), Away> {
    redis::run("SET", [MARKS_ARE_KEPT, ""]).await?;
    Ok(())
}

/// Marks sessions as ended, for as long as a token of theirs may live, and counts them: instances that know a session
/// read what was counted since they asked. One round trip; idempotent.
async fn mark_ended(sessions: &[Uuid], seconds: i64) -> Result<(), Away> {
    const MARK: &str = "local count = redis.call('INCR', KEYS[1]) \
        for i = 3, #KEYS do \
            redis.call('SET', KEYS[i], '', 'EX', ARGV[1]) \
            redis.call('ZADD', KEYS[2], count, ARGV[i]) \
        end \
        redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[2])) \
        return count";
    if sessions.is_empty() {
        return Ok(());
    }
    let mut arguments = vec![MARK.to_owned(), (sessions.len() + 2).to_string()];
    arguments.extend([ENDED_COUNT.to_owned(), ENDED.to_owned()]);
    arguments.extend(sessions.iter().map(|it| ended_mark(*it)));
    arguments.extend([seconds.to_string(), ENDED_KEPT.to_string()]);
    arguments.extend(sessions.iter().map(Uuid::to_string));
    redis::run_all("EVAL", arguments).await?;
    Ok(())
}
