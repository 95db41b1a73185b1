//! Every copy of a function on every host hears every wake-up and every tick. Few of them need to look: Redis says
//! which. Without Redis, or when the copy that should look is killed, all of them look at the next tick.

use std::time::Duration;

use spin_sdk::redis::RedisResult;
use spin_sdk::time::sleep;

use super::event;
use super::redis;

/// For this long the copy that carries out a wake-up also sees to the wake-ups that come meanwhile. Then the next one goes
/// to another copy, because the first may be waiting for slow receivers.
const WATCH_MS: &str = "1000";
/// Less than the time between two ticks.
const TICK_MS: &str = "900";
/// Other hosts hear the same message a little later. The copy waits for them, so that they need not look as well.
const LATECOMERS: Duration = Duration::from_millis(5);
/// How often at most one more worker is woken because the others have no room.
const HELP_MS: &str = "20";

/// Drains because of a message, or does what the tick asks for, if it is this copy's turn.
pub async fn drain_in_turn<E>(
    consumer: &str,
    message: &[u8],
    drain: impl AsyncFn() -> Result<(), E>,
) -> Result<(), E> {
    let one_of_all = match message {
        b"tick" => Some(("tick", TICK_MS)),
        _ if message == event::HELP.as_bytes() => Some((event::HELP, HELP_MS)),
        _ => None,
    };
    if let Some((what, within_ms)) = one_of_all {
        return match is_first(&format!("events:{what}:{consumer}"), within_ms).await {
            true => drain().await,
            false => Ok(()),
        };
    }
    let key = format!("events:wake:{consumer}");
    let Some(mut seen) = add(&key, 1).await else {
        return drain().await;
    };
    if seen > 1 {
        return Ok(());
    }
    loop {
        watch(&key).await;
        let drained = drain().await;
        sleep(LATECOMERS).await;
        // Wake-ups that came meanwhile may be about events that came too late for this drain.
        match add(&key, -seen.max(1)).await {
            Some(left) if left > 0 && drained.is_ok() => seen = left,
            _ => {
                forget(&key).await;
                return drained;
            }
        }
    }
}

/// Sweeps because of the tick, unless another copy has begun to at the same tick. A long sweep delays no later one, which
/// another copy runs.
pub async fn sweep_in_turn<E>(
    function: &str,
    sweep: impl AsyncFnOnce() -> Result<(), E>,
) -> Result<(), E> {
    match is_first(&format!("sweep:{function}"), TICK_MS).await {
        true => sweep().await,
        false => Ok(()),
    }
}

/// Whether no other copy was first within a while. True without Redis.
async fn is_first(key: &str, within_ms: &str) -> bool {
    match redis::run("SET", [key, "1", "NX", "PX", within_ms]).await {
        Ok(set) => !matches!(set.first(), None | Some(RedisResult::Nil)),
        Err(_) => true,
    }
}

/// The key always expires: if its copy were killed and the key stayed, every later wake-up would wait for the next tick.
async fn add(key: &str, count: i64) -> Option<i64> {
    const ADD: &str = "local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
        if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
        return sum";
    let arguments = [ADD, "1", key, &count.to_string(), WATCH_MS];
    let answer = redis::run("EVAL", arguments).await.ok()?;
    match answer.first() {
        Some(RedisResult::Int64(sum)) => Some(*sum),
        _ => None,
    }
}

/// A failure here only means that copies look at the next tick.
async fn watch(key: &str) {
    let _ = redis::run("PEXPIRE", [key, WATCH_MS]).await;
}

async fn forget(key: &str) {
    let _ = redis::run("DEL", [key]).await;
}
