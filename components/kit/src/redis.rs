//! Redis: wake-ups and counters. Nothing that is only in Redis may be lost
//! with it mattering, so every call here may fail and its caller goes on.

use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};

use crate::setting::setting;

/// Redis is away, or refused. The caller does without.
#[derive(Debug, thiserror::Error)]
#[error("redis: {0}")]
pub struct Away(String);

impl From<Error> for Away {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// Opens the connection whose address is in the variable `redis_url`.
pub async fn open() -> Result<Connection, Away> {
    let url = setting("redis_url")
        .await
        .map_err(|it| Away(it.to_string()))?;
    Ok(Connection::open(url).await?)
}

pub async fn publish(channel: &str, payload: &[u8]) -> Result<(), Away> {
    Ok(open().await?.publish(channel, payload).await?)
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
    let arguments: Vec<RedisParameter> = arguments
        .into_iter()
        .map(|it| RedisParameter::Binary(it.into_bytes()))
        .collect();
    Ok(open().await?.execute(command, arguments).await?)
}
