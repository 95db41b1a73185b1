//! Rows and parameters: how values cross between Rust and PostgreSQL.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use spin_sdk::pg::Decode;
use uuid::Uuid;

pub use spin_sdk::pg::DbValue;

use super::db::{DbError, ParameterValue};
use crate::money::Cents;
use crate::web::Refusals;

/// The parameters of a statement, in order: `params![id, owner, amount]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::store::Param::param($value)),*]
    };
}

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

impl Row {
    pub(super) fn new(columns: Arc<[String]>, values: Vec<DbValue>) -> Self {
        Self { columns, values }
    }

    pub fn get<T: Column>(&self, column: &str) -> Result<T, DbError> {
        self.value(column)
            .and_then(T::column)
            .ok_or_else(|| DbError::Column(column.to_owned()))
    }

    fn value(&self, column: &str) -> Option<&DbValue> {
        let at = self.columns.iter().position(|it| it == column)?;
        self.values.get(at)
    }

    /// A `jsonb` column, read with serde.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, DbError> {
        serde_json::from_value(self.get(column)?).map_err(|_| DbError::Column(column.to_owned()))
    }
}

/// A row of a function that may refuse: its column `outcome` says whether it did.
pub struct Decided<T, E>(pub Result<T, E>);

impl<T: FromRow, E: Refusals> FromRow for Decided<T, E> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let Some(DbValue::Str(outcome)) = row.value("outcome") else {
            return Err(DbError::Column("outcome".to_owned()));
        };
        if E::DONE.contains(&outcome.as_str()) {
            return T::from_row(row).map(Ok).map(Self);
        }
        match E::of_outcome(outcome) {
            Some(refusal) => Ok(Self(Err(refusal))),
            None => Err(DbError::Outcome(outcome.clone())),
        }
    }
}

/// Absent when the row's `id` is null, as an outer join leaves it.
impl<T: FromRow> FromRow for Option<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        match row.value("id") {
            Some(DbValue::DbNull) => Ok(None),
            _ => T::from_row(row).map(Some),
        }
    }
}

/// Nothing is read: for statements whose result is only their `outcome`.
impl FromRow for () {
    fn from_row(_: &Row) -> Result<Self, DbError> {
        Ok(())
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

/// Moments cross as milliseconds: `millis(x)` in SQL.
impl Column for Timestamp {
    fn column(value: &DbValue) -> Option<Self> {
        // `from_millisecond` refuses fractions of the last second, which a timestamp can have.
        Self::from_duration(SignedDuration::from_millis(i64::column(value)?)).ok()
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

/// Moments cross as milliseconds: `moment($1)` in SQL.
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

    #[test]
    fn every_moment_that_was_written_can_be_read() {
        for moment in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            let millis = moment.as_millisecond();
            let read = Timestamp::column(&DbValue::Int64(millis));
            assert_eq!(read.map(Timestamp::as_millisecond), Some(millis));
        }
    }
}
