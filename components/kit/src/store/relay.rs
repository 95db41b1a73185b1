//! Reading the outbox: how a function carries out the events that are meant for it.
//!
//! [`drain`] claims events that are due, hands them to the function a few at a time and settles each: done, again,
//! or never. Every event arrives at least once; one that comes twice has the same id. Events that a crashed worker
//! left unsettled are redelivered one at a time when their lease ends, so that a poison event harms no other.
//! Order within an aggregate and the fencing of late copies are `events.claim` and `events.settle` in
//! `migrations/events`.
//!
//! `events.consumer_of` decides which function an event is for.

use std::time::Duration;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use spin_sdk::time::sleep;
use uuid::Uuid;

use super::db::{Db, DbError};
use super::event;
use super::row::{FromRow, Only, Row};
use crate::{params, sql};

/// An event that was claimed.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Uuid,
    /// Its place among the events of its aggregate. A worker that was suspended over an older one is recognized
    /// by it.
    pub seq: u64,
    pub kind: String,
    pub aggregate: String,
    pub payload: Value,
    pub created_at: Timestamp,
    /// Attempts that ended before.
    attempts: i32,
    /// Consecutive claims that were never settled, this one included.
    unsettled: i32,
    fence: i64,
}

/// An event to write with the outcome of another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewEvent {
    pub kind: &'static str,
    pub aggregate: String,
    pub payload: Value,
}

/// What came of an event. Operators read the texts, so they hold no secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// These events follow from it.
    Done(Vec<NewEvent>),
    /// It failed and may work another time, though not before `after`, which the receiver asked for.
    Again {
        why: String,
        after: Option<Duration>,
    },
    /// The receiver is busy and said when to come again: not a failed attempt.
    Later(Duration),
    /// It cannot work. It stays with the dead letters until an operator decides.
    Never(String),
}

impl Outcome {
    pub const DONE: Self = Self::Done(Vec::new());

    pub fn again(why: impl ToString) -> Self {
        Self::Again {
            why: why.to_string(),
            after: None,
        }
    }
}

/// Events that one worker carries out at once: enough to hide the waiting for receivers, few enough that a worker
/// that dies delays little until the leases end.
const MAX_CONCURRENT: usize = 32;

/// No event is begun later in a drain: a host that stops waits for drains that run, and events that it cuts off are
/// carried out again elsewhere. The next wake-up goes on.
const MAX_DRAIN: Duration = Duration::from_secs(4);

/// An event that takes longer has failed.
const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

/// Longer than any worker is at an event, so that only dead and suspended workers lose a claim.
const LEASE_MS: i32 = 60_000;

/// The first pause; each next one doubles, and together they last about a day.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(2 * 60 * 60);
const MAX_ATTEMPTS: i32 = 24;

/// Upper bound for a `Retry-After` that a receiver may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Carries out events until none is due or the time is up; answers how many were settled.
pub async fn drain(
    db: &Db,
    consume: impl AsyncFn(&Db, &Event) -> Outcome,
) -> Result<usize, DbError> {
    let begun = crate::now();
    let (mut settled, is_cut_short) = drain_due(db, &consume, begun).await?;
    // No other event is in progress now: one that a worker dropped may be what it died of.
    while let Some(dropped) = reclaim(db).await? {
        carry_out(db, &consume, dropped).await?;
        settled += 1;
        if is_over(begun, crate::now()) {
            break;
        }
    }
    if is_cut_short {
        event::wake();
    }
    Ok(settled)
}

