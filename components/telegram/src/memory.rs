//! The question that waits in each chat. In Redis, because a lost question costs a repeated one and
//! nothing else; it is forgotten after ten minutes, as the contract has it.

use serde::{Deserialize, Serialize};
use spin_sdk::redis::RedisResult;

use crate::dialogue::Step;
use crate::error::Error;

const FORGOTTEN_AFTER_S: &str = "600";

#[derive(Debug, Serialize, Deserialize)]
pub struct Dialogue {
    pub step: Step,
    /// The update that led here: one that comes again must not answer the next question.
    pub update: i64,
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

pub async fn forget(chat: i64) -> Result<(), Error> {
    kit::redis::run("DEL", [key(chat).as_str()]).await?;
    Ok(())
}

fn key(chat: i64) -> String {
    format!("telegram:dialogue:{chat}")
}
