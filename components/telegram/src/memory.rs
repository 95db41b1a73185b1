//! The state of each chat: its last reply and the question that waits there. It is in Redis, because a lost
//! question only has to be repeated; it is forgotten after ten minutes, as the contract says.

use std::time::Duration;

use jiff::SignedDuration;
use kit::store::redis;
use serde::{Deserialize, Serialize};
use spin_sdk::redis::RedisResult;
use spin_sdk::time::sleep;
use uuid::Uuid;

use crate::dialogue::Step;
use crate::error::Error;

const LIFETIME_S: &str = "600";

#[derive(Debug, Serialize, Deserialize)]
pub struct Dialogue {
    /// Absent when the dialogue is over.
    pub step: Option<Step>,
    /// The last update: when Telegram repeats it, it must not answer the next question.
    pub update: i64,
    /// The reply to it, which is given again when the update is repeated.
    pub said: String,
}

pub async fn recall(chat: i64) -> Result<Option<Dialogue>, Error> {
    let found = redis::run("GET", [key(chat).as_str()]).await?;
    Ok(match found.into_iter().next() {
        // Another version of this function may have written a form that this one cannot read.
        Some(RedisResult::Binary(kept)) => serde_json::from_slice(&kept).ok(),
        _ => None,
    })
}

pub async fn remember(chat: i64, dialogue: &Dialogue) -> Result<(), Error> {
    let kept = serde_json::to_string(dialogue)?;
    let arguments = [&key(chat), &kept, "EX", LIFETIME_S];
    redis::run("SET", arguments).await?;
    Ok(())
}

/// The right to handle an update of a chat.
pub struct Turn {
    key: String,
    holder: String,
}

/// A turn ends by itself after the longest time that the host gives a request.
const TURN_MS: &str = "30000";
/// An update that waits longer for its turn is brought again by Telegram.
const MAX_WAIT: SignedDuration = SignedDuration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub async fn take_turn(chat: i64) -> Result<Turn, Error> {
    let turn = Turn {
        key: format!("telegram:turn:{chat}"),
        holder: Uuid::new_v4().to_string(),
    };
    let begun = kit::now();
    loop {
        let arguments = [&turn.key, &turn.holder, "NX", "PX", TURN_MS];
        let set = redis::run("SET", arguments).await?;
        if !matches!(set.first(), None | Some(RedisResult::Nil)) {
            return Ok(turn);
        }
        if kit::now().duration_since(begun) > MAX_WAIT {
            return Err(Error::Running);
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// Ends the turn, unless it has ended by itself and another update has it.
pub async fn end_turn(turn: &Turn) {
    const END: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
    if let Err(away) = redis::run("EVAL", [END, "1", &turn.key, &turn.holder]).await {
        eprintln!("a turn ends by itself: {away}");
    }
}

/// Whether an update is handled for the first time; for acts without an idempotency key.
pub async fn is_first(chat: i64, update: i64) -> Result<bool, Error> {
    let key = format!("telegram:update:{chat}:{update}");
    let set = redis::run("SET", [&key, "1", "NX", "EX", LIFETIME_S]).await?;
    Ok(!matches!(set.first(), None | Some(RedisResult::Nil)))
}

/// Wrong passwords that one chat may give within five minutes, to any accounts. Signin limits attempts per account; of the bot it
/// knows no network whose attempts at all accounts it could limit.
const MAX_TRIES: i64 = 5;
const TRIES_LIFETIME_S: &str = "300";

/// Counts a password before it is tried.
pub async fn count_try(chat: i64) -> Result<(), Error> {
    // Sets the expiry every time: a key without one would lock the chat out for good.
    const COUNT: &str = "local tries = redis.call('INCR', KEYS[1])
        if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
        return tries";
    let counted = redis::run("EVAL", [COUNT, "1", &tries(chat), TRIES_LIFETIME_S]).await?;
    match counted.first() {
        Some(RedisResult::Int64(tries)) if *tries > MAX_TRIES => Err(Error::TooManyTries),
        _ => Ok(()),
    }
}

/// Takes back the count of a right password. Wrong ones still count: otherwise a chat could guess without end and give a right
/// password in between.
pub async fn forgive_try(chat: i64) -> Result<(), Error> {
    const FORGIVE: &str = "local tries = tonumber(redis.call('GET', KEYS[1]) or '0')
        if tries > 0 then redis.call('SET', KEYS[1], tries - 1, 'KEEPTTL') end";
    redis::run("EVAL", [FORGIVE, "1", &tries(chat)]).await?;
    Ok(())
}

fn tries(chat: i64) -> String {
    format!("telegram:tries:{chat}")
}

fn key(chat: i64) -> String {
    format!("telegram:dialogue:{chat}")
}
