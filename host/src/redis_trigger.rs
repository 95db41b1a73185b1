//! The Redis trigger: one subscription per server. A lost connection is reopened with backoff, for as long as the
//! host runs; messages published meanwhile are missed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use futures::StreamExt;
use redis::aio::PubSubSink;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::listener::Listener;
use crate::metrics::Metrics;

/// A connection silent for this long is probed with PING, which must be answered within the same time.
const PING_INTERVAL: Duration = Duration::from_secs(10);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const MIN_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// The channels of one server and their listeners.
pub struct Subscription {
    pub address: String,
    pub channels: HashMap<String, Vec<Arc<Listener>>>,
}

/// Receives messages until `stop` is cancelled.
pub async fn run(subscription: Subscription, metrics: Arc<Metrics>, stop: CancellationToken) {
    let mut backoff = MIN_BACKOFF;
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let lost = tokio::select! {
            lost = listen(&subscription, &metrics) => lost,
            () = stop.cancelled() => return,
        };
        if begun.elapsed() > MAX_BACKOFF {
            backoff = MIN_BACKOFF;
        }
        let pause = jittered(backoff);
        let address = without_password(&subscription.address);
        if let Err(cause) = lost {
            tracing::warn!("Redis at {address}: {cause:#}; trying again in {pause:?}");
        }
        metrics.redis_reconnects.fetch_add(1, Relaxed);
        backoff = (backoff * 2).min(MAX_BACKOFF);
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// A random time between half of `pause` and `pause`, so that many hosts do not reconnect at the same moment.
fn jittered(pause: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_u64_pair().1 as u32;
    pause / 2 + pause.mul_f64(f64::from(random) / f64::from(u32::MAX) / 2.0)
}

async fn listen(subscription: &Subscription, metrics: &Metrics) -> Result<()> {
    let client = redis::Client::open(subscription.address.as_str())?;
    let (mut sink, mut messages) = timeout(CONNECT_TIMEOUT, client.get_async_pubsub())
        .await??
        .split();
    for channel in subscription.channels.keys() {
        timeout(CONNECT_TIMEOUT, sink.subscribe(channel)).await??;
    }
    let _connected = Connected::new(metrics);
    let address = without_password(&subscription.address);
    let channels = subscription
        .channels
        .keys()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    tracing::info!("listening to {channels} on Redis at {address}");
    loop {
        match timeout(PING_INTERVAL, messages.next()).await {
            Ok(Some(message)) => dispatch(subscription, &message),
            Ok(None) => bail!("the connection was lost"),
            Err(_) => ping(&mut sink).await?,
        }
    }
}

fn dispatch(subscription: &Subscription, message: &redis::Msg) {
    let Some(listeners) = subscription.channels.get(message.get_channel_name()) else {
        return;
    };
    let payload: Arc<[u8]> = message.get_payload_bytes().into();
    for listener in listeners {
        if !listener.offer(payload.clone()) {
            let (component, channel) = (listener.component(), message.get_channel_name());
            tracing::warn!(
                component,
                channel,
                "too many messages are waiting; this one was dropped"
            );
        }
    }
}

async fn ping(sink: &mut PubSubSink) -> Result<()> {
    let _: redis::Value = timeout(PING_INTERVAL, sink.ping()).await??;
    Ok(())
}

/// Counts a working subscription until it is dropped.
struct Connected<'a>(&'a Metrics);

impl<'a> Connected<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        metrics.redis_connected.fetch_add(1, Relaxed);
        Self(metrics)
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.redis_connected.fetch_sub(1, Relaxed);
    }
}

/// The address without its credentials, safe to log.
fn without_password(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_removed_from_logged_addresses() {
        assert_eq!(
            without_password("redis://user:p@ss@host:6379/0"),
            "redis://host:6379/0"
        );
        assert_eq!(without_password("redis://host:6379"), "redis://host:6379");
    }

    #[test]
    fn jitter_keeps_at_least_half_of_the_pause() {
        for _ in 0..100 {
            let pause = jittered(Duration::from_secs(2));
            assert!(
                (Duration::from_secs(1)..=Duration::from_secs(2)).contains(&pause),
                "{pause:?}"
            );
        }
    }
}
