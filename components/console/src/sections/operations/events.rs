//! Deliveries of events: dead letters first, with their causes, to be sent again or discarded.

use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part, ROWS, earlier, given};
use crate::page::{form_page, go_to};
use crate::visitor::Visitor;
use crate::words::{Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/operations/events", list_events, |it| it)
        .get("/operations/events/{id}", show_event, |it| it)
        .post("/operations/events/{id}/requeue", requeue, |it| it)
        .post("/operations/events/{id}/discard", discard, |it| it)
}

#[derive(Debug, Deserialize)]
struct Delivery {
    id: Uuid,
    seq: i64,
    kind: String,
    aggregate: String,
    consumer: Option<String>,
    lane: Option<String>,
    state: String,
    attempts: i64,
    last_error: Option<String>,
    parked_for: Option<String>,
    request_id: Option<String>,
    created_at: Moment,
    due_at: Moment,
    settled_at: Option<Moment>,
    payload: Value,
}

impl Delivery {
    fn is_dead(&self) -> bool {
        self.state == "dead"
    }

    fn can_be_sent_again(&self) -> bool {
        matches!(&*self.state, "dead" | "retrying")
    }

    fn is_over(&self) -> bool {
        self.settled_at.is_some()
    }

    fn payload(&self) -> String {
        serde_json::to_string_pretty(&self.payload).unwrap_or_default()
    }
}

const STATES: [&str; 8] = [
    "dead", "retrying", "parked", "blocked", "ready", "running", "emitted", "done",
];

#[derive(Deserialize, Schema)]
struct Wanted {
    state: Option<String>,
    kind: Option<String>,
    /// The function that hears the events.
    consumer: Option<String>,
    /// As `booking:17`.
    aggregate: Option<String>,
}

impl Wanted {
    fn filters(&self) -> [(&str, &str); 4] {
        given([
            ("state", &self.state),
            ("kind", &self.kind),
            ("consumer", &self.consumer),
            ("aggregate", &self.aggregate),
        ])
    }

    fn has_state(&self, state: &str) -> bool {
        self.state.as_deref() == Some(state)
    }
}

#[derive(Template)]
#[template(path = "operations/events.html")]
struct List {
    wanted: Wanted,
    states: &'static [&'static str],
    deliveries: Vec<Delivery>,
    next: Option<String>,
    refusal: Option<String>,
}

async fn list_events(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let asked = part.query(wanted.filters().into_iter().chain([LIMIT]));
    let listed: Result<Vec<Delivery>, Error> =
        visitor.get("jobs", &format!("/jobs/events?{asked}")).await;
    let (deliveries, refusal) = match listed {
        Ok(deliveries) => (deliveries, None),
        Err(Error::Refused { status, text, .. }) if status == StatusCode::UNPROCESSABLE_ENTITY => {
            (Vec::new(), Some(text))
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let next = earlier(&deliveries, ROWS, |it| it.seq);
    let content = List {
        next: next.map(|it| it.query(wanted.filters())),
        wanted,
        states: &STATES,
        deliveries,
        refusal,
    };
    let title = "Events";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

#[derive(Debug, Deserialize)]
struct Event {
    deliveries: Vec<Delivery>,
    failures: Vec<Failure>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    consumer: String,
    attempt: i64,
    error: String,
    failed_at: Moment,
}

#[derive(Template)]
#[template(path = "operations/event.html")]
struct EventPage {
    id: Uuid,
    event: Event,
    refusal: Option<String>,
}

async fn show_event(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    show(&visitor, id, None).await
}

async fn show(visitor: &Visitor, id: Uuid, refusal: Option<String>) -> Result<Response, Problem> {
    let content = EventPage {
        event: visitor.get("jobs", &format!("/jobs/events/{id}")).await?,
        id,
        refusal,
    };
    let title = "Event";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn requeue(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    form: Fields,
) -> Result<Response, Problem> {
    let to = query([("consumer", form.text("consumer"))]);
    let path = format!("/jobs/events/{id}/requeue?{to}");
    let outcome = visitor.act(Method::POST, "jobs", &path).await;
    done(&visitor, id, outcome).await
}

async fn discard(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    form: Fields,
) -> Result<Response, Problem> {
    let to = query([("consumer", form.text("consumer"))]);
    let path = format!("/jobs/events/{id}?{to}");
    let outcome = visitor.act(Method::DELETE, "jobs", &path).await;
    done(&visitor, id, outcome).await
}

async fn done(
    visitor: &Visitor,
    id: Uuid,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/operations/events/{id}"))),
        Err(refusal) => show(visitor, id, Some(refusal.into_text()?)).await,
    }
}
