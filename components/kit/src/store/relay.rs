//! Reading events: how a function carries out those that it hears.
//!
//! [`drain`] claims deliveries that are ready, hands them to the function a few at a time and settles each: done,
//! again, later or never. [`drain_together`] hands over several at once, for functions that carry them out by one
//! statement. Every event arrives at least once; one that comes twice has the same id. Deliveries that a crashed worker
//! left unsettled are redelivered one at a time when their lease ends, so that a poison event harms no other. Order
//! within an aggregate, lanes and the fencing of late copies are SQL, in `migrations/events`.
//!
//! What a function hears, and on which lanes, is declared in `migrations/<schema>/events.sql`.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use spin_sdk::time::sleep;
use uuid::Uuid;

use super::db::{Cause, Db, DbError};
use super::event;
use super::row::{FromRow, Only, Row};
use crate::{params, sql};

/// An event that was claimed.
#[derive(Clone, Debug)]
pub struct Event {
    delivery: i64,
    pub id: Uuid,
    /// Its place among the events of its aggregate. A worker that was suspended over an older one is recognized
    /// by it.
    pub seq: u64,
    pub kind: String,
    pub aggregate: String,
    pub payload: Value,
    pub created_at: Timestamp,
    /// The request that caused it.
    pub request_id: Option<String>,
    pub traceparent: Option<String>,
    /// Of a lane of rank 0.
    is_urgent: bool,
    /// Attempts that ended before.
    attempts: i32,
    /// Consecutive claims that were never settled, this one included.
    unsettled: i32,
    fence: i64,
}

impl Event {
    fn cause(&self) -> Cause {
        Cause {
            request_id: self.request_id.clone(),
            traceparent: self.traceparent.clone(),
        }
    }
}

/// An event to write with the outcome of another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewEvent {
    pub kind: &'static str,
    pub aggregate: String,
    pub payload: Value,
    /// It is carried out then at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// The outcome of an event. Operators read the texts, so they hold no secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was carried out, and these events follow from it.
    Done(Vec<NewEvent>),
    /// It failed and may work another time, though not before `after`, which the receiver asked for.
    Again {
        why: String,
        after: Option<Duration>,
    },
    /// The receiver is busy and said when to come again: not a failed attempt.
    Later(Duration),
    /// The receiver is resting, and so is its whole lane: no delivery of it begins before. Not a failed attempt.
    Rest(Duration),
    /// It waits until `unpark` is called with the same `until`, as a webhook's id. Not a failed attempt.
    Park { until: String, why: String },
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
const MAX_CONCURRENT: usize = 64;

/// Events of urgent lanes that a worker carries out in addition, so that slow receivers do not occupy every place.
const MAX_URGENT: usize = 8;

/// How often a worker that waits for its receivers looks for further events.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Events that are settled by one statement, with a claim for as many others. The statement costs nearly the same for few
/// events as for many: with 32 an event costs half as much as with 8. Fewer are settled when nothing else runs, or when
/// none ends within [`LINGER`].
const BATCH: usize = MAX_CONCURRENT / 2;
const LINGER: Duration = Duration::from_millis(10);

/// No event is begun later in a drain: a host that stops waits for drains that run, and events that it cuts off are
/// carried out again elsewhere. The next wake-up goes on.
const MAX_DRAIN: Duration = Duration::from_secs(4);

/// An event that takes longer has failed.
const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

/// Longer than [`EVENT_TIMEOUT`], so that only dead and suspended workers lose a claim.
const LEASE_MS: i32 = 60_000;

/// The first pause; each next one doubles, and together they last about a day.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(2 * 60 * 60);
const MAX_ATTEMPTS: i32 = 24;

/// Upper bound for a `Retry-After` that a receiver may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How a function carries out events.
struct Consumer<G, T, A> {
    goes_together: G,
    together: T,
    alone: A,
}

/// Carries out events until none is ready or the time is up; answers how many were settled.
pub async fn drain(
    db: &Db,
    consume: impl AsyncFn(&Db, &Event) -> Outcome,
) -> Result<usize, DbError> {
    async fn nothing(_: &Db, _: &[Event]) -> Vec<Outcome> {
        Vec::new()
    }
    drain_together(db, |_| false, nothing, consume).await
}

