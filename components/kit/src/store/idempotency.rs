//! `Idempotency-Key`: the same request sent again has one effect and one answer.
//!
//! The table `idempotency_key` is the same in every schema (`migrations/every/idempotency.sql`). Without
//! the header nothing is stored and no statement is spent. A component's sweep deletes keys that are a
//! day old ([`purge_keys`]).
//!
//! A request claims its key for 5 s and renews this lease while it runs, so the key of a host that died is
//! free for a copy within seconds. The fence of a claim keeps a copy that comes late from ending the claim of
//! another.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::{Either, select};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::db::{Db, DbError};
use super::row::{FromRow, Row};
use crate::identity::Caller;
use crate::web::{CanonicalPath, Created, Input, Json, Operation, Output, Problem, Schema};
use crate::{params, sql};

/// A JSON body together with the right to be carried out once.
#[derive(Debug)]
pub struct Keyed<T> {
    pub body: T,
    pub once: Once,
}

/// What identifies copies of one request: the key, and a fingerprint of the body. Absent when the client gave no key.
#[derive(Debug)]
pub struct Once(Option<Named>);

#[derive(Debug)]
struct Named {
    /// The key with the operation that it was sent to.
    key: String,
    /// The hash of what the request asks for.
    fingerprint: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Keyed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let path = path_of(request.extensions(), request.uri());
        let key = key(request.headers(), request.method(), path)?;
        let bytes = crate::web::bytes_of(request, "application/json", state).await?;
        Ok(Self {
            body: crate::web::read_json(&bytes)?,
            once: Once::of(key, &bytes),
        })
    }
}

/// The path of a request in its recommended spelling: a copy that is sent to another spelling is still a copy.
fn path_of<'a>(extensions: &'a Extensions, uri: &'a Uri) -> &'a str {
    let canonical = extensions.get::<CanonicalPath>();
    canonical.map_or(uri.path(), |it| it.0.as_str())
}

/// The key of a request with the operation that it was sent to.
fn key(headers: &HeaderMap, method: &Method, path: &str) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    Ok(Some(format!("{method} {path} {}", acceptable(key)?)))
}

/// Of a request whose body is not read: its query says all that it asks for.
impl<S: Sync> FromRequestParts<S> for Once {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let path = path_of(&parts.extensions, &parts.uri);
        let key = key(&parts.headers, &parts.method, path)?;
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self::of(key, query.as_bytes()))
    }
}

impl<T: Schema> Input for Keyed<T> {
    fn describe(operation: &mut Operation) {
        <Json<T> as Input>::describe(operation);
        Once::describe(operation);
    }
}

impl Input for Once {
    fn describe(operation: &mut Operation) {
        operation.add_parameter(
            "Idempotency-Key",
            "header",
            false,
            serde_json::json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
            "Chosen by the client: a request that is sent again with the same key has one effect and is \
             answered as the first one was. Keys are remembered for a day",
        );
        operation.add_refusals([INVALID_KEY, KEY_IN_USE, KEY_REUSED]);
    }
}

const INVALID_KEY: Problem = Problem::of_status(
    400,
    "invalid-idempotency-key",
    "An Idempotency-Key is 1 to 255 printable characters",
);
const KEY_IN_USE: Problem = Problem::of_status(
    409,
    "idempotency-key-in-use",
    "A request with this Idempotency-Key is still running",
)
.retry_after_s(1);
const KEY_REUSED: Problem = Problem::of_status(
    422,
    "idempotency-key-reused",
    "This Idempotency-Key was used for another request",
);

/// Anything printable, so that UUIDs and the quoted form of the draft both pass.
fn acceptable(key: &HeaderValue) -> Result<&str, Problem> {
    key.to_str()
        .ok()
        .filter(|it| (1..=255).contains(&it.len()))
        .ok_or(INVALID_KEY)
}

