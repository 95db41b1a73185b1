//! Where a person is signed in, and the next tokens of a session.

use jiff::Timestamp;
use kit::identity::Caller;
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
                .note("The refresh token is spent, and the answer has the next one. In case the answer was lost, the same network may send the spent token again until the next one is used; other networks may within ten seconds. In all other cases a spent token ends the session.")
                .refuses([kit::identity::INVALID_TOKEN])
        })
        .post(["/auth/reauthenticate", "/api/auth/reauthenticate"], prove_again, |it| {
            it.summary("Prove again who you are")
                .note("Proves again who the caller is: with a code when the account has a second factor, otherwise with its password. Operations that are hard to undo ask for a proof from the last ten minutes (RFC 9470). The token in the answer carries it.")
                .refuses([
                    Error::WRONG_PASSWORD,
                    Error::PASSWORD_REQUIRED,
                    Error::NO_PASSWORD,
                    Error::CODE_REQUIRED,
                    Error::WRONG_CODE,
                    Error::TOO_MANY_TRIES,
                    Error::BUSY,
                ])
        })
        .no_store()
        .get(["/auth/session", "/api/auth/session"], show_session, |it| {
            it.summary("Show the session of the token")
                .note("For tokens of every scope. A session that is over is a 401.")
        })
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
    /// When its person last proved who they are.
    proven_at: Timestamp,
    /// How, in the words of RFC 8176: `pwd`, `otp`, `mfa`. Empty when another issuer vouched for them.
    amr: Vec<String>,
}

impl ListedSession {
    fn of(it: Session, own: Uuid) -> Self {
        Self {
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
            proven_at: it.proof.authenticated_at,
            amr: it.proof.amr,
        }
    }
}

#[derive(Deserialize, Schema)]
struct NewProof {
    /// Of an account without a second factor.
    #[schemars(example = &"Correct-Horse-1")]
    password: Option<String>,
    /// A code of the app, or a backup code.
    code: Option<String>,
}

async fn prove_again(
    Unscoped(actor): Unscoped,
    Json(body): Json<NewProof>,
) -> Result<Json<Tokens>, Problem> {
    let (password, code) = (body.password.as_deref(), body.code.as_deref());
    let signed_in = authentication::prove_again(&actor, password, code).await?;
    Ok(Json(signed_in.into()))
}

async fn show_session(caller: Caller) -> Result<Json<ListedSession>, Problem> {
    let db = store::open().await?;
    let session = sessions::find_session(&db, caller.session).await?;
    Ok(Json(ListedSession::of(session, caller.session)))
}

async fn list_sessions(Unscoped(actor): Unscoped) -> Result<Json<Vec<ListedSession>>, Problem> {
    let db = store::open().await?;
    let own = actor.caller.session;
    let sessions = sessions::list_sessions(&db, own, false).await?;
    let listed = sessions.into_iter().map(|it| ListedSession::of(it, own));
    Ok(Json(listed.collect()))
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
