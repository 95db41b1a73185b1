//! Where a person is signed in.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Routes};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::Error;
use crate::page::{go_to, page};
use crate::visitor::Visitor;
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/account/sessions", list_sessions, |it| it)
        .post("/account/sessions/end-others", end_others, |it| it)
        .post("/account/sessions/{id}/end", end_session, |it| it)
}

#[derive(Debug, Deserialize)]
struct Session {
    id: Uuid,
    is_this: bool,
    address: String,
    agent: Option<String>,
    /// Of a personal access token.
    name: Option<String>,
    scope: Option<String>,
    started_at: Moment,
    last_refreshed_at: Option<Moment>,
    expires_at: Moment,
}

#[derive(Template)]
#[template(path = "account/sessions.html")]
struct List {
    sessions: Vec<Session>,
}

impl List {
    fn has_others(&self) -> bool {
        self.sessions.iter().any(|it| !it.is_this)
    }
}

async fn list_sessions(visitor: Visitor) -> Result<Response, Problem> {
    let sessions = find_sessions(&visitor).await?;
    page("Your sessions", &visitor.me, &List { sessions })
}

/// The newest hundred.
async fn find_sessions(visitor: &Visitor) -> Result<Vec<Session>, Error> {
    visitor.get("signin", "/auth/sessions").await
}

async fn end_session(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    end(&visitor, id).await?;
    Ok(go_to("/account/sessions"))
}

async fn end_others(visitor: Visitor) -> Result<Response, Problem> {
    for session in find_sessions(&visitor).await? {
        if !session.is_this {
            end(&visitor, session.id).await?;
        }
    }
    Ok(go_to("/account/sessions"))
}

/// One that has ended meanwhile is what was wanted.
pub(super) async fn end(visitor: &Visitor, id: Uuid) -> Result<(), Error> {
    let path = format!("/auth/sessions/{id}");
    match visitor.act(Method::DELETE, "signin", &path).await {
        Err(refusal) if refusal.is("unknown-session") => Ok(()),
        ended => ended,
    }
}
