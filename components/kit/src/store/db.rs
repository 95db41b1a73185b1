//! Statements: the only room that talks to `spin_sdk::pg`.
//!
//! A [`Db`] lives for one request. Every call is one statement, and one statement is one
//! transaction: Spin returns a connection to its pool without `ROLLBACK`, so a `BEGIN` sent from a
//! component can outlive the request. In `wharf` an instance keeps what it opened for its next requests: there a
//! connection is only a name for a pool until a statement needs a session, and none of ours does.
//!
//! The interface has each call twice. The plain ones cost one crossing into the host for all rows. The streaming
//! ones cost a stream, a future and several crossings, let other work of the instance run meanwhile, and are right
//! on every host: in Spin 4.0 and 4.1 a plain query that returns no row never ends
//! (spinframework/spin#3671). So statements are plain in an instance that `wharf` is known to run, and stream in
//! every other, and while `relay` carries out many events at once.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use spin_sdk::pg::wit::postgres::Connection;
use spin_sdk::pg::{Column, DbValue, PgError, QueryError};

pub use spin_sdk::pg::ParameterValue;

use super::row::{FromRow, Row};
use crate::host::{is_wharf, names_requests};
use crate::setting::{Unset, setting};
use crate::web::Problem;

/// The statement in `src/sql/<name>.sql` of the calling component.
#[macro_export]
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/sql/",
            $name,
            ".sql"
        ))
    };
}

thread_local! {
    /// By their addresses, of which a component has one or two.
    static KEPT: RefCell<Vec<(&'static str, Arc<Connection>)>> = RefCell::default();
}

fn kept(url: &'static str) -> Result<Arc<Connection>, PgError> {
    let kept = KEPT.with_borrow(|it| it.iter().find(|it| it.0 == url).cloned());
    if let Some((_, kept)) = kept {
        return Ok(kept);
    }
    let opened = Arc::new(Connection::open(url)?);
    KEPT.with_borrow_mut(|it| it.push((url, Arc::clone(&opened))));
    Ok(opened)
}

/// A connection.
pub struct Db {
    url: &'static str,
    /// Opened by the first statement at the latest.
    connection: OnceLock<Arc<Connection>>,
    /// The request that caused its statements, if the instance does not serve that request now.
    cause: Option<Cause>,
    /// Whether other work of the instance goes on while a statement runs.
    overlaps: AtomicBool,
}

/// The request that an event or a statement follows from. Either id may be unknown.
#[derive(Clone, Debug, Default)]
pub(super) struct Cause {
    pub request_id: Option<String>,
    pub traceparent: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error(transparent)]
    Setting(#[from] Unset),
    #[error("cannot reach the database")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("statement refused with SQLSTATE {sqlstate}: {message}")]
    Refused {
        sqlstate: String,
        constraint: Option<String>,
        message: String,
    },
    #[error("a value does not fit its statement: {0}")]
    Unfit(String),
    #[error("column `{0}` is missing or has another type")]
    Column(String),
    #[error("a function answered `{0}`, which the table of refusals does not know")]
    Outcome(String),
    #[error("expected one row, got {0}")]
    RowCount(usize),
}

impl DbError {
    /// The constraint or unique index that the statement broke.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Refused { constraint, .. } => constraint.as_deref(),
            _ => None,
        }
    }

    /// Whether the same statement may succeed later: the database shuts down, is out of connections,
    /// broke a deadlock or gave up at its time limit.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { sqlstate, .. } => {
                ["08", "53", "57", "40"]
                    .iter()
                    .any(|class| sqlstate.starts_with(class))
                    || sqlstate == "55P03"
                    || sqlstate == "25006"
            }
            Self::Setting(_)
            | Self::Unfit(_)
            | Self::Column(_)
            | Self::Outcome(_)
            | Self::RowCount(_) => false,
        }
    }
}

/// A value that fits its Rust type but not the database: a NUL in a text, an offset beyond 64 bits.
pub(crate) const INVALID_VALUE: Problem =
    Problem::of_status(422, "invalid-value", "A value cannot be stored");

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        if error.is_passing() {
            return Self::unavailable(&error);
        }
        // Class 22: a value cannot be stored as text or is out of its type's range. It is the caller's
        // mistake, which no type of ours caught.
        match &error {
            DbError::Refused { sqlstate, .. } if sqlstate.starts_with("22") => INVALID_VALUE,
            _ => Self::internal(&error),
        }
    }
}

