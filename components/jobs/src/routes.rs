//! The HTTP face of jobs: admins look after the outbox, and an outside clock calls the tick.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use kit::identity::{Admin, Clock};
use kit::store::event;
use kit::web::{Dialect, Json, NoContent, Page, Path, Problem, Query, Routes, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::queue::{self, Backlog, Entry, Failure, Kind, Listing, State};
use crate::{store, triggers};

pub fn routes() -> Routes {
    Routes::new("Operation", Dialect::Plain)
        .post("/jobs/tick", tick, |it| {
            it.summary("Run due background work")
                .note("Does what the host's tick does, on platforms that have none.")
        })
        .get("/jobs/metrics", show_metrics, |it| {
            it.summary("Show outbox metrics")
                .note("In the text format of Prometheus, one gauge per measure and kind of event.")
                .returns_media(200, METRICS)
        })
        .get("/jobs/queue", show_queue, |it| {
            it.summary("Show the outbox by kind")
        })
        .get("/jobs/events", list_events, |it| {
            it.summary("List events of the outbox")
                .note("The newest first. The next page begins `before` the last `seq` of this one.")
        })
        .get("/jobs/events/{id}", show_event, |it| {
            it.summary("Show an event")
                .note("With its failed attempts, the last one first.")
                .refuses([Error::UNKNOWN_EVENT])
        })
        .delete("/jobs/events/{id}", discard_event, |it| {
            it.summary("Discard a dead event")
                .note("It counts as carried out, and its failures name the admin who discarded it.")
                .refuses([Error::UNKNOWN_EVENT, Error::NOT_DEAD])
        })
        .post("/jobs/events/{id}/requeue", requeue_event, |it| {
            it.summary("Requeue an event")
                .note("A dead event gets all its attempts again; one that waits for its next attempt has it now.")
                .refuses([Error::UNKNOWN_EVENT, Error::NOT_WAITING])
        })
        .post("/jobs/requeue", requeue_events, |it| {
            it.summary("Requeue dead events")
        })
        .put("/jobs/pauses/{kind}", pause_kind, |it| {
            it.summary("Pause a kind of event")
                .note("No event of the kind is begun until the kind is resumed. Those that are being carried out go on.")
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
        aggregate: filter.aggregate.as_deref(),
        before: filter.before,
        limit: page.limit(50),
    };
    let listed = store::list_events(&store::open().await?, listing).await?;
    Ok(Json(listed))
}

#[derive(Serialize, Schema)]
struct Detailed {
    #[serde(flatten)]
    event: Entry,
    failures: Vec<Failure>,
}

async fn show_event(_: Admin, Path(id): Path<Uuid>) -> Result<Json<Detailed>, Problem> {
    let db = store::open().await?;
    let event = store::find_event(&db, id).await?;
    let failures = store::list_failures(&db, id).await?;
    Ok(Json(Detailed { event, failures }))
}

async fn discard_event(Admin(caller): Admin, Path(id): Path<Uuid>) -> Result<NoContent, Problem> {
    store::discard_event(&store::open().await?, id, caller.id).await?;
    Ok(NoContent)
}

async fn requeue_event(_: Admin, Path(id): Path<Uuid>) -> Result<NoContent, Problem> {
    store::requeue_event(&store::open().await?, id).await?;
    event::wake();
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
struct Which {
    /// All kinds when absent.
    kind: Option<Kind>,
}

#[derive(Serialize, Schema)]
struct Requeued {
    /// How many events.
    requeued: u64,
}

async fn requeue_events(_: Admin, Query(which): Query<Which>) -> Result<Json<Requeued>, Problem> {
    let kind = which.kind.as_ref().map(Kind::as_str);
    let requeued = store::requeue_dead(&store::open().await?, kind).await?;
    event::wake();
    Ok(Json(Requeued { requeued }))
}

async fn pause_kind(Admin(caller): Admin, Path(kind): Path<Kind>) -> Result<NoContent, Problem> {
    store::pause_kind(&store::open().await?, kind.as_str(), caller.id).await?;
    Ok(NoContent)
}

async fn resume_kind(_: Admin, Path(kind): Path<Kind>) -> Result<NoContent, Problem> {
    store::resume_kind(&store::open().await?, kind.as_str()).await?;
    event::wake();
    Ok(NoContent)
}
