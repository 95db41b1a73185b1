//! Where a person is signed in, and the next tokens of a session.

use jiff::Timestamp;
use kit::web::{Dialect, Json, NoContent, Path, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::authentication;
use crate::client::Client;
use crate::error::Error;
use crate::identity::Unscoped;
use crate::revocation::mark_revoked;
use crate::session::{Session, SessionKind, SignedIn};
use crate::store::{self, sessions};

pub fn routes() -> Routes {
    Routes::new("Sessions", Dialect::Plain)
        .post(["/auth/refresh", "/api/auth/refresh"], refresh, |it| {
            it.summary("Refresh the tokens")
                .note("The refresh token is spent and the next one is in the answer. Within ten seconds the spent one answers the same again; later it ends the session.")
                .refuses([kit::identity::INVALID_TOKEN])
        })
        .no_store()
        .get(["/auth/sessions", "/api/auth/sessions"], list_sessions, |it| {
            it.summary("List the caller's sessions")
                .note("Personal access tokens are sessions too. The newest 100, newest first.")
        })
        .delete(["/auth/sessions", "/api/auth/sessions"], end_all_sessions, |it| {
            it.summary("Sign out everywhere").note("This session ends too.")
        })
        .delete(
            ["/auth/sessions/{id}", "/api/auth/sessions/{id}"],
            end_session,
            |it| {
                it.summary("End a session or personal token")
                    .refuses([Error::UNKNOWN_SESSION])
            },
        )
}

#[derive(Deserialize, Schema)]
struct SpentToken {
    refresh_token: String,
}

/// As OAuth libraries read it (RFC 6749).
#[derive(Serialize, Schema)]
pub struct Tokens {
    access_token: String,
    #[schemars(example = &"Bearer")]
    token_type: &'static str,
    /// In seconds.
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl From<SignedIn> for Tokens {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.token,
            token_type: "Bearer",
            expires_in: signed_in.expires_in_s,
            refresh_token: signed_in.refresh_token,
        }
    }
}

async fn refresh(client: Client, Json(body): Json<SpentToken>) -> Result<Json<Tokens>, Problem> {
    let signed_in = authentication::refresh(&body.refresh_token, &client).await?;
    Ok(Json(signed_in.into()))
}

#[derive(Serialize, Schema)]
struct ListedSession {
    id: Uuid,
    kind: SessionKind,
    /// Whether it is the session of this request.
    is_this: bool,
    /// The IP address where it began.
    address: String,
    /// The client's `User-Agent`.
    agent: Option<String>,
    /// Of a personal access token.
    name: Option<String>,
    scope: Option<String>,
    started_at: Timestamp,
    last_refreshed_at: Option<Timestamp>,
    expires_at: Timestamp,
}

async fn list_sessions(Unscoped(actor): Unscoped) -> Result<Json<Vec<ListedSession>>, Problem> {
    let db = store::open().await?;
    let own = actor.caller.session;
    let sessions = sessions::list_sessions(&db, own, false).await?;
    let listed = |it: Session| ListedSession {
        is_this: it.id == own,
        id: it.id,
        kind: it.kind,
        address: it.address,
        agent: it.agent,
        name: it.name,
        scope: it.scope,
        started_at: it.started_at,
        last_refreshed_at: it.refreshed_at,
        expires_at: it.expires_at,
    };
    Ok(Json(sessions.into_iter().map(listed).collect()))
}

async fn end_session(
    Unscoped(actor): Unscoped,
    Path(id): Path<Uuid>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    sessions::end_session(&db, &actor, id).await?;
    mark_revoked(&[id]).await?;
    Ok(NoContent)
}

async fn end_all_sessions(Unscoped(actor): Unscoped) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    let ended = sessions::end_all_sessions(&db, &actor).await?;
    mark_revoked(&ended).await?;
    Ok(NoContent)
}