impl Db {
    /// Opens a connection to the schema whose address is in the variable `<schema>_database_url`.
    pub async fn open(variable: &'static str) -> Result<Self, DbError> {
        let db = Self {
            url: setting(variable).await?,
            connection: OnceLock::new(),
            cause: None,
            overlaps: AtomicBool::new(false),
        };
        db.connection().await.map_err(refused)?;
        Ok(db)
    }

    /// A connection for statements that another request caused than the instance serves now: their events name that
    /// request. `None` where the host cannot be told of it.
    pub(super) fn caused_by(&self, cause: Cause) -> Option<Self> {
        names_requests().then(|| Self {
            url: self.url,
            connection: OnceLock::new(),
            cause: Some(cause),
            overlaps: AtomicBool::new(self.overlaps.load(Relaxed)),
        })
    }

    async fn connection(&self) -> Result<&Connection, PgError> {
        if let Some(open) = self.connection.get() {
            return Ok(open);
        }
        let opened = match &self.cause {
            None if is_wharf() => kept(self.url)?,
            _ => Arc::new(self.new_connection().await?),
        };
        Ok(self.connection.get_or_init(|| opened))
    }

    async fn new_connection(&self) -> Result<Connection, PgError> {
        let opened = if is_wharf() {
            Connection::open(self.url)?
        } else {
            Connection::open_async(self.url.to_owned()).await?
        };
        if let Some(Cause {
            request_id,
            traceparent,
        }) = &self.cause
        {
            for (name, value) in [("request_id", request_id), ("traceparent", traceparent)] {
                let value = value.as_deref().unwrap_or_default().replace('\'', "");
                // The host answers at once.
                opened.execute(&format!("SET wharf.{name} = '{value}'"), &[])?;
            }
        }
        Ok(opened)
    }

    /// Lets other work of the instance go on while a statement runs, or not any more.
    pub(super) fn overlap(&self, overlaps: bool) {
        self.overlaps.store(overlaps, Relaxed);
    }

    fn is_plain(&self) -> bool {
        is_wharf() && !self.overlaps.load(Relaxed)
    }

    /// Runs a statement that returns any number of rows.
    pub async fn all<T: FromRow>(
        &self,
        sql: &'static str,
        params: Vec<ParameterValue>,
    ) -> Result<Vec<T>, DbError> {
        let (columns, rows) = self.query(sql, params).await.map_err(refused)?;
        let columns: Arc<[String]> = columns.into_iter().map(|it| it.name).collect();
        rows.into_iter()
            .map(|values| T::from_row(&Row::new(Arc::clone(&columns), values)))
            .collect()
    }

    /// Runs a statement that returns at most one row.
    pub async fn optional<T: FromRow>(
        &self,
        sql: &'static str,
        params: Vec<ParameterValue>,
    ) -> Result<Option<T>, DbError> {
        let mut rows = self.all(sql, params).await?;
        if rows.len() > 1 {
            return Err(DbError::RowCount(rows.len()));
        }
        Ok(rows.pop())
    }

    /// Runs a statement that returns exactly one row.
    pub async fn one<T: FromRow>(
        &self,
        sql: &'static str,
        params: Vec<ParameterValue>,
    ) -> Result<T, DbError> {
        self.optional(sql, params)
            .await?
            .ok_or(DbError::RowCount(0))
    }

    /// Runs a statement that returns no rows; says how many it touched.
    pub async fn run(
        &self,
        sql: &'static str,
        params: Vec<ParameterValue>,
    ) -> Result<u64, DbError> {
        let connection = self.connection().await.map_err(refused)?;
        let touched = if self.is_plain() {
            connection.execute(sql, &params)
        } else {
            connection.execute_async(sql.to_owned(), params).await
        };
        touched.map_err(refused)
    }

    async fn query(
        &self,
        sql: &'static str,
        params: Vec<ParameterValue>,
    ) -> Result<(Vec<Column>, Vec<Vec<DbValue>>), PgError> {
        let connection = self.connection().await?;
        if self.is_plain() {
            let answer = connection.query(sql, &params)?;
            return Ok((answer.columns, answer.rows));
        }
        let (columns, rows, outcome) = connection.query_async(sql.to_owned(), params).await?;
        let rows = rows.collect().await;
        outcome.await?;
        Ok((columns, rows))
    }
}

