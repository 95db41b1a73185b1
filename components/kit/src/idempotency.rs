//! `Idempotency-Key`: the same request sent again has one effect and one answer.
//!
//! A component that takes keys has this table in its schema, and its sweep
//! deletes what was claimed more than a day ago; without the header nothing is
//! stored and no statement is spent.
//!
//! ```sql
//! CREATE TABLE idempotency_key (
//!     caller uuid NOT NULL,
//!     key text NOT NULL,
//!     fingerprint text NOT NULL,
//!     status int,  -- null while the request runs
//!     body text,
//!     claimed_at timestamptz NOT NULL DEFAULT now(),
//!     PRIMARY KEY (caller, key)
//! );
//! ```

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::body;
use crate::caller::Caller;
use crate::db::{Db, DbError, FromRow, Row};
use crate::problem::Problem;
use crate::{params, sql};

/// A JSON body together with the right to be carried out once.
#[derive(Debug)]
pub struct Keyed<T> {
    pub body: T,
    pub once: Once,
}

/// What makes a request the same request.
#[derive(Debug)]
pub struct Once {
    /// The key with the address it was sent to; absent when the client gave none.
    key: Option<String>,
    fingerprint: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Keyed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let key = match request.headers().get("idempotency-key") {
            Some(key) => Some(format!(
                "{} {} {}",
                request.method(),
                request.uri().path(),
                acceptable(key)?
            )),
            None => None,
        };
        let bytes = body::bytes_of(request, "application/json", state).await?;
        Ok(Self {
            body: body::json(&bytes)?,
            once: Once {
                key,
                fingerprint: STANDARD.encode(Sha256::digest(&bytes)),
            },
        })
    }
}

/// Anything printable, so that UUIDs and the quoted form of the draft both pass.
fn acceptable(key: &HeaderValue) -> Result<&str, Problem> {
    key.to_str()
        .ok()
        .filter(|it| (1..=255).contains(&it.len()))
        .ok_or(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-idempotency-key",
            "An Idempotency-Key is 1 to 255 printable characters",
        ))
}

enum Begun {
    /// Nobody did this before, or whoever did broke off: go on.
    Ours,
    Running,
    Other,
    Done {
        status: i32,
        body: String,
    },
}

impl FromRow for Begun {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(match row.get::<String>("state")?.as_str() {
            "ours" => Self::Ours,
            "running" => Self::Running,
            "other" => Self::Other,
            _ => Self::Done {
                status: row.get("status")?,
                body: row.get("body")?,
            },
        })
    }
}

impl Once {
    /// The id of what this request makes: the same for every copy of it, so that a copy which
    /// comes after a crash finds what the first one did. Another body is another request: after
    /// a refusal the key is free for it.
    pub fn id(&self, caller: &Caller) -> Uuid {
        match &self.key {
            Some(key) => {
                let request = format!("{key} {}", self.fingerprint);
                Uuid::new_v5(&caller.id, request.as_bytes())
            }
            None => Uuid::now_v7(),
        }
    }

    /// Carries `act` out, unless a copy of this request already was: then its answer is given
    /// again. A refusal is not remembered: nothing was done.
    pub async fn answer<T: Serialize>(
        self,
        db: &Db,
        caller: &Caller,
        act: impl Future<Output = Result<(StatusCode, T), Problem>>,
    ) -> Result<Response, Problem> {
        let Some(key) = self.key else {
            let (status, answer) = act.await?;
            return Ok((status, axum::Json(answer)).into_response());
        };
        let begun = db
            .one(
                sql!("idempotency_begin"),
                params![caller.id, &key, &self.fingerprint],
            )
            .await?;
        match begun {
            Begun::Ours => {}
            Begun::Done { status, body } => return Ok(replayed(status, body)),
            Begun::Running => {
                return Err(Problem::new(
                    StatusCode::CONFLICT,
                    "idempotency-key-in-use",
                    "A request with this Idempotency-Key is still running",
                )
                .retry_after_s(1));
            }
            Begun::Other => {
                return Err(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "idempotency-key-reused",
                    "This Idempotency-Key was used for another request",
                ));
            }
        }
        match act.await {
            Ok((status, answer)) => {
                let body = serde_json::to_string(&answer).map_err(|it| Problem::internal(&it))?;
                db.run(
                    sql!("idempotency_finish"),
                    params![caller.id, &key, i32::from(status.as_u16()), &body],
                )
                .await?;
                Ok(json(status, body))
            }
            Err(problem) => {
                db.run(sql!("idempotency_forget"), params![caller.id, &key])
                    .await?;
                Err(problem)
            }
        }
    }
}

fn replayed(status: i32, body: String) -> Response {
    let status = u16::try_from(status)
        .ok()
        .and_then(|it| StatusCode::from_u16(it).ok())
        .unwrap_or(StatusCode::OK);
    let mut response = json(status, body);
    response
        .headers_mut()
        .insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}

fn json(status: StatusCode, body: String) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, Body::from(body)).into_response()
}