/// How many were settled, and whether time ended before the work did.
async fn drain_due(
    db: &Db,
    consume: &impl AsyncFn(&Db, &Event) -> Outcome,
    begun: Timestamp,
) -> Result<(usize, bool), DbError> {
    let mut running = FuturesUnordered::new();
    let mut settled = 0;
    let mut failed = Ok(());
    let mut may_be_more = true;
    loop {
        let is_over = is_over(begun, crate::now());
        let room = MAX_CONCURRENT - running.len();
        if may_be_more && room * 2 >= MAX_CONCURRENT && !is_over {
            match claim(db, room).await {
                Ok(claimed) => {
                    may_be_more = !claimed.is_empty();
                    running.extend(claimed.into_iter().map(|it| carry_out(db, consume, it)));
                }
                Err(error) => {
                    may_be_more = false;
                    failed = Err(error);
                }
            }
        }
        match running.next().await {
            // The next of the same aggregate may go now.
            Some(Ok(())) => {
                settled += 1;
                may_be_more = failed.is_ok();
            }
            Some(Err(error)) => {
                may_be_more = false;
                failed = Err(error);
            }
            None if may_be_more && !is_over => {}
            None => return failed.map(|()| (settled, may_be_more)),
        }
    }
}

fn is_over(begun: Timestamp, now: Timestamp) -> bool {
    now.duration_since(begun).unsigned_abs() >= MAX_DRAIN
}

async fn claim(db: &Db, at_most: usize) -> Result<Vec<Event>, DbError> {
    let at_most = i32::try_from(at_most).unwrap_or(i32::MAX);
    db.all(sql!("relay_claim"), params![at_most, LEASE_MS])
        .await
}

/// One event that was claimed and never settled, if there is one.
async fn reclaim(db: &Db) -> Result<Option<Event>, DbError> {
    db.optional(sql!("relay_reclaim"), params![LEASE_MS]).await
}

async fn carry_out(
    db: &Db,
    consume: &impl AsyncFn(&Db, &Event) -> Outcome,
    event: Event,
) -> Result<(), DbError> {
    let outcome = if event.unsettled > MAX_ATTEMPTS {
        Outcome::Never("every worker that took it crashed".to_owned())
    } else {
        with_timeout(consume(db, &event)).await
    };
    let settlement = Settlement::of(outcome, event.attempts + 1, random());
    if let Some(error) = &settlement.error {
        eprintln!(
            "event {} ({}) {}: {error}",
            event.id, event.kind, settlement.outcome
        );
    }
    let Only(in_time) = db
        .one::<Only<bool>>(
            sql!("relay_settle"),
            params![
                event.id,
                event.fence,
                settlement.outcome,
                settlement.pause_ms,
                settlement.error,
                &json!(settlement.follows)
            ],
        )
        .await?;
    if !in_time {
        eprintln!(
            "event {} ({}) was taken over by another copy",
            event.id, event.kind
        );
    }
    Ok(())
}

async fn with_timeout(consumed: impl Future<Output = Outcome>) -> Outcome {
    let consumed = std::pin::pin!(consumed);
    let timeout = std::pin::pin!(sleep(EVENT_TIMEOUT));
    match select(consumed, timeout).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Outcome::again("it took too long"),
    }
}

/// An outcome as it is stored.
#[derive(Debug, PartialEq)]
struct Settlement {
    outcome: &'static str,
    pause_ms: i64,
    error: Option<String>,
    follows: Vec<NewEvent>,
}

impl Settlement {
    /// `random` is in 0..=u32::MAX.
    fn of(outcome: Outcome, attempts: i32, random: u32) -> Self {
        let plain = |outcome, pause: Duration, error: Option<String>| Self {
            outcome,
            pause_ms: i64::try_from(pause.as_millis()).unwrap_or(i64::MAX),
            error: error.as_deref().map(readable),
            follows: Vec::new(),
        };
        match outcome {
            Outcome::Done(follows) => Self {
                follows,
                ..plain("done", Duration::ZERO, None)
            },
            Outcome::Again { why, .. } if attempts >= MAX_ATTEMPTS => {
                plain("dead", Duration::ZERO, Some(why))
            }
            Outcome::Again { why, after } => {
                plain("again", pause(attempts, after, random), Some(why))
            }
            Outcome::Later(after) => plain("later", pause(1, Some(after), random), None),
            Outcome::Never(why) => plain("dead", Duration::ZERO, Some(why)),
        }
    }
}

/// Characters of an error that are kept: what a person reads at a glance.
const MAX_ERROR: usize = 500;