/// What PostgreSQL said of a refused statement, out of the debug form of its driver's error: the plain query of
/// Spin 4.1 passes no more on than `Error { kind: Db, cause: Some(DbError { …, code: SqlState(E23505), message:
/// "…", …, constraint: Some("login_taken"), … }) }`.
fn refusal_in(text: &str) -> Option<DbError> {
    let after = |start: &str| text.split_once(start).map(|(_, rest)| rest);
    let quoted = |start: &str| {
        let rest = after(start)?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let sqlstate = after("code: SqlState(E")
        .and_then(|rest| rest.split_once(')'))
        .map(|(code, _)| code.to_owned())
        .or_else(|| quoted("code: SqlState(Other(\""))?;
    Some(DbError::Refused {
        sqlstate,
        constraint: quoted("constraint: Some(\""),
        message: quoted("message: \"").unwrap_or_default(),
    })
}

fn refused(error: PgError) -> DbError {
    match error {
        PgError::QueryFailed(QueryError::DbError(it)) => DbError::Refused {
            constraint: it
                .extras
                .into_iter()
                .find(|(key, _)| key == "constraint")
                .map(|(_, name)| name),
            sqlstate: it.code,
            message: it.message,
        },
        PgError::QueryFailed(QueryError::Text(text)) => match refusal_in(&text) {
            Some(refusal) => refusal,
            // Of a lost connection Spin only says that the statement failed.
            None => DbError::Unreachable(text.into()),
        },
        // A bug of ours: trying again would not help.
        PgError::BadParameter(it) | PgError::ValueConversionFailed(it) => DbError::Unfit(it),
        lost => DbError::Unreachable(Box::new(lost)),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn refusal(sqlstate: &str) -> DbError {
        DbError::Refused {
            sqlstate: sqlstate.to_owned(),
            constraint: Some("login_taken".to_owned()),
            message: String::new(),
        }
    }

    #[test]
    fn a_database_in_trouble_is_asked_again_later() {
        for sqlstate in ["57P01", "53300", "40P01", "57014"] {
            let problem = Problem::from(refusal(sqlstate));
            assert_eq!(
                problem.status(),
                StatusCode::SERVICE_UNAVAILABLE,
                "{sqlstate}"
            );
        }
        assert_eq!(Problem::from(refusal("42703")).status().as_u16(), 500);
        assert_eq!(Problem::from(refusal("22021")).status().as_u16(), 422);
    }

    #[test]
    fn what_cannot_work_is_not_asked_again() {
        let status = |error| Problem::from(refused(error)).status().as_u16();
        assert_eq!(status(PgError::ConnectionFailed("gone".to_owned())), 503);
        assert_eq!(
            status(PgError::QueryFailed(QueryError::Text("closed".to_owned()))),
            503
        );
        assert_eq!(status(PgError::BadParameter("$1".to_owned())), 500);
        assert_eq!(status(PgError::ValueConversionFailed("$1".to_owned())), 500);
    }

    #[test]
    fn a_refusal_that_arrives_as_text_says_the_same() {
        let text = r#"Error { kind: Db, cause: Some(DbError { severity: "ERROR", parsed_severity: Some(Error), code: SqlState(E23505), message: "duplicate key value", detail: Some("Key (login)=(\"ana\") already exists."), hint: None, constraint: Some("login_taken"), file: Some("nbtinsert.c") }) }"#;
        let error = refused(PgError::QueryFailed(QueryError::Text(text.to_owned())));
        assert_eq!(error.constraint(), Some("login_taken"));
        assert_eq!(
            error.to_string(),
            "statement refused with SQLSTATE 23505: duplicate key value"
        );

        let custom = r#"Error { kind: Db, cause: Some(DbError { code: SqlState(Other("WH001")), message: "m", constraint: None }) }"#;
        let error = refused(PgError::QueryFailed(QueryError::Text(custom.to_owned())));
        assert_eq!(
            error.to_string(),
            "statement refused with SQLSTATE WH001: m"
        );
        assert_eq!(error.constraint(), None);
    }

    #[test]
    fn a_broken_constraint_is_known_by_its_name() {
        assert_eq!(refusal("23505").constraint(), Some("login_taken"));
        assert_eq!(DbError::RowCount(2).constraint(), None);
    }
}
