//! Bounds the requests that wait for a password hash. Each occupies an instance of this function until its turn, so
//! a flood of passwords would leave no instance to other requests. The places are in Redis; without Redis the queue
//! of the function `passwords` is the only bound.

use kit::store::redis;
use spin_sdk::redis::RedisResult;
use uuid::Uuid;

use crate::client::Client;
use crate::error::Error;

/// Requests that may wait in one queue: a quarter of the function's instances.
const MAX_WAITING: usize = 64;
/// Requests of one network among them, so that there is room for others.
const MAX_OF_NETWORK: usize = 16;
/// A place whose request died is free after this: longer than any request waits.
const LEASE_MS: i64 = 60_000;

/// Which work a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// A password is compared with a stored hash: a person signs in.
    Checks,
    /// A new password is hashed.
    New,
}

impl Queue {
    fn key(self) -> &'static str {
        // The braces keep the keys of a queue on one node of a Redis cluster.
        match self {
            Self::Checks => "{hashes}:waiting",
            Self::New => "{hashes:new}:waiting",
        }
    }
}

/// A place in a queue.
pub struct Place {
    keys: Vec<String>,
    id: String,
}

/// Takes a place, or refuses when too many wait.
pub async fn join(queue: Queue, client: &Client) -> Result<Place, Error> {
    const JOIN: &str = "for i, key in ipairs(KEYS) do \
            redis.call('ZREMRANGEBYSCORE', key, '-inf', ARGV[1]) \
            if redis.call('ZCARD', key) >= tonumber(ARGV[3 + i]) then return 0 end \
        end \
        for i, key in ipairs(KEYS) do \
            redis.call('ZADD', key, ARGV[2], ARGV[3]) \
            redis.call('PEXPIREAT', key, ARGV[2]) \
        end \
        return 1";
    let key = queue.key();
    let mut keys = vec![key.to_owned()];
    keys.extend(client.network().map(|it| format!("{key}:{it}")));
    let place = Place {
        keys,
        id: Uuid::new_v4().to_string(),
    };
    let now = kit::now().as_millisecond();
    let mut arguments = place.script(JOIN);
    arguments.extend([
        now.to_string(),
        now.saturating_add(LEASE_MS).to_string(),
        place.id.clone(),
        MAX_WAITING.to_string(),
        MAX_OF_NETWORK.to_string(),
    ]);
    match redis::run_all("EVAL", arguments).await.as_deref() {
        Ok([RedisResult::Int64(0)]) => Err(Error::Busy),
        Ok(_) | Err(_) => Ok(place),
    }
}

impl Place {
    /// Gives the place to another request.
    pub async fn leave(self) {
        const LEAVE: &str =
            "for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end return 0";
        let mut arguments = self.script(LEAVE);
        arguments.push(self.id);
        // A place that could not be given back is free when its lease ends.
        drop(redis::run_all("EVAL", arguments).await);
    }

    fn script(&self, text: &str) -> Vec<String> {
        let mut arguments = vec![text.to_owned(), self.keys.len().to_string()];
        arguments.extend(self.keys.iter().cloned());
        arguments
    }
}