/// Errors often quote receivers, and PostgreSQL stores no NUL.
fn readable(error: &str) -> String {
    let plain = |it: char| if it.is_control() { ' ' } else { it };
    error.chars().map(plain).take(MAX_ERROR).collect()
}

/// How long until the next attempt: doubled each time and spread over the upper half, so that events that failed
/// together do not come back together; never before `after`.
fn pause(attempts: i32, after: Option<Duration>, random: u32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1))
        .unwrap_or(0)
        .min(31);
    let whole = FIRST_PAUSE.saturating_mul(1 << doublings).min(MAX_PAUSE);
    let spread = whole / 2 * (random >> 16) / (1 << 16);
    // Spread behind the time that was asked for, never before it.
    let least = after.map_or(whole / 2, |it| it.min(MAX_RETRY_AFTER).max(whole / 2));
    least + spread
}

fn random() -> u32 {
    Uuid::new_v4().as_fields().0
}

impl FromRow for Event {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            seq: row.get::<i64>("seq")?.unsigned_abs(),
            kind: row.get("kind")?,
            aggregate: row.get("aggregate")?,
            payload: row.get("payload")?,
            created_at: row.get("created_at")?,
            attempts: row.get("attempts")?,
            unsettled: row.get("unsettled")?,
            fence: row.get("fence")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pauses_grow_stay_bounded_and_obey(
            attempts in 1..=MAX_ATTEMPTS, random: u32, after_ms in proptest::option::of(0..200_000_000u64)
        ) {
            let after = after_ms.map(Duration::from_millis);
            let pause = pause(attempts, after, random);
            prop_assert!(pause >= FIRST_PAUSE / 2);
            prop_assert!(pause <= MAX_RETRY_AFTER + MAX_PAUSE);
            if let Some(after) = after {
                prop_assert!(pause >= after.min(MAX_RETRY_AFTER));
            } else {
                prop_assert!(pause <= MAX_PAUSE);
            }
        }

        #[test]
        fn the_latest_moment_of_one_attempt_is_the_earliest_of_the_next(
            attempts in 1..12i32, random: u32
        ) {
            prop_assert!(pause(attempts, None, random) <= pause(attempts + 1, None, 0));
        }

        #[test]
        fn any_number_of_attempts_has_a_pause(attempts: i32, random: u32) {
            prop_assert!(pause(attempts, None, random) <= MAX_PAUSE);
        }
    }

    #[test]
    fn all_attempts_take_about_a_day() {
        let all: Duration = (1..MAX_ATTEMPTS)
            .map(|it| pause(it, None, u32::MAX / 2))
            .sum();
        let hours = all.as_secs() / 3600;
        assert!((12..=36).contains(&hours), "{hours} h");
    }

    #[test]
    fn a_failure_is_tried_again_until_it_is_dead() {
        let settled = |attempts| Settlement::of(Outcome::again("no answer"), attempts, 0).outcome;
        assert_eq!(settled(1), "again");
        assert_eq!(settled(MAX_ATTEMPTS - 1), "again");
        assert_eq!(settled(MAX_ATTEMPTS), "dead");
        let never = Settlement::of(Outcome::Never("no such template".to_owned()), 1, 0);
        assert_eq!(never.outcome, "dead");
    }

    #[test]
    fn a_delay_that_the_receiver_asked_for_is_no_failure() {
        let later = Settlement::of(Outcome::Later(Duration::from_secs(7)), 20, u32::MAX);
        assert_eq!((later.outcome, later.error), ("later", None));
        assert!((7_000..8_000).contains(&later.pause_ms));
    }

    #[test]
    fn control_characters_of_an_error_are_replaced() {
        let settled = Settlement::of(Outcome::again("no\0 \u{1b}[31mway"), 1, 0);
        assert_eq!(settled.error.as_deref(), Some("no   [31mway"));
    }

    #[test]
    fn an_error_is_cut_to_what_a_person_reads() {
        let settled = Settlement::of(Outcome::again("é".repeat(9_000)), 1, 0);
        assert_eq!(settled.error.map(|it| it.chars().count()), Some(MAX_ERROR));
    }
}
