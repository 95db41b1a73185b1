//! The HTTP face of jobs: admins look after the outbox, and an outside clock calls the tick.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use kit::identity::{Admin, Clock};
use kit::store::{Keyed, Replayable, event};
use kit::web::{Created, Dialect, Json, NoContent, Page, Path, Problem, Query, Routes, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;
use crate::message::{self, Announced};
use crate::queue::{self, Backlog, Entry, Failure, Kind, Lane, Listing, State};
use crate::{store, triggers};

pub fn routes() -> Routes {
    Routes::new("Operation", Dialect::Plain)
        .post("/jobs/tick", tick, |it| {
            it.summary("Run due background work")
                .note("Does what the host's tick does, on platforms that have none.")
        })
        .post("/events", announce_event, |it| {
            it.summary("Announce an event")
                .note("For outside programs that need a receipt. On Redis they can publish the same payloads without one. A `notification` is sent to a chat of Telegram. A `user:announced` does not override what signin says of the same user.")
                .refuses([Error::MISFIT])
        })
        .get("/jobs/metrics", show_metrics, |it| {
            it.summary("Show metrics of events")
                .note("In the text format of Prometheus, by function, lane, kind and state.")
                .returns_media(200, METRICS)
        })
        .get("/jobs/queue", show_queue, |it| {
            it.summary("Show the backlog of events")
                .note("The unfinished deliveries, by function, lane and kind.")
        })
        .get("/jobs/events", list_events, |it| {
            it.summary("List deliveries of events")
                .note("An event has a delivery for each function that hears it. The newest first. For the next page pass the last `seq` as `before`.")
        })
        .get("/jobs/events/{id}", show_event, |it| {
            it.summary("Show an event")
                .note("With its deliveries and their failed attempts, the last one first.")
                .refuses([Error::UNKNOWN_EVENT])
        })
        .delete("/jobs/events/{id}", discard_event, |it| {
            it.summary("Discard a dead letter")
                .note("The delivery then counts as carried out, and its list of failures names the admin who discarded it.")
                .refuses([Error::UNKNOWN_EVENT, Error::NOT_DEAD])
        })
        .post("/jobs/events/{id}/requeue", requeue_event, |it| {
            it.summary("Requeue an event")
                .note("A dead letter gets all its attempts again. A delivery that waits for its next attempt gets it now.")
                .refuses([Error::UNKNOWN_EVENT, Error::NOT_WAITING])
        })
        .post("/jobs/requeue", requeue_events, |it| {
            it.summary("Requeue dead letters")
                .note("The oldest first, at most 10000 at once.")
        })
        .get("/jobs/queue/lanes", list_lanes, |it| {
            it.summary("List lanes")
                .note("Each function has lanes, and each webhook one of its own.")
        })
        .put("/jobs/lanes/{consumer}/{lane}/pause", pause_lane, |it| {
            it.summary("Pause a lane")
                .note("No delivery of the lane is begun until it is resumed. Running deliveries go on.")
                .refuses([Error::UNKNOWN_LANE])
        })
        .delete("/jobs/lanes/{consumer}/{lane}/pause", resume_lane, |it| {
            it.summary("Resume a lane").refuses([Error::NOT_PAUSED])
        })
        .put("/jobs/consumers/{consumer}/pause", pause_consumer, |it| {
            it.summary("Pause a function's events")
                .note("Pauses every lane of the function that is in use.")
                .refuses([Error::UNKNOWN_LANE])
        })
        .delete("/jobs/consumers/{consumer}/pause", resume_consumer, |it| {
            it.summary("Resume a function's events").refuses([Error::NOT_PAUSED])
        })
        .put("/jobs/pauses/{kind}", pause_kind, |it| {
            it.summary("Pause a kind of event")
                .note("No event of the kind is begun until the kind is resumed. Running deliveries go on.")
        })
        .delete("/jobs/pauses/{kind}", resume_kind, |it| {
            it.summary("Resume a kind of event")
                .refuses([Error::NOT_PAUSED])
        })
}

async fn tick(_: Clock) -> Result<NoContent, Problem> {
    triggers::tick(&store::open().await?).await?;
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
struct Announcement {
    kind: Announced,
    /// Of `user:announced`: `{id, email}`. Of `notification`: `{key, name, text, telegram_id}`.
    #[schemars(example = serde_json::json!({
        "key": "send_notification", "name": "New booking", "text": "5 to 6", "telegram_id": 77,
    }))]
    payload: Value,
}

/// What is kept of an announced event.
#[derive(Serialize, Schema)]
struct Receipt {
    /// It is looked up at `/jobs/events/{id}`.
    id: Uuid,
}

async fn announce_event(
    Admin(caller): Admin,
    Keyed { body, once }: Keyed<Announcement>,
) -> Result<Replayable<Created<Receipt>>, Problem> {
    let event = message::announced(body.kind, body.payload).map_err(Error::Misfit)?;
    let db = store::open().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        store::record_event(&db, id, &event).await?;
        event::wake();
        Ok(Created::at(format!("/jobs/events/{id}"), Receipt { id }))
    })
    .await
}

const METRICS: &str = "text/plain; version=0.0.4";

async fn show_metrics() -> Result<Response, Problem> {
    let backlog = store::measure_backlog(&store::open().await?).await?;
    let text = queue::write_metrics(&backlog);
    Ok(([(header::CONTENT_TYPE, METRICS)], text).into_response())
}