enum Begun {
    Ours {
        fence: i64,
        /// An earlier copy of the request broke off.
        is_resumed: bool,
    },
    Running,
    Other,
    Done {
        status: i32,
        location: Option<String>,
        body: String,
    },
}

impl FromRow for Begun {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let state: String = row.get("state")?;
        Ok(match state.as_str() {
            "first" | "again" => Self::Ours {
                fence: row.get("fence")?,
                is_resumed: state == "again",
            },
            "running" => Self::Running,
            "other" => Self::Other,
            _ => Self::Done {
                status: row.get("status")?,
                location: row.get("location")?,
                body: row.get("body")?,
            },
        })
    }
}

/// An answer that can be stored and given again.
pub trait Replay: Output {
    type Body: Serialize;

    fn status(&self) -> StatusCode;
    fn into_parts(self) -> (Option<String>, Self::Body);
}

impl<T: Serialize + Schema> Replay for Json<T> {
    type Body = T;

    fn status(&self) -> StatusCode {
        StatusCode::OK
    }

    fn into_parts(self) -> (Option<String>, T) {
        (None, self.0)
    }
}

impl<T: Serialize + Schema, const STATUS: u16> Replay for Created<T, STATUS> {
    type Body = T;

    fn status(&self) -> StatusCode {
        Self::status()
    }

    fn into_parts(self) -> (Option<String>, T) {
        (Some(self.location), self.body)
    }
}

/// The answer of a request that may be the repetition of an earlier one.
pub struct Replayable<R> {
    response: Response,
    answer: std::marker::PhantomData<fn() -> R>,
}

impl<R> From<Response> for Replayable<R> {
    fn from(response: Response) -> Self {
        Self {
            response,
            answer: std::marker::PhantomData,
        }
    }
}

impl<R> IntoResponse for Replayable<R> {
    fn into_response(self) -> Response {
        self.response
    }
}

impl<R: Output> Output for Replayable<R> {
    fn describe(operation: &mut Operation) {
        R::describe(operation);
        operation.describe_replay();
    }
}

impl Once {
    fn of(key: Option<String>, asked: &[u8]) -> Self {
        Self(key.map(|key| Named {
            key,
            fingerprint: STANDARD.encode(Sha256::digest(asked)),
        }))
    }

    /// The id of what this request makes: the same for every copy of it, so that a copy which
    /// comes after a crash finds what the first one did. Another body is another request: after
    /// a refusal the key is free for it.
    pub fn id(&self, caller: &Caller) -> Uuid {
        match &self.0 {
            Some(Named { key, fingerprint }) => {
                let request = format!("{key} {fingerprint}");
                Uuid::new_v5(&caller.id, request.as_bytes())
            }
            None => Uuid::now_v7(),
        }
    }

    /// Carries `act` out, unless a copy of this request was carried out before: then that answer
    /// is repeated. After a refusal the key is free, because nothing was done. After a failure of the
    /// server, or where an earlier copy broke off, something may have been done: the key stays with
    /// this request, and a copy goes on.
    pub async fn answer<R: Replay>(
        self,
        db: &Db,
        caller: &Caller,
        act: impl Future<Output = Result<R, Problem>>,
    ) -> Result<Replayable<R>, Problem> {
        let Some(Named { key, fingerprint }) = self.0 else {
            return written(act.await?).map(|it| respond(it).into());
        };
        let begun = db
            .one(
                sql!("idempotency_begin"),
                params![caller.id, &key, &fingerprint],
            )
            .await?;
        let claim = match begun {
            Begun::Ours { fence, is_resumed } => Claim {
                db,
                caller: caller.id,
                key: &key,
                fence,
                is_resumed,
            },
            Begun::Done {
                status,
                location,
                body,
            } => {
                let mut response = respond(Written {
                    status: u16::try_from(status)
                        .ok()
                        .and_then(|it| StatusCode::from_u16(it).ok())
                        .unwrap_or(StatusCode::OK),
                    location,
                    body,
                });
                let replayed = HeaderValue::from_static("true");
                response.headers_mut().insert(REPLAYED, replayed);
                return Ok(response.into());
            }
            Begun::Running => return Err(KEY_IN_USE),
            Begun::Other => return Err(KEY_REUSED),
        };
        match claim.renewed_while(act).await {
            Ok(answer) => {
                let written = written(answer)?;
                claim.finish(&written).await?;
                Ok(respond(written).into())
            }
            Err(problem) => {
                if problem.status().is_server_error() || claim.is_resumed {
                    claim.abandon().await?;
                } else {
                    claim.release().await?;
                }
                Err(problem)
            }
        }
    }
}

