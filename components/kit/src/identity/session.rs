//! Sessions that ended before their tokens expire.
//!
//! A token is good until it expires, without asking signin: that bound holds whichever store is away. signin
//! ends a session sooner in its own database, then marks it in Redis. Every function looks for the mark before
//! it trusts a token, once in a few seconds per session and instance. signin's sweep sets marks again that
//! Redis lost, so an outage of Redis delays the end of a session elsewhere and never undoes it.

use std::cell::RefCell;
use std::collections::HashMap;

use spin_sdk::redis::RedisResult;
use uuid::Uuid;

use crate::store::redis;

/// For how long an instance takes a session to be live after it asked: the delay with which signing out takes
/// effect elsewhere.
const BELIEVED_S: i64 = 3;
/// Live sessions that an instance remembers.
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
    match redis::run("EXISTS", [&ended_mark(session)]).await {
        Ok(answer) => {
            let ended = matches!(answer.as_slice(), [RedisResult::Int64(1..)]);
            if !ended {
                remember(session, now);
            }
            ended
        }
        // Without Redis the token's expiry is the bound.
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

/// The Redis key that marks a session as ended. signin sets it.
pub fn ended_mark(session: Uuid) -> String {
    format!("session:ended:{session}")
}
