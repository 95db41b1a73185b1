//! Sessions that ended before their tokens expire.
//!
//! signin ends a session in its own database, then marks it in Redis and counts the mark. Every function looks for
//! the mark before it trusts a token: when an instance first meets a session, and after that through the count, one
//! question in a few seconds for all its sessions. signin's sweep sets marks again that Redis lost.
//!
//! Without Redis a token is good until it expires, but for requests that change something in a function that may
//! reach signin: there signin is asked, and without its answer the request is refused.

use std::cell::RefCell;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use spin_sdk::redis::RedisResult;
use uuid::Uuid;

use super::generations::Generations;
use crate::store::redis::{self, Away};
use crate::web::outbound::{self, Failed};

/// For how long an instance takes a session to be live after it asked: the delay with which signing out takes
/// effect elsewhere.
const BELIEVED_S: i64 = 3;
/// After this time the mark itself is read again, even if the count has not changed.
const RECHECKED_S: i64 = 60;
/// Live sessions of one generation of an instance's memory.
const REMEMBERED: usize = 1024;
/// Bounds the ended sessions that are read at once; after more of them an instance asks anew about each session.
const MAX_ENDED: usize = 1000;
/// Bounds the question to signin.
const PATIENCE: Duration = Duration::from_secs(5);

struct Memory {
    /// When the count was read.
    counted_at: i64,
    count: i64,
    /// When a session was found live.
    live: Generations<Uuid, i64>,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::new(Memory {
        counted_at: 0,
        count: 0,
        live: Generations::new(REMEMBERED),
    });
}

/// What is known of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Live,
    Ended,
    /// Redis does not answer.
    Unknown,
}

pub(crate) async fn standing(session: Uuid, now: i64) -> Standing {
    if MEMORY.with_borrow_mut(|it| it.is_live(session, now)) {
        return Standing::Live;
    }
    match look(session, now).await {
        Ok(true) => Standing::Ended,
        Ok(false) => Standing::Live,
        Err(_) => Standing::Unknown,
    }
}

impl Memory {
    /// A session that was seen later than `now` is not believed: the clock was set back, perhaps by hours.
    fn is_live(&mut self, session: Uuid, now: i64) -> bool {
        let is_within = |seconds: i64, seen: i64| (0..seconds).contains(&(now - seen));
        let seen = self.live.get(&session).copied();
        is_within(BELIEVED_S, self.counted_at)
            && seen.is_some_and(|seen| is_within(RECHECKED_S, seen))
    }

    /// Takes over what the count says; answers whether the ended sessions have to be read.
    fn has_changed(&mut self, count: i64, now: i64) -> bool {
        self.counted_at = now;
        if count < self.count {
            // Redis began anew.
            self.live.clear();
        }
        let has_more = count > self.count && !self.live.is_empty();
        self.count = count;
        has_more
    }
}

/// Whether the session has a mark. One question answers that and how many sessions have ended.
async fn look(session: Uuid, now: i64) -> Result<bool, Away> {
    let before = MEMORY.with_borrow(|it| it.count);
    let answer = redis::run("MGET", [ENDED_COUNT, &ended_mark(session)]).await?;
    let [count, mark] = answer.as_slice() else {
        return Err(Away::Refused("MGET does not answer two values".to_owned()));
    };
    if MEMORY.with_borrow_mut(|it| it.has_changed(number(count), now)) {
        drop_ended(before).await?;
    }
    let is_marked = !matches!(mark, RedisResult::Nil);
    MEMORY.with_borrow_mut(|it| match is_marked {
        true => it.live.remove(&session),
        false => it.live.insert(session, now),
    });
    Ok(is_marked)
}

/// Drops the sessions from memory that ended since the count was `before`.
async fn drop_ended(before: i64) -> Result<(), Away> {
    let (after, limit) = (format!("({before}"), MAX_ENDED.to_string());
    let ended = redis::run(
        "ZRANGEBYSCORE",
        [ENDED, &after, "+inf", "LIMIT", "0", &limit],
    )
    .await;
    MEMORY.with_borrow_mut(|it| match &ended {
        Ok(ended) if ended.len() < MAX_ENDED => {
            for session in ended.iter().filter_map(id) {
                it.live.remove(&session);
            }
        }
        Ok(_) | Err(_) => it.live.clear(),
    });
    ended.map(drop)
}

fn number(value: &RedisResult) -> i64 {
    match value {
        RedisResult::Int64(number) => *number,
        RedisResult::Binary(text) => std::str::from_utf8(text)
            .ok()
            .and_then(|it| it.parse().ok())
            .unwrap_or(0),
        _ => 0,
    }
}

fn id(value: &RedisResult) -> Option<Uuid> {
    match value {
        RedisResult::Binary(text) => Uuid::try_parse_ascii(text).ok(),
        _ => None,
    }
}

/// What signin says of a token's session; [`Standing::Live`] where this function may not reach signin, because then
/// the token's expiry is the bound.
pub(crate) async fn ask_signin(token: &str) -> Standing {
    let request = Request::get("http://signin.spin.internal/auth/session")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Bytes::new());
    let Ok(request) = request else {
        return Standing::Unknown;
    };
    match outbound::send_for_status(request, PATIENCE).await {
        Ok(answer) if answer.status.is_success() => Standing::Live,
        Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => Standing::Ended,
        Err(Failed::Forbidden) => Standing::Live,
        Ok(_) | Err(_) => Standing::Unknown,
    }
}

/// The Redis key that marks a session as ended. signin sets it.
pub fn ended_mark(session: Uuid) -> String {
    format!("session:ended:{session}")
}

/// The Redis key of the ended sessions: a sorted set, by the count at their end.
pub const ENDED: &str = "session:ends";
/// The Redis key that counts the marks that were set.
pub const ENDED_COUNT: &str = "session:ends:count";
/// How many ended sessions Redis keeps in [`ENDED`]: more than an instance reads at once.
pub const ENDED_KEPT: usize = 10 * MAX_ENDED;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_believed_for_a_moment_and_its_mark_looked_for_again_after_a_minute() {
        let session = Uuid::from_u128(1);
        let mut memory = Memory {
            counted_at: 0,
            count: 0,
            live: Generations::new(4),
        };
        assert!(!memory.has_changed(7, 100), "there is nothing to drop yet");
        memory.live.insert(session, 100);
        assert!(memory.is_live(session, 102));
        assert!(!memory.is_live(session, 103));
        assert!(!memory.is_live(session, 99), "the clock was set back");
        assert!(!memory.has_changed(7, 158));
        assert!(memory.is_live(session, 159));
        assert!(!memory.is_live(session, 160));
        assert!(!memory.has_changed(7, 98));
        assert!(!memory.is_live(session, 99), "it was seen later than now");
        assert!(memory.has_changed(8, 160));
        assert!(!memory.has_changed(1, 161), "Redis began anew");
        assert!(!memory.is_live(session, 161));
    }
}
