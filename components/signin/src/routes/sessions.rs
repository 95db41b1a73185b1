//! Where somebody is signed in, and the next token for who stays.

use axum::Router;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::{delete, get, post};
use jiff::Timestamp;
use kit::{Dialect, Json, Path, Problem, Spellings, speaking};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::{Client, Person};
use crate::entering;
use crate::issue::SignedIn;
use crate::store;

pub fn router() -> Router {
    let table = Router::new()
        .spelled(["/auth/refresh", "/api/auth/refresh"], post(refresh))
        .spelled(
            ["/auth/sessions", "/api/auth/sessions"],
            get(list_sessions).delete(end_all),
        )
        .spelled(
            ["/auth/sessions/{id}", "/api/auth/sessions/{id}"],
            delete(end_session),
        );
    speaking(Dialect::Plain, table)
}

#[derive(Deserialize)]
struct Spent {
    refresh_token: String,
}

/// OAuth's answer, as its libraries read it.
#[derive(Serialize)]
pub struct Tokens {
    access_token: String,
    token_type: &'static str,
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

pub type Uncached<T> = ([(HeaderName, &'static str); 1], Json<T>);

/// Tokens are nobody's to keep on the way.
pub fn uncached<T>(body: T) -> Uncached<T> {
    ([(header::CACHE_CONTROL, "no-store")], Json(body))
}

async fn refresh(client: Client, Json(spent): Json<Spent>) -> Result<Uncached<Tokens>, Problem> {
    let entered = entering::refresh(&spent.refresh_token, &client).await?;
    Ok(uncached(entered.into()))
}

#[derive(Serialize)]
struct Session {
    id: Uuid,
    kind: String,
    is_this: bool,
    address: String,
    agent: Option<String>,
    name: Option<String>,
    scope: Option<String>,
    started_at: Timestamp,
    last_refreshed_at: Option<Timestamp>,
    expires_at: Timestamp,
}

async fn list_sessions(Person(caller): Person) -> Result<Json<Vec<Session>>, Problem> {
    let db = store::open().await?;
    let sessions = store::sessions(&db, caller.session).await?;
    let shown = |it: store::Session| Session {
        is_this: it.id == caller.session,
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
    Ok(Json(sessions.into_iter().map(shown).collect()))
}

async fn end_session(
    Person(caller): Person,
    Path(id): Path<Uuid>,
    client: Client,
) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    store::end_session(&db, caller.session, id, &client).await?;
    entering::tell_ended(vec![id]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All of them, this one too.
async fn end_all(Person(caller): Person, client: Client) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let ended = store::end_all_sessions(&db, caller.session, &client).await?;
    entering::tell_ended(ended).await?;
    Ok(StatusCode::NO_CONTENT)
}
