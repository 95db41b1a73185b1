//! Events that could not be delivered, what is paused or runs behind, and webhooks.

mod events;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::Timestamp;
use kit::web::{Dialect, Problem, Routes};
use serde::Deserialize;
use uuid::Uuid;

use super::treasury::name_of;
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to};
use crate::visitor::Visitor;
use crate::words::{Moment, query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/operations", show_queue, |it| it)
        .post("/operations/kinds", pause_kind, |it| it)
        .post("/operations/lanes", pause_lane, |it| it)
        .post("/operations/functions", pause_function, |it| it)
        .post("/operations/requeue", requeue, |it| it)
        .and(events::routes())
        .and(webhooks::routes())
}

#[derive(Debug, Deserialize)]
struct Backlog {
    consumer: String,
    lane: String,
    kind: String,
    ready: i64,
    running: i64,
    retrying: i64,
    blocked: i64,
    parked: i64,
    dead: i64,
    oldest_s: Option<i64>,
    paused: bool,
}

impl Backlog {
    fn waits(&self) -> String {
        self.oldest_s.map(age).unwrap_or_default()
    }

    /// The list of its dead letters.
    fn dead_letters(&self) -> String {
        query([
            ("state", "dead"),
            ("consumer", &*self.consumer),
            ("kind", &*self.kind),
        ])
    }
}

/// How long something has waited.
fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[derive(Debug, Deserialize)]
struct Lane {
    consumer: String,
    name: String,
    max_running: i64,
    failures: i64,
    paused_by: Option<Uuid>,
    rests_until: Option<Moment>,
}

struct NamedLane {
    lane: Lane,
    /// The admin who paused it.
    paused_by: Option<String>,
    rests_until: Option<Moment>,
}

#[derive(Template)]
#[template(path = "operations/queue.html")]
struct Queue {
    backlog: Vec<Backlog>,
    lanes: Vec<NamedLane>,
    functions: BTreeSet<String>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_queue(visitor: Visitor) -> Result<Response, Problem> {
    show(&visitor, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let lanes: Vec<Lane> = visitor.get("jobs", "/jobs/queue/lanes").await?;
    let functions = lanes.iter().map(|it| it.consumer.clone()).collect();
    let content = Queue {
        backlog: visitor.get("jobs", "/jobs/queue").await?,
        lanes: with_names(visitor, lanes, kit::now()).await?,
        functions,
        form,
        refusal,
    };
    let title = "Operations";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn with_names(
    visitor: &Visitor,
    lanes: Vec<Lane>,
    now: Timestamp,
) -> Result<Vec<NamedLane>, Error> {
    let (mut names, mut named) = (BTreeMap::new(), Vec::new());
    for lane in lanes {
        let paused_by = match lane.paused_by {
            None => None,
            Some(admin) => Some(match names.get(&admin) {
                Some(name) => String::clone(name),
                None => name_of(visitor, admin).await?,
            }),
        };
        if let Some((admin, name)) = lane.paused_by.zip(paused_by.as_ref()) {
            names.insert(admin, name.clone());
        }
        named.push(NamedLane {
            paused_by,
            rests_until: lane.rests_until.filter(|it| it.0 > now),
            lane,
        });
    }
    Ok(named)
}

async fn pause_kind(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let path = format!("/jobs/pauses/{}", segment(form.text("kind")));
    set_pause(&visitor, &path, form).await
}

async fn pause_lane(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let (function, lane) = (segment(form.text("function")), segment(form.text("lane")));
    let path = format!("/jobs/lanes/{function}/{lane}/pause");
    set_pause(&visitor, &path, form).await
}

async fn pause_function(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let function = segment(form.text("function"));
    let path = format!("/jobs/consumers/{function}/pause");
    set_pause(&visitor, &path, form).await
}

/// By the button that was pressed.
async fn set_pause(visitor: &Visitor, path: &str, form: Fields) -> Result<Response, Problem> {
    let method = match form.text("do") {
        "pause" => Ok(Method::PUT),
        "resume" => Ok(Method::DELETE),
        _ => Err(Error::refused("Say whether to pause or to resume.")),
    };
    let outcome = match method {
        Ok(method) => visitor.act(method, "jobs", path).await,
        Err(refusal) => Err(refusal),
    };
    done(visitor, form, outcome).await
}

/// Sends dead letters again: all of them, of a function, or of a kind.
async fn requeue(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let which = query([
        ("consumer", form.text("consumer")),
        ("kind", form.text("kind")),
    ]);
    let path = format!("/jobs/requeue?{which}");
    let outcome = visitor.act(Method::POST, "jobs", &path).await;
    done(&visitor, form, outcome).await
}

async fn done(
    visitor: &Visitor,
    form: Fields,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to("/operations")),
        Err(refusal) => show(visitor, form, Some(refusal.into_text()?)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_one_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(age(seconds), text);
        }
    }
}
