//! How much one network may search.

use kit::store::redis;
use kit::web::Network;
use spin_sdk::redis::RedisResult;

use crate::error::Error;

/// Searches by name or distance of one network within a minute. Such a search may keep PostgreSQL busy for some
/// milliseconds; an office whose people all look for a place stays below it.
const MAX_SEARCHES: i64 = 1_200;

/// Counts a search, or refuses it. While Redis is away searches are not limited: each is bounded by itself.
pub async fn count_search(network: &Network) -> Result<(), Error> {
    const COUNT: &str = "local count = redis.call('INCR', KEYS[1]) \
        if count == 1 then redis.call('EXPIRE', KEYS[1], 60) end \
        return count";
    let Some(network) = network.name() else {
        return Ok(());
    };
    let key = format!("bookings:searches:{network}");
    match redis::run("EVAL", [COUNT, "1", &key]).await.as_deref() {
        Ok([RedisResult::Int64(count)]) if *count > MAX_SEARCHES => Err(Error::TooManySearches),
        Ok(_) | Err(_) => Ok(()),
    }
}