async fn show_queue(_: Admin) -> Result<Json<Vec<Backlog>>, Problem> {
    let backlog = store::measure_backlog(&store::open().await?).await?;
    Ok(Json(backlog))
}

#[derive(Deserialize, Schema)]
struct Filter {
    state: Option<State>,
    kind: Option<Kind>,
    /// The function that hears them.
    #[schemars(example = &"payments")]
    consumer: Option<String>,
    /// As `booking:17`.
    #[schemars(example = &"booking:17")]
    aggregate: Option<String>,
    /// Only events before this place in the queue.
    before: Option<i64>,
}

async fn list_events(
    _: Admin,
    Query(filter): Query<Filter>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Entry>>, Problem> {
    let listing = Listing {
        state: filter.state,
        kind: filter.kind.as_ref().map(Kind::as_str),
        consumer: filter.consumer.as_deref(),
        aggregate: filter.aggregate.as_deref(),
        before: filter.before,
        limit: page.limit(50),
    };
    let listed = store::list_events(&store::open().await?, listing).await?;
    Ok(Json(listed))
}

#[derive(Serialize, Schema)]
struct Detailed {
    deliveries: Vec<Entry>,
    failures: Vec<Failure>,
}

async fn show_event(_: Admin, Path(id): Path<Uuid>) -> Result<Json<Detailed>, Problem> {
    let db = store::open().await?;
    let deliveries = store::find_event(&db, id).await?;
    let failures = store::list_failures(&db, id).await?;
    Ok(Json(Detailed {
        deliveries,
        failures,
    }))
}

/// One of the functions that hear an event.
#[derive(Deserialize, Schema)]
struct To {
    /// All functions that hear it when absent.
    #[schemars(example = &"payments")]
    consumer: Option<String>,
}

async fn discard_event(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
    Query(to): Query<To>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    store::discard_event(&db, id, to.consumer.as_deref(), caller.id).await?;
    Ok(NoContent)
}

async fn requeue_event(
    _: Admin,
    Path(id): Path<Uuid>,
    Query(to): Query<To>,
) -> Result<NoContent, Problem> {
    store::requeue_event(&store::open().await?, id, to.consumer.as_deref()).await?;
    event::wake();
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
struct Which {
    /// All kinds when absent.
    kind: Option<Kind>,
    /// All functions when absent.
    #[schemars(example = &"payments")]
    consumer: Option<String>,
}

#[derive(Serialize, Schema)]
struct Requeued {
    /// How many dead letters.
    requeued: i64,
}

/// Upper bound for one request: each dead letter is moved under a lock that all claims wait for.
const MAX_REQUEUED: i32 = 10_000;

async fn requeue_events(_: Admin, Query(which): Query<Which>) -> Result<Json<Requeued>, Problem> {
    let db = store::open().await?;
    let (kind, consumer) = (
        which.kind.as_ref().map(Kind::as_str),
        which.consumer.as_deref(),
    );
    let requeued = store::requeue_dead(&db, kind, consumer, MAX_REQUEUED).await?;
    event::wake();
    Ok(Json(Requeued { requeued }))
}

async fn pause_kind(Admin(caller): Admin, Path(kind): Path<Kind>) -> Result<NoContent, Problem> {
    store::pause_kind(&store::open().await?, kind.as_str(), caller.id).await?;
    Ok(NoContent)
}

/// How many parked deliveries one statement frees.
const UNPARKED_AT_ONCE: i32 = 5_000;

async fn resume_kind(_: Admin, Path(kind): Path<Kind>) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    let mut was_paused = store::resume_kind(&db, kind.as_str()).await?;
    // Also when the kind is not paused any more: an earlier request may have ended before all were freed.
    while store::unpark(&db, kind.as_str(), UNPARKED_AT_ONCE).await? > 0 {
        was_paused = true;
    }
    if !was_paused {
        return Err(Error::NotPaused.into());
    }
    event::wake();
    Ok(NoContent)
}

async fn list_lanes(_: Admin) -> Result<Json<Vec<Lane>>, Problem> {
    Ok(Json(store::list_lanes(&store::open().await?).await?))
}

#[derive(Deserialize, Schema)]
struct OfConsumer {
    /// The function that hears the events.
    #[schemars(example = &"weather")]
    consumer: String,
}

#[derive(Deserialize, Schema)]
struct OfLane {
    /// The function that hears what is delivered on it.
    #[schemars(example = &"weather")]
    consumer: String,
    #[schemars(example = &"main")]
    lane: String,
}

async fn pause_lane(Admin(caller): Admin, Path(of): Path<OfLane>) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    store::pause_lanes(&db, &of.consumer, Some(&of.lane), caller.id).await?;
    Ok(NoContent)
}

async fn resume_lane(_: Admin, Path(of): Path<OfLane>) -> Result<NoContent, Problem> {
    store::resume_lanes(&store::open().await?, &of.consumer, Some(&of.lane)).await?;
    event::wake();
    Ok(NoContent)
}

async fn pause_consumer(
    Admin(caller): Admin,
    Path(of): Path<OfConsumer>,
) -> Result<NoContent, Problem> {
    store::pause_lanes(&store::open().await?, &of.consumer, None, caller.id).await?;
    Ok(NoContent)
}

async fn resume_consumer(_: Admin, Path(of): Path<OfConsumer>) -> Result<NoContent, Problem> {
    store::resume_lanes(&store::open().await?, &of.consumer, None).await?;
    event::wake();
    Ok(NoContent)
}
