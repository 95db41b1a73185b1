//! Accounts of replaced systems come along with their passwords, roles and ids.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use kit::store::{Db, event};
use kit::web::{Dialect, Input, Operation, Output, Problem, Routes};

use crate::client::Actor;
use crate::error::Error;
use crate::identity::UnscopedAdmin;
use crate::imported::{Imported, ImportedAccount};
use crate::store::{self, accounts};

const LINES: &str = "application/x-ndjson";
/// Bytes of one line.
const MAX_LINE: usize = 16 * 1024;
/// Lines that are read later are postponed, so that the answer is there within the time that the host gives a request.
const MAX_IMPORT: SignedDuration = SignedDuration::from_secs(20);

pub fn routes() -> Routes {
    Routes::new("Administration", Dialect::Plain).post(
        ["/auth/users/import", "/api/auth/users/import"],
        import_users,
        |it| {
            it.summary("Import users")
                .note("One JSON object a line, as many as there are; the answer has one line for each, while the import goes on. Passwords are checked against the imported hash, which the next sign-in replaces. A repeated import changes nothing: lines that are there already are `present`. Lines that there was no time for are `postponed`: send these again.")
        },
    )
}

/// A body of lines. It is not read whole: an import may be long.
struct Lines(Body);

impl<S: Send + Sync> FromRequest<S> for Lines {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let is_lines = media_type.is_some_and(|it| it.as_bytes().starts_with(LINES.as_bytes()));
        match is_lines {
            true => Ok(Self(request.into_body())),
            false => Err(Error::NotLines.into()),
        }
    }
}

impl Input for Lines {
    fn describe(operation: &mut Operation) {
        operation.add_body::<ImportedAccount>(LINES);
        operation.add_refusals([Error::NOT_LINES]);
    }
}

/// The answer, a line for each line of the body.
struct Report(Body);

impl IntoResponse for Report {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, LINES)], self.0).into_response()
    }
}

impl Output for Report {
    fn describe(operation: &mut Operation) {
        operation.add_media(200, LINES);
    }
}

async fn import_users(
    UnscopedAdmin(actor): UnscopedAdmin,
    Lines(body): Lines,
) -> Result<Report, Problem> {
    let db = store::open().await?;
    // A session that is over is refused before the first line.
    accounts::find_caller(&db, actor.caller.session).await?;
    let report = stream::unfold(Import::of(body, db, actor), |mut import| async move {
        let part = import.next().await?;
        Some((part, import))
    });
    Ok(Report(Body::from_stream(report)))
}

/// An import that goes on.
struct Import {
    body: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>,
    db: Db,
    actor: Actor,
    /// What was read and is no whole line yet.
    rest: Vec<u8>,
    line: u64,
    begun: Timestamp,
    is_over: bool,
}

impl Import {
    fn of(body: Body, db: Db, actor: Actor) -> Self {
        Self {
            body: Box::pin(body.into_data_stream()),
            db,
            actor,
            rest: Vec::new(),
            line: 0,
            begun: kit::now(),
            is_over: false,
        }
    }

    /// The report on the lines of the next part of the body.
    async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        if self.is_over {
            return None;
        }
        let lines = match self.body.next().await {
            Some(Ok(part)) => {
                self.rest.extend_from_slice(&part);
                self.take_lines()
            }
            Some(Err(broken)) => {
                self.is_over = true;
                return Some(Err(broken));
            }
            None => {
                self.is_over = true;
                vec![std::mem::take(&mut self.rest)]
            }
        };
        let mut report = Vec::new();
        for line in lines {
            self.line += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let imported = match kit::now().duration_since(self.begun) < MAX_IMPORT {
                true => import(&self.db, &self.actor, self.line, &line).await,
                false => Imported::without(self.line, "postponed", "send this line again"),
            };
            if serde_json::to_writer(&mut report, &imported).is_ok() {
                report.push(b'\n');
            }
        }
        event::wake();
        Some(Ok(report.into()))
    }

    /// The whole lines that were read. One that is too long is cut, and refused for it.
    fn take_lines(&mut self) -> Vec<Vec<u8>> {
        let mut lines: Vec<Vec<u8>> = self
            .rest
            .split(|it| *it == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        self.rest = lines.pop().unwrap_or_default();
        self.rest.truncate(MAX_LINE + 1);
        lines
    }
}

async fn import(db: &Db, actor: &Actor, number: u64, line: &[u8]) -> Imported {
    let refused = |reason: &str| Imported::without(number, "refused", reason);
    if line.len() > MAX_LINE {
        return refused("the line is too long");
    }
    let account: ImportedAccount = match serde_json::from_slice(line) {
        Ok(account) => account,
        Err(wrong) => return refused(&wrong.to_string()),
    };
    let checked = match account.checked() {
        Ok(checked) => checked,
        Err(wrong) => return refused(&wrong.to_string()),
    };
    let told = |outcome: &'static str| Imported {
        line: number,
        outcome,
        id: Some(checked.id),
        reason: None,
    };
    match accounts::import_account(db, actor, &checked).await {
        Ok(true) => told("imported"),
        Ok(false) => told("present"),
        Err(error) => {
            let problem = Problem::from(error);
            if problem.status().is_server_error() {
                eprintln!("{} import: {problem:?}", actor.client.request_id);
            }
            refused(problem.code())
        }
    }
}
