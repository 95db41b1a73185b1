//! Redis: wake-ups and counters. Nothing that is only in Redis may be lost
//! with it mattering, so every call here may fail and its caller goes on.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};
use spin_sdk::time::sleep;

use crate::setting::setting;

/// Redis answers within a millisecond. Whoever waits for one that does not waits for nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Once it did not answer, an instance does without for so long.
const PAUSE_S: i64 = 3;

thread_local! {
    static AWAY_UNTIL: Cell<i64> = const { Cell::new(0) };
    /// Kept while it works: some hosts dial for every connection that is opened.
    static KEPT: Cell<Option<Connection>> = const { Cell::new(None) };
}

/// Redis is of no help. The caller does without.
#[derive(Debug, thiserror::Error)]
pub enum Away {
    #[error("redis does not answer: {0}")]
    Silent(String),
    /// It is there, and did not do this.
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

/// Carries out a command; twice, if the connection broke before the answer was here: all of ours may be.
async fn ask(command: &str, arguments: Vec<Vec<u8>>) -> Result<Vec<RedisResult>, Away> {
    let arguments = || arguments.iter().cloned().map(RedisParameter::Binary);
    soon(async {
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

async fn soon<T>(asked: impl Future<Output = Result<T, Away>>) -> Result<T, Away> {
    let now = crate::now().as_second();
    if AWAY_UNTIL.get() > now {
        return Err(Away::Silent("it was away a moment ago".to_owned()));
    }
    let answer = match select(pin!(asked), pin!(sleep(PATIENCE))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(Away::Silent(format!("nothing within {PATIENCE:?}"))),
    };
    if let Err(away) = &answer {
        eprintln!("{away}");
        if matches!(away, Away::Silent(_)) {
            AWAY_UNTIL.set(now + PAUSE_S);
        }
    }
    answer
}