/// The same. Events for which `goes_together` holds and that were claimed together are carried out by one call of `together`,
/// which answers an outcome for each, in their order, and writes events by these outcomes alone.
pub async fn drain_together(
    db: &Db,
    goes_together: impl Fn(&Event) -> bool,
    together: impl AsyncFn(&Db, &[Event]) -> Vec<Outcome>,
    alone: impl AsyncFn(&Db, &Event) -> Outcome,
) -> Result<usize, DbError> {
    let consumer = Consumer {
        goes_together,
        together,
        alone,
    };
    db.overlap(true);
    let drained = drain_all(db, &consumer).await;
    db.overlap(false);
    drained
}

async fn drain_all<G, T, A>(db: &Db, consumer: &Consumer<G, T, A>) -> Result<usize, DbError>
where
    G: Fn(&Event) -> bool,
    T: AsyncFn(&Db, &[Event]) -> Vec<Outcome>,
    A: AsyncFn(&Db, &Event) -> Outcome,
{
    let begun = crate::now();
    let (mut settled, is_cut_short) = drain_ready(db, consumer, begun).await?;
    // No other event is in progress now: an unsettled one may have killed its worker.
    while let Some(dropped) = reclaim(db).await? {
        let settlements = carry_out(db, consumer, vec![dropped]).await;
        settle_all(db, &settlements).await?;
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

/// How many more events a worker has room for.
#[derive(Clone, Copy)]
struct Room {
    urgent: usize,
    other: usize,
}

/// The result of one turn of settling and claiming.
struct Turn {
    settled: usize,
    /// Absent when nothing was asked for.
    claimed: Option<Result<Vec<Event>, DbError>>,
}

/// How many were settled, and whether time ended before the work did.
async fn drain_ready<G, T, A>(
    db: &Db,
    consumer: &Consumer<G, T, A>,
    begun: Timestamp,
) -> Result<(usize, bool), DbError>
where
    G: Fn(&Event) -> bool,
    T: AsyncFn(&Db, &[Event]) -> Vec<Outcome>,
    A: AsyncFn(&Db, &Event) -> Outcome,
{
    let mut running = FuturesUnordered::new();
    let mut room = Room {
        urgent: MAX_URGENT,
        other: MAX_CONCURRENT,
    };
    let mut finished = Vec::new();
    let mut turn = None;
    let mut settled = 0;
    let mut failed = Ok(());
    let mut may_be_more = true;
    let mut has_asked = false;
    let mut has_lingered = false;
    loop {
        let is_over = is_over(begun, crate::now());
        let is_batch = has_lingered || finished.len() >= BATCH || running.is_empty();
        if turn.is_none() && is_batch {
            // Late: running events still occupy this worker, so it claims urgent ones only, which then need not wait.
            let other = if is_over { 0 } else { room.other };
            let may_claim = may_be_more
                && failed.is_ok()
                && (!is_over || !running.is_empty())
                && (room.urgent > 0 || other > 0);
            if may_claim || !finished.is_empty() {
                let wanted = may_claim.then_some(Room { other, ..room });
                let settlements = std::mem::take(&mut finished);
                turn = Some(Box::pin(take_turn(db, settlements, wanted)));
                has_lingered = false;
            }
        }
        if turn.is_none() && running.is_empty() {
            return failed.map(|()| (settled, may_be_more));
        }
        let patience = if finished.is_empty() {
            LOOK_AGAIN
        } else {
            LINGER
        };
        match next_step(&mut running, &mut turn, patience).await {
            Step::Ended(is_urgent, settlements) => {
                match is_urgent {
                    true => room.urgent += settlements.len(),
                    false => room.other += settlements.len(),
                }
                finished.extend(settlements);
                // The next of the same aggregate may go now.
                may_be_more = true;
            }
            Step::Turned(taken) => {
                turn = None;
                settled += taken.settled;
                let Some(claimed) = taken.claimed else {
                    continue;
                };
                // It looks again when one of these has ended.
                may_be_more = false;
                let claimed = claimed.unwrap_or_else(|error| {
                    failed = Err(error);
                    Vec::new()
                });
                if claimed.len() >= BATCH && !has_asked {
                    has_asked = true;
                    event::ask_for_help();
                }
                for events in group(claimed, &consumer.goes_together) {
                    let is_urgent = events.iter().any(|it| it.is_urgent);
                    match is_urgent {
                        true => room.urgent = room.urgent.saturating_sub(events.len()),
                        false => room.other = room.other.saturating_sub(events.len()),
                    }
                    running.push(async move { (is_urgent, carry_out(db, consumer, events).await) });
                }
            }
            Step::Waited => (may_be_more, has_lingered) = (true, true),
        }
    }
}

/// What a drain goes on with.
enum Step {
    /// Events were carried out; whether they were urgent ones.
    Ended(bool, Vec<Settlement>),
    Turned(Turn),
    /// Nothing happened for a while.
    Waited,
}

async fn next_step<E, T>(
    running: &mut FuturesUnordered<E>,
    turn: &mut Option<Pin<Box<T>>>,
    patience: Duration,
) -> Step
where
    E: Future<Output = (bool, Vec<Settlement>)>,
    T: Future<Output = Turn>,
{
    let is_turning = turn.is_some();
    let ended = async {
        match running.next().await {
            Some((is_urgent, settlements)) => Step::Ended(is_urgent, settlements),
            None => std::future::pending().await,
        }
    };
    let turned = async {
        match turn {
            Some(turn) => Step::Turned(turn.await),
            None => std::future::pending().await,
        }
    };
    let waited = async {
        match is_turning {
            true => std::future::pending().await,
            false => sleep(patience).await,
        }
        Step::Waited
    };
    let (ended, turned, waited) = (pin!(ended), pin!(turned), pin!(waited));
    match select(ended, select(turned, waited)).await {
        Either::Left((step, _))
        | Either::Right((Either::Left((step, _)) | Either::Right((step, _)), _)) => step,
    }
}

/// Settles finished events, then claims as many as there is room for. Settling comes first, because it makes the next
/// events of their lines ready.
async fn take_turn(db: &Db, settlements: Vec<Settlement>, wanted: Option<Room>) -> Turn {
    if !settlements.is_empty()
        && let Err(error) = settle_all(db, &settlements).await
    {
        return Turn {
            settled: 0,
            claimed: Some(Err(error)),
        };
    }
    Turn {
        settled: settlements.len(),
        claimed: match wanted {
            Some(room) => Some(claim(db, room).await),
            None => None,
        },
    }
}

/// Pauses between attempts to settle while the database is in trouble. An outcome that is lost holds up its line, and a
/// place of its lane, until the lease ends.
const SETTLE_AGAIN: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

/// Settles many in one statement. If the database refuses it, one of them is the reason: then they are settled one by
/// one, and the refused one waits until its lease ends.
async fn settle_all(db: &Db, settlements: &[Settlement]) -> Result<(), DbError> {
    let mut result = settle(db, settlements).await;
    for pause in SETTLE_AGAIN {
        match &result {
            Err(error) if error.is_passing() => eprintln!("settling is tried again: {error}"),
            _ => break,
        }
        sleep(pause).await;
        result = settle(db, settlements).await;
    }
    let refused = match result {
        Err(error @ DbError::Refused { .. }) if settlements.len() > 1 => error,
        settled => return settled,
    };
    eprintln!("settling {} events: {refused}", settlements.len());
    for one in settlements {
        if let Err(error) = settle(db, std::slice::from_ref(one)).await {
            eprintln!("{} is not settled: {error}", one.event);
        }
    }
    Ok(())
}

async fn settle(db: &Db, settlements: &[Settlement]) -> Result<(), DbError> {
    let params = params![&json!(settlements)];
    let in_time: Vec<Only<i64>> = db.all(sql!("relay_settle"), params).await?;
    for it in settlements {
        if !in_time.iter().any(|Only(id)| *id == it.delivery) {
            eprintln!("{} was taken over by another copy", it.event);
        }
    }
    Ok(())
}

fn is_over(begun: Timestamp, now: Timestamp) -> bool {
    now.duration_since(begun).unsigned_abs() >= MAX_DRAIN
}

async fn claim(db: &Db, room: Room) -> Result<Vec<Event>, DbError> {
    let count = |it| i32::try_from(it).unwrap_or(i32::MAX);
    let params = params![count(room.urgent), count(room.other), LEASE_MS];
    db.all(sql!("relay_claim"), params).await
}

/// One event that was claimed and never settled, if there is one.
async fn reclaim(db: &Db) -> Result<Option<Event>, DbError> {
    db.optional(sql!("relay_reclaim"), params![LEASE_MS]).await
}

/// The events of each call. Events that go together share a call, urgent ones apart from the others; every other event
/// has its own call.
fn group(claimed: Vec<Event>, goes_together: &impl Fn(&Event) -> bool) -> Vec<Vec<Event>> {
    let mut urgent = Vec::new();
    let mut other = Vec::new();
    let mut groups = Vec::new();
    for event in claimed {
        match (goes_together(&event), event.is_urgent) {
            (true, true) => urgent.push(event),
            (true, false) => other.push(event),
            (false, _) => groups.push(vec![event]),
        }
    }
    groups.extend([urgent, other].into_iter().filter(|it| !it.is_empty()));
    groups
}

async fn carry_out<G, T, A>(
    db: &Db,
    consumer: &Consumer<G, T, A>,
    events: Vec<Event>,
) -> Vec<Settlement>
where
    G: Fn(&Event) -> bool,
    T: AsyncFn(&Db, &[Event]) -> Vec<Outcome>,
    A: AsyncFn(&Db, &Event) -> Outcome,
{
    let outcomes = match events.as_slice() {
        // It was claimed alone, because its earlier claims were never settled.
        [event] if event.unsettled > MAX_ATTEMPTS => {
            vec![Outcome::Never(
                "every worker that took it crashed".to_owned(),
            )]
        }
        [event] if !(consumer.goes_together)(event) => {
            let own = db.caused_by(event.cause());
            let consumed = (consumer.alone)(own.as_ref().unwrap_or(db), event);
            with_timeout(consumed).await.into_iter().collect()
        }
        together => with_timeout((consumer.together)(db, together))
            .await
            .unwrap_or_default(),
    };
    let missing = || Outcome::again("it took too long");
    let outcomes = outcomes.into_iter().chain(std::iter::repeat_with(missing));
    let settle = |(event, outcome): (&Event, Outcome)| {
        let settlement = Settlement::of(event, outcome, random());
        if let Some(error) = &settlement.error {
            eprintln!("{} {}: {error}", settlement.event, settlement.outcome);
        }
        settlement
    };
    events.iter().zip(outcomes).map(settle).collect()
}

/// Absent when it took too long.
async fn with_timeout<T>(consumed: impl Future<Output = T>) -> Option<T> {
    let consumed = pin!(consumed);
    let timeout = pin!(sleep(EVENT_TIMEOUT));
    match select(consumed, timeout).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}

/// An outcome as it is stored.
#[derive(Debug, PartialEq, Serialize)]
struct Settlement {
    /// As log lines name it.
    #[serde(skip)]
    event: String,
    delivery: i64,
    fence: i64,
    outcome: &'static str,
    pause_ms: i64,
    rest_ms: i64,
    error: Option<String>,
    parked_for: Option<String>,
    follows: Vec<NewEvent>,
}

impl Settlement {
    /// `random` is in 0..=u32::MAX.
    fn of(event: &Event, outcome: Outcome, random: u32) -> Self {
        let attempts = event.attempts + 1;
        let request = event.request_id.as_deref().unwrap_or("-");
        let plain = |outcome, wait: Duration, error: Option<String>| Self {
            event: format!("event {} ({}, request {request})", event.id, event.kind),
            delivery: event.delivery,
            fence: event.fence,
            outcome,
            pause_ms: i64::try_from(wait.as_millis()).unwrap_or(i64::MAX),
            rest_ms: 0,
            error: error.as_deref().map(readable),
            parked_for: None,
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
            Outcome::Rest(after) => {
                let wait = after.min(MAX_RETRY_AFTER);
                let later = plain("later", wait, None);
                Self {
                    rest_ms: later.pause_ms,
                    ..later
                }
            }
            Outcome::Park { until, why } => Self {
                parked_for: Some(until),
                ..plain("parked", Duration::ZERO, Some(why))
            },
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
            delivery: row.get("delivery")?,
            id: row.get("id")?,
            seq: row.get::<i64>("seq")?.unsigned_abs(),
            kind: row.get("kind")?,
            aggregate: row.get("aggregate")?,
            payload: row.get("payload")?,
            created_at: row.get("created_at")?,
            request_id: row.get("request_id")?,
            traceparent: row.get("traceparent")?,
            is_urgent: row.get::<i16>("rank")? == 0,
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

    /// An event that failed so often.
    fn event(attempts: i32) -> Event {
        Event {
            delivery: 7,
            id: Uuid::nil(),
            seq: 1,
            kind: "notify".to_owned(),
            aggregate: "booking:17".to_owned(),
            payload: json!({}),
            created_at: Timestamp::UNIX_EPOCH,
            request_id: None,
            traceparent: None,
            is_urgent: false,
            attempts,
            unsettled: 1,
            fence: 3,
        }
    }

    #[test]
    fn events_that_go_together_are_one_call_and_the_urgent_ones_another() {
        let named = |kind: &str, is_urgent| Event {
            kind: kind.to_owned(),
            is_urgent,
            ..event(0)
        };
        let claimed = vec![
            named("notify", false),
            named("letter", true),
            named("notify", true),
            named("letter", false),
            named("notify", false),
        ];
        let calls: Vec<Vec<(String, bool)>> = group(claimed, &|it: &Event| it.kind == "notify")
            .into_iter()
            .map(|it| it.into_iter().map(|it| (it.kind, it.is_urgent)).collect())
            .collect();
        let one = |kind: &str, is_urgent| (kind.to_owned(), is_urgent);
        assert_eq!(
            calls,
            [
                vec![one("letter", true)],
                vec![one("letter", false)],
                vec![one("notify", true)],
                vec![one("notify", false), one("notify", false)],
            ]
        );
        assert!(group(Vec::new(), &|_: &Event| true).is_empty());
    }

    #[test]
    fn a_failure_is_tried_again_until_it_is_dead() {
        let settled =
            |attempts| Settlement::of(&event(attempts), Outcome::again("no answer"), 0).outcome;
        assert_eq!(settled(0), "again");
        assert_eq!(settled(MAX_ATTEMPTS - 2), "again");
        assert_eq!(settled(MAX_ATTEMPTS - 1), "dead");
        let never = Outcome::Never("no such template".to_owned());
        assert_eq!(Settlement::of(&event(0), never, 0).outcome, "dead");
    }

    #[test]
    fn a_receiver_that_rests_makes_its_lane_rest() {
        let rest = Settlement::of(&event(0), Outcome::Rest(Duration::from_secs(9)), 0);
        assert_eq!(
            (rest.outcome, rest.rest_ms, rest.error),
            ("later", 9_000, None)
        );
        let year = Duration::from_secs(31_536_000);
        let bounded = Settlement::of(&event(0), Outcome::Rest(year), 0);
        assert_eq!(bounded.rest_ms, 86_400_000);
    }

    #[test]
    fn a_delay_that_the_receiver_asked_for_is_no_failure() {
        let later = Settlement::of(&event(19), Outcome::Later(Duration::from_secs(7)), u32::MAX);
        assert_eq!((later.outcome, later.error), ("later", None));
        assert!((7_000..8_000).contains(&later.pause_ms));
    }

    #[test]
    fn control_characters_of_an_error_are_replaced() {
        let settled = Settlement::of(&event(0), Outcome::again("no\0 \u{1b}[31mway"), 0);
        assert_eq!(settled.error.as_deref(), Some("no   [31mway"));
    }

    #[test]
    fn an_error_is_cut_to_what_a_person_reads() {
        let settled = Settlement::of(&event(0), Outcome::again("é".repeat(9_000)), 0);
        assert_eq!(settled.error.map(|it| it.chars().count()), Some(MAX_ERROR));
    }
}