/// Twice within the 5 s of a lease (`idempotency_begin.sql`), so that one renewal may fail.
const RENEW_AFTER: Duration = Duration::from_secs(2);

/// A key that this request has for itself.
struct Claim<'a> {
    db: &'a Db,
    caller: Uuid,
    key: &'a str,
    fence: i64,
    is_resumed: bool,
}

impl Claim<'_> {
    /// Runs `act` to its end and renews the lease meanwhile.
    async fn renewed_while<T>(&self, act: impl Future<Output = T>) -> T {
        let mut act = pin!(act);
        loop {
            match select(act, pin!(pause(RENEW_AFTER))).await {
                Either::Left((done, _)) => return done,
                Either::Right(((), running)) => act = running,
            }
            // Without a renewal a copy may run beside this request. What they make has one id, so it is made once.
            let _ = self.run(sql!("idempotency_renew")).await;
        }
    }

    async fn finish(&self, written: &Written) -> Result<(), DbError> {
        let status = i32::from(written.status.as_u16());
        let location = written.location.as_deref();
        let params = params![
            self.caller,
            self.key,
            self.fence,
            status,
            &written.body,
            location
        ];
        self.db.run(sql!("idempotency_finish"), params).await?;
        Ok(())
    }

    async fn release(&self) -> Result<(), DbError> {
        self.run(sql!("idempotency_release")).await
    }

    async fn abandon(&self) -> Result<(), DbError> {
        self.run(sql!("idempotency_abandon")).await
    }

    async fn run(&self, sql: &'static str) -> Result<(), DbError> {
        let params = params![self.caller, self.key, self.fence];
        self.db.run(sql, params).await?;
        Ok(())
    }
}

#[cfg(target_family = "wasm")]
async fn pause(time: Duration) {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    spin_sdk::wasip3::clocks::monotonic_clock::wait_for(nanoseconds).await;
}

/// Natively there is no clock to wait for, and no request that is renewed.
#[cfg(not(target_family = "wasm"))]
async fn pause(_: Duration) {
    std::future::pending().await
}

const REPLAYED: &str = "idempotent-replayed";

/// An answer as it is stored.
struct Written {
    status: StatusCode,
    location: Option<String>,
    body: String,
}

fn written<R: Replay>(answer: R) -> Result<Written, Problem> {
    let status = answer.status();
    let (location, body) = answer.into_parts();
    Ok(Written {
        status,
        location,
        body: serde_json::to_string(&body).map_err(|it| Problem::internal(&it))?,
    })
}

fn respond(written: Written) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    let mut response = (written.status, content_type, Body::from(written.body)).into_response();
    if let Some(location) = written.location.and_then(|it| it.parse().ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Bounds a sweep's purge. A sweep comes every few seconds, and what is deleted has to keep up with what is claimed.
const MAX_PURGES: u32 = 20;

/// Deletes keys that are a day old, `batch` in a statement: what a sweep does.
pub async fn purge_keys(db: &Db, batch: i64) -> Result<(), DbError> {
    for _ in 0..MAX_PURGES {
        let deleted = db.run(sql!("idempotency_purge"), params![batch]).await?;
        if i64::try_from(deleted).is_ok_and(|it| it < batch) {
            break;
        }
    }
    Ok(())
}
