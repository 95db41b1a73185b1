//! Redis: wake-ups and counters. Nothing stands in Redis alone whose loss would matter, so every call here may
//! fail and its caller goes on.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};
use spin_sdk::time::sleep;

use crate::setting::setting;

/// Redis answers within a millisecond; one that takes a second does not answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// An instance does not ask again for so long after Redis did not answer.
const PAUSE_S: i64 = 3;

thread_local! {
    static AWAY_UNTIL: Cell<i64> = const { Cell::new(0) };
    /// Kept while it works: some hosts dial for every `open`.
    static KEPT: Cell<Option<Connection>> = const { Cell::new(None) };
}

/// Redis did not help. The caller goes on without.
#[derive(Debug, thiserror::Error)]
pub enum Away {
    #[error("redis does not answer: {0}")]
    Silent(String),
    /// It answered with an error.
    #[error("redis refuses: {0}")]
    Refused(String),
}

impl From<Error> for Away {
    fn from(error: Error) -> Self {
        Self::Refused(error.to_string())
    }
}

pub async fn publish(channel: &str, payload: &[u8]) -> Result<(), Away> {
    let arguments = vec![channel.as_bytes().to_vec(), payload.to_vec()];
    ask("PUBLISH", arguments).await?;
    Ok(())
}

/// Runs any command, every argument as text.
pub async fn run<const N: usize>(
    command: &str,
    arguments: [&str; N],
) -> Result<Vec<RedisResult>, Away> {
    run_all(command, arguments.map(str::to_owned).to_vec()).await
}

/// Like [`run`], for as many arguments as there are.
pub async fn run_all(command: &str, arguments: Vec<String>) -> Result<Vec<RedisResult>, Away> {
    ask(
        command,
        arguments.into_iter().map(String::into_bytes).collect(),
    )
    .await
}

/// Carries out a command, again over a new connection if the kept one broke: every command of ours may run twice.
async fn ask(command: &str, arguments: Vec<Vec<u8>>) -> Result<Vec<RedisResult>, Away> {
    let arguments = || arguments.iter().cloned().map(RedisParameter::Binary);
    with_timeout(async {
        if let Some(kept) = KEPT.take()
            && let Ok(answer) = kept.execute(command, arguments()).await
        {
            KEPT.set(Some(kept));
            return Ok(answer);
        }
        let opened = open().await?;
        let answer = opened.execute(command, arguments()).await?;
        KEPT.set(Some(opened));
        Ok(answer)
    })
    .await
}

/// Opens a connection to the address in the variable `redis_url`.
async fn open() -> Result<Connection, Away> {
    let url = setting("redis_url")
        .await
        .map_err(|it| Away::Refused(it.to_string()))?;
    Connection::open(url)
        .await
        .map_err(|it| Away::Silent(it.to_string()))
}

/// Whether a pause that ends at `until` goes on. A longer one than there is began before the clock was set back.
fn is_paused(until: i64, now: i64) -> bool {
    (1..=PAUSE_S).contains(&(until - now))
}

async fn with_timeout<T>(asked: impl Future<Output = Result<T, Away>>) -> Result<T, Away> {
    let now = crate::now().as_second();
    if is_paused(AWAY_UNTIL.get(), now) {
        return Err(Away::Silent("it did not answer a moment ago".to_owned()));
    }
    let answer = match select(pin!(asked), pin!(sleep(TIMEOUT))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(Away::Silent(format!("nothing within {TIMEOUT:?}"))),
    };
    if let Err(away) = &answer {
        eprintln!("{away}");
        if matches!(away, Away::Silent(_)) {
            AWAY_UNTIL.set(now + PAUSE_S);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_after_three_seconds_and_when_the_clock_is_set_back() {
        let until = 1_000 + PAUSE_S;
        assert!(is_paused(until, 1_000) && is_paused(until, until - 1));
        for now in [until, until + 60, 999, 0] {
            assert!(!is_paused(until, now), "{now}");
        }
        assert!(!is_paused(0, 1_000), "Redis was never away");
    }
}
