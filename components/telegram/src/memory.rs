//! What was last said in each chat, and the question that waits there. In Redis, because a lost question
//! costs a repeated one and nothing else; it is forgotten after ten minutes, as the contract has it.

use serde::{Deserialize, Serialize};
use spin_sdk::redis::RedisResult;

use crate::dialogue::Step;
use crate::error::Error;

const FORGOTTEN_AFTER_S: &str = "600";

#[derive(Debug, Serialize, Deserialize)]
pub struct Dialogue {
    /// None: the dialogue is over.
    pub step: Option<Step>,
    /// The update that led here: one that comes again must not answer the next question.
    pub update: i64,
    /// Whoever brings it again did not hear this.
    pub said: String,
}

pub async fn recall(chat: i64) -> Result<Option<Dialogue>, Error> {
    let found = kit::redis::run("GET", [key(chat).as_str()]).await?;
    Ok(match found.into_iter().next() {
        // What another version of this function wrote is no question of ours.
        Some(RedisResult::Binary(kept)) => serde_json::from_slice(&kept).ok(),
        _ => None,
    })
}

pub async fn remember(chat: i64, dialogue: &Dialogue) -> Result<(), Error> {
    let kept = serde_json::to_string(dialogue)?;
    let arguments = [&key(chat), &kept, "EX", FORGOTTEN_AFTER_S];
    kit::redis::run("SET", arguments).await?;
    Ok(())
}

/// Whether an update is carried out for the first time: for what nobody else knows by a key.
pub async fn is_first(chat: i64, update: i64) -> Result<bool, Error> {
    let key = format!("telegram:update:{chat}:{update}");
    let set = kit::redis::run("SET", [&key, "1", "NX", "EX", FORGOTTEN_AFTER_S]).await?;
    Ok(!matches!(set.first(), None | Some(RedisResult::Nil)))
}

/// Wrong passwords that one chat may give within five minutes. To signin all chats are one address: whoever
/// guesses here is stopped here, before everybody is stopped there.
const MOST_TRIES: i64 = 5;
const TRIES_FORGOTTEN_AFTER_S: &str = "300";

/// Counts a password before it is tried.
pub async fn count_try(chat: i64) -> Result<(), Error> {
    let key = tries(chat);
    kit::redis::run("SET", [&key, "0", "NX", "EX", TRIES_FORGOTTEN_AFTER_S]).await?;
    match kit::redis::run("INCR", [key.as_str()]).await?.first() {
        Some(RedisResult::Int64(tries)) if *tries > MOST_TRIES => Err(Error::TooManyTries),
        _ => Ok(()),
    }
}

/// A right one makes up for those before it.
pub async fn forgive(chat: i64) -> Result<(), Error> {
    kit::redis::run("DEL", [tries(chat).as_str()]).await?;
    Ok(())
}

fn tries(chat: i64) -> String {
    format!("telegram:tries:{chat}")
}

fn key(chat: i64) -> String {
    format!("telegram:dialogue:{chat}")
}
