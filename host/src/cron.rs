//! The host's own clock: `[[application.tool.wharf.cron]]` entries, delivered in memory to the
//! components whose Redis trigger names the entry's channel. A component that still handles a firing
//! when the next is due skips that one; how long others take is no matter to it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::listener::Listener;

/// For one of those who hear it.
pub struct Entry {
    pub when: When,
    pub payload: Arc<[u8]>,
    pub listener: Arc<Listener>,
}

#[derive(Clone)]
pub enum When {
    Every(Duration),
    /// In UTC.
    Schedule(Box<croner::Cron>),
}

impl When {
    /// Five to seven fields; seconds come first where there are six.
    pub fn schedule(text: &str) -> Result<Self> {
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Optional)
            .build();
        let schedule = parser
            .parse(text)
            .with_context(|| format!("the schedule \"{text}\""))?;
        Ok(Self::Schedule(Box::new(schedule)))
    }
}

/// Fires until `stop`.
pub async fn run(entry: Entry, work: TaskTracker, stop: CancellationToken) {
    let firing = async {
        match &entry.when {
            When::Every(pause) => fire_every(*pause, &entry, &work).await,
            When::Schedule(schedule) => fire_on_schedule(schedule, &entry, &work).await,
        }
    };
    tokio::select! {
        () = firing => {}
        () = stop.cancelled() => {}
    }
}

async fn fire_every(pause: Duration, entry: &Entry, work: &TaskTracker) {
    let mut ticks = interval_at(Instant::now() + pause, pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        fire(entry, work).await;
    }
}

async fn fire_on_schedule(schedule: &croner::Cron, entry: &Entry, work: &TaskTracker) {
    loop {
        let now = Timestamp::now();
        let Ok(next) = schedule.find_next_occurrence(&now.to_zoned(TimeZone::UTC), false) else {
            tracing::info!("the schedule {schedule} has no further time");
            return;
        };
        // Never early: woken a little before the moment, it would find the same moment again.
        let wait = Duration::try_from(next.timestamp().duration_since(now)).unwrap_or_default();
        sleep(wait + Duration::from_millis(1)).await;
        fire(entry, work).await;
    }
}

/// Resolves when it was handled. What has begun is finished though the clock be stopped.
async fn fire(entry: &Entry, work: &TaskTracker) {
    let (listener, payload) = (entry.listener.clone(), entry.payload.clone());
    // A panic is in the log already, and the next firing may do better.
    drop(
        work.spawn(async move { listener.deliver(payload).await })
            .await,
    );
}
