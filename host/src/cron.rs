//! The host's clock: fires `[[application.tool.wharf.cron]]` entries. A firing is delivered in memory to the
//! components whose Redis trigger names the entry's channel. A component that is still busy with one firing when
//! the next is due skips the next; components do not delay each other.

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

/// One cron entry for one listener.
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
    /// Parses five to seven fields; with six, the first is seconds.
    pub fn parse_schedule(text: &str) -> Result<Self> {
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

/// Fires until `stop` is cancelled.
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
        // One millisecond late: waking up early would find the same time again.
        let wait = Duration::try_from(next.timestamp().duration_since(now)).unwrap_or_default();
        sleep(wait + Duration::from_millis(1)).await;
        fire(entry, work).await;
    }
}

/// Resolves once the message was handled. Runs as a task of its own, so that stopping the clock does not
/// interrupt it.
async fn fire(entry: &Entry, work: &TaskTracker) {
    let (listener, payload) = (entry.listener.clone(), entry.payload.clone());
    // A panic is logged already, and the next firing may succeed.
    drop(
        work.spawn(async move { listener.deliver(payload).await })
            .await,
    );
}
