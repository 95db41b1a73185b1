//! SQL: the only module that talks to `spin_sdk::pg`.
//!
//! A [`Db`] lives for one request. Every call is one statement, and one
//! statement is one transaction: Spin hands a connection back to its pool
//! without `ROLLBACK`, so a `BEGIN` sent from a component can outlive it.
//!
//! The interface has each call twice. The asynchronous ones stream rows and let
//! other requests run in the same instance meanwhile; they cost a stream, a future
//! and several crossings into the host each. Answers here are small and instances
//! serve one request at a time, so the plain ones it is: one crossing, all rows. Who
//! carries out many events in one instance (`relay`) has the others wait for a
//! statement's round trip.

use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use rust_decimal::Decimal;
use spin_sdk::pg::wit::postgres::Connection;
use spin_sdk::pg::{DbValue, Decode, PgError, QueryError};
use uuid::Uuid;

pub use spin_sdk::pg::ParameterValue;

use crate::money::Cents;
use crate::problem::Problem;
use crate::setting::{Unset, setting};

/// The statement in `sql/<name>.sql` beside the calling file.
#[macro_export]
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!("sql/", $name, ".sql"))
    };
}

/// The parameters of a statement, in order: `params![id, owner, amount]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::db::Param::param($value)),*]
    };
}

/// An open connection.
pub struct Db(Connection);

/// One row, read by column name.
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<DbValue>,
}

/// A type that a row of some statement turns into.
pub trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, DbError>;
}

/// A type that a column holds.
pub trait Column: Sized {
    fn column(value: &DbValue) -> Option<Self>;
}

/// A type that a parameter is made of.
pub trait Param {
    fn param(self) -> ParameterValue;
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
    #[error("expected one row, got {0}")]
    RowCount(usize),
}

impl DbError {
    /// Whether the statement broke the named constraint or unique index.
    pub fn violates(&self, name: &str) -> bool {
        matches!(self, Self::Refused { constraint: Some(it), .. } if it == name)
    }

    /// Whether it is the database that is in trouble, and not the statement: it shuts down, is
    /// out of connections, broke a deadlock or gave up at its time limit.
    fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { sqlstate, .. } => {
                ["08", "53", "57", "40"]
                    .iter()
                    .any(|class| sqlstate.starts_with(class))
                    || sqlstate == "55P03"
                    || sqlstate == "25006"
            }
            Self::Setting(_) | Self::Unfit(_) | Self::Column(_) | Self::RowCount(_) => false,
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        if error.is_passing() {
            return Self::unavailable(&error);
        }
        // What was sent cannot be stored as text or is out of a type's range: the caller's mistake
        // that no type of ours caught.
        match &error {
            DbError::Refused { sqlstate, .. } if sqlstate.starts_with("22") => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-value",
                "A value cannot be stored",
            ),
            _ => Self::internal(&error),
        }
    }
}

impl Db {
    /// Opens a connection to the schema whose address is in the variable `<schema>_database_url`.
    pub async fn open(variable: &'static str) -> Result<Self, DbError> {
        let url = setting(variable).await?;
        Connection::open(url).map(Self).map_err(refused)
    }

    /// Runs a statement that returns any number of rows.
    pub async fn all<T: FromRow>(
        &self,
        sql: &'static str,
        params: Vec<ParameterValue>,
    ) -> Result<Vec<T>, DbError> {
        let answer = self.0.query(sql, &params).map_err(refused)?;
        let columns: Arc<[String]> = answer.columns.into_iter().map(|it| it.name).collect();
        let rows = answer.rows.into_iter().map(|values| {
            T::from_row(&Row {
                columns: Arc::clone(&columns),
                values,
            })
        });
        rows.collect()
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
        self.0.execute(sql, &params).map_err(refused)
    }
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
        // Ours to mend: asking again would not help.
        PgError::BadParameter(it) | PgError::ValueConversionFailed(it) => DbError::Unfit(it),
        // Spin says no more of a connection that was lost than that the statement failed.
        lost => DbError::Unreachable(Box::new(lost)),
    }
}

