//! Where people look after the outbox, and where a clock outside calls.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use kit::{Admin, Clock, Json, Page, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::queue::{self, Backlog, Entry, Failure, Kind, State};
use crate::store::{self, Wanted};
use crate::turn;

pub fn router() -> Router {
    Router::new()
        .route("/jobs/tick", post(tick))
        .route("/jobs/metrics", get(show_metrics))
        .route("/jobs/queue", get(show_queue))
        .route("/jobs/events", get(list_events))
        .route("/jobs/events/{id}", get(show_event).delete(discard_event))
        .route("/jobs/events/{id}/requeue", post(requeue_event))
        .route("/jobs/requeue", post(requeue_events))
        .route("/jobs/pauses/{kind}", put(pause_kind).delete(resume_kind))
}

/// Does what the host's tick does, for platforms that have none.
async fn tick(_: Clock) -> Result<StatusCode, Problem> {
    turn::tick(&store::open().await?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show_metrics() -> Result<impl IntoResponse, Problem> {
    let backlog = store::backlog(&store::open().await?).await?;
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Ok((content_type, queue::metrics(&backlog)))
}

async fn show_queue(_: Admin) -> Result<Json<Vec<Backlog>>, Problem> {
    Ok(Json(store::backlog(&store::open().await?).await?))
}

#[derive(Deserialize)]
struct Filter {
    state: Option<State>,
    kind: Option<Kind>,
    aggregate: Option<String>,
    before: Option<i64>,
}

/// Newest first; the next page begins `before` the last `seq` of this one.
async fn list_events(
    _: Admin,
    Query(filter): Query<Filter>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Entry>>, Problem> {
    let wanted = Wanted {
        state: filter.state,
        kind: filter.kind.as_ref().map(Kind::as_str),
        aggregate: filter.aggregate.as_deref(),
        before: filter.before,
        limit: page.limit(50),
    };
    Ok(Json(store::list(&store::open().await?, wanted).await?))
}

#[derive(Serialize)]
struct Detailed {
    #[serde(flatten)]
    event: Entry,
    failures: Vec<Failure>,
}

async fn show_event(_: Admin, Path(id): Path<Uuid>) -> Result<Json<Detailed>, Problem> {
    let db = store::open().await?;
    let event = store::find(&db, id).await?;
    let failures = store::failures(&db, id).await?;
    Ok(Json(Detailed { event, failures }))
}

/// Gives a dead event up: it is no dead letter any more.
async fn discard_event(Admin(caller): Admin, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    store::discard(&store::open().await?, id, caller.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a dead event have all its attempts again, and one that waits have its next one now.
async fn requeue_event(_: Admin, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    store::requeue(&store::open().await?, id).await?;
    kit::event::wake();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Which {
    /// All kinds when absent.
    kind: Option<Kind>,
}

#[derive(Serialize)]
struct Requeued {
    requeued: u64,
}

async fn requeue_events(_: Admin, Query(which): Query<Which>) -> Result<Json<Requeued>, Problem> {
    let kind = which.kind.as_ref().map(Kind::as_str);
    let requeued = store::requeue_all(&store::open().await?, kind).await?;
    kit::event::wake();
    Ok(Json(Requeued { requeued }))
}

/// Nothing of the kind is begun until it is resumed.
async fn pause_kind(Admin(caller): Admin, Path(kind): Path<Kind>) -> Result<StatusCode, Problem> {
    store::pause(&store::open().await?, kind.as_str(), caller.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn resume_kind(_: Admin, Path(kind): Path<Kind>) -> Result<StatusCode, Problem> {
    store::resume(&store::open().await?, kind.as_str()).await?;
    kit::event::wake();
    Ok(StatusCode::NO_CONTENT)
}
