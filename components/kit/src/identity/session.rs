//! Sessions that ended before their tokens did.
//!
//! A token is good until it expires, without asking anybody: that bound holds
//! whatever is away. signin ends a session sooner, in its own database, and
//! then marks it in Redis; every function looks there before it trusts a
//! token, once in a few seconds per session and instance. A mark that was lost
//! is set again by signin's sweep, so Redis being away delays the end of a
//! session elsewhere and never undoes it.

use std::cell::RefCell;
use std::collections::HashMap;

use spin_sdk::redis::RedisResult;
use uuid::Uuid;

use crate::store::redis::{self, Away};

/// How long an answer is believed: a person who signs out expects no less.
const BELIEVED_S: i64 = 3;
/// Sessions that an instance remembers to be live.
const REMEMBERED: usize = 1024;

thread_local! {
    static LIVE: RefCell<HashMap<Uuid, i64>> = RefCell::default();
}

/// Whether the session is known to be over.
pub(crate) async fn has_ended(session: Uuid, now: i64) -> bool {
    let is_fresh = |asked_at: &i64| now - asked_at < BELIEVED_S;
    if LIVE.with_borrow(|it| it.get(&session).is_some_and(is_fresh)) {
        return false;
    }
    match redis::run("EXISTS", [&mark(session)]).await {
        Ok(answer) => {
            let ended = matches!(answer.as_slice(), [RedisResult::Int64(1..)]);
            if !ended {
                remember(session, now);
            }
            ended
        }
        // Its caller goes on: see above.
        Err(_) => false,
    }
}

fn remember(session: Uuid, now: i64) {
    LIVE.with_borrow_mut(|it| {
        if it.len() >= REMEMBERED {
            it.clear();
        }
        it.insert(session, now);
    });
}

/// Whether Redis still has the marks that were set. One that begins anew, or another one, has
/// none of them, and not this either.
pub async fn marks_are_kept() -> Result<bool, Away> {
    let answer = redis::run("EXISTS", [KEPT]).await?;
    Ok(matches!(answer.as_slice(), [RedisResult::Int64(1..)]))
}

/// From now on marks are set in this Redis.
pub async fn keep_marks() -> Result<(), Away> {
    redis::run("SET", [KEPT, ""]).await?;
    Ok(())
}

const KEPT: &str = "session:marks-are-kept";

/// Tells every function that these sessions are over. The marks are kept for as long as a token
/// of theirs may live. One round trip; again: no effect.
pub async fn mark_ended(sessions: &[Uuid], seconds: i64) -> Result<(), Away> {
    const MARK: &str =
        "for _, key in ipairs(KEYS) do redis.call('SET', key, '', 'EX', ARGV[1]) end";
    if sessions.is_empty() {
        return Ok(());
    }
    let mut arguments = vec![MARK.to_owned(), sessions.len().to_string()];
    arguments.extend(sessions.iter().map(|it| mark(*it)));
    arguments.push(seconds.to_string());
    redis::run_all("EVAL", arguments).await?;
    Ok(())
}

fn mark(session: Uuid) -> String {
    format!("session:ended:{session}")
}