impl Row {
    pub fn get<T: Column>(&self, column: &str) -> Result<T, DbError> {
        self.columns
            .iter()
            .position(|it| it == column)
            .and_then(|at| self.values.get(at))
            .and_then(T::column)
            .ok_or_else(|| DbError::Column(column.to_owned()))
    }

    /// A column that holds one of a fixed set of words.
    pub fn parse<T>(
        &self,
        column: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, DbError> {
        parse(&self.get::<String>(column)?).ok_or_else(|| DbError::Column(column.to_owned()))
    }
}

/// A row of one column whose name does not matter: a count, an id, a yes or no.
pub struct Only<T>(pub T);

impl<T: Column> FromRow for Only<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        row.values
            .first()
            .and_then(T::column)
            .map(Self)
            .ok_or_else(|| DbError::Column("the only one".to_owned()))
    }
}

impl<T: Column> Column for Option<T> {
    fn column(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::DbNull => Some(None),
            value => T::column(value).map(Some),
        }
    }
}

macro_rules! columns {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn column(value: &DbValue) -> Option<Self> {
                Self::decode(value).ok()
            }
        }
    )*};
}

columns!(
    bool,
    i16,
    i32,
    i64,
    f64,
    String,
    Vec<u8>,
    Uuid,
    Decimal,
    serde_json::Value
);

/// Times cross as milliseconds: `(extract(epoch FROM x) * 1000)::bigint`.
impl Column for Timestamp {
    fn column(value: &DbValue) -> Option<Self> {
        Self::from_millisecond(i64::column(value)?).ok()
    }
}

impl Column for Cents {
    fn column(value: &DbValue) -> Option<Self> {
        Self::new(i64::column(value)?).ok()
    }
}

impl Column for Vec<String> {
    fn column(value: &DbValue) -> Option<Self> {
        let texts = Vec::<Option<String>>::decode(value).ok()?;
        texts.into_iter().collect()
    }
}

macro_rules! params_of {
    ($($type:ty),*) => {$(
        impl Param for $type {
            fn param(self) -> ParameterValue {
                self.into()
            }
        }
    )*};
}

params_of!(bool, i16, i32, i64, f64, String, Vec<u8>, Uuid, Decimal);

impl Param for &str {
    fn param(self) -> ParameterValue {
        ParameterValue::Str(self.to_owned())
    }
}

impl Param for &String {
    fn param(self) -> ParameterValue {
        self.as_str().param()
    }
}

/// As milliseconds: `to_timestamp($1::bigint / 1000.0)`.
impl Param for Timestamp {
    fn param(self) -> ParameterValue {
        self.as_millisecond().into()
    }
}

impl Param for Cents {
    fn param(self) -> ParameterValue {
        self.get().into()
    }
}

impl Param for Vec<String> {
    fn param(self) -> ParameterValue {
        ParameterValue::ArrayStr(self.into_iter().map(Some).collect())
    }
}

impl Param for Vec<i64> {
    fn param(self) -> ParameterValue {
        ParameterValue::ArrayInt64(self.into_iter().map(Some).collect())
    }
}

/// As `jsonb`.
impl Param for &serde_json::Value {
    fn param(self) -> ParameterValue {
        ParameterValue::Jsonb(self.to_string().into_bytes())
    }
}

impl<T: Param> Param for Option<T> {
    fn param(self) -> ParameterValue {
        self.map_or(ParameterValue::DbNull, T::param)
    }
}

#[cfg(test)]
mod tests {
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
    fn a_broken_rule_is_known_by_its_name() {
        assert!(refusal("23505").violates("login_taken"));
        assert!(!refusal("23505").violates("login"));
    }

    #[test]
    fn a_column_of_another_type_is_an_error_and_null_is_not() {
        let row = Row {
            columns: ["at".to_owned(), "name".to_owned()].into(),
            values: vec![DbValue::Int64(1_500), DbValue::DbNull],
        };
        assert_eq!(row.get::<Timestamp>("at").unwrap().as_millisecond(), 1_500);
        assert_eq!(row.get::<Option<String>>("name").unwrap(), None);
        assert!(row.get::<String>("name").is_err());
        assert!(row.get::<bool>("at").is_err());
    }
}
