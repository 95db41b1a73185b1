//! Errors of the driver, in the words of the WIT interface.

use std::error::Error as _;

use tokio_postgres::error::{DbError, SqlState};

use super::values::{BadParameter, BadValue};
use crate::bindings::spin::postgres4_2_0::postgres::{DbError as Reported, Error, QueryError};

/// Converts an error of a statement.
pub fn from_driver(error: &tokio_postgres::Error) -> Error {
    if let Some(reported) = error.as_db_error() {
        return Error::QueryFailed(QueryError::DbError(report(error, reported)));
    }
    let cause = error.source();
    if let Some(bad) = cause.and_then(|cause| cause.downcast_ref::<BadParameter>()) {
        return Error::BadParameter(format!("{error}: {bad}"));
    }
    if let Some(bad) = cause.and_then(|cause| cause.downcast_ref::<BadValue>()) {
        return Error::ValueConversionFailed(format!("{error}: {bad}"));
    }
    let is_io_error = cause.is_some_and(|cause| cause.is::<std::io::Error>());
    if is_io_error || error.is_closed() {
        return Error::ConnectionFailed(format!(
            "the connection was lost while the statement ran: {}",
            with_causes(error)
        ));
    }
    Error::QueryFailed(QueryError::Text(with_causes(error)))
}

fn report(error: &tokio_postgres::Error, reported: &DbError) -> Reported {
    // Spin's names and order.
    let line = reported.line().map(|line| line.to_string());
    let extras = [
        ("column", reported.column()),
        ("constraint", reported.constraint()),
        ("routine", reported.routine()),
        ("hint", reported.hint()),
        ("table", reported.table()),
        ("datatype", reported.datatype()),
        ("schema", reported.schema()),
        ("file", reported.file()),
        ("line", line.as_deref()),
        ("where_", reported.where_()),
    ];
    let given = |(name, value): (&str, Option<&str>)| Some((name.to_owned(), value?.to_owned()));
    Reported {
        // Guests of the previous interfaces get only this text and look for the SQLSTATE code in it.
        as_text: format!("{error:?}"),
        severity: reported.severity().to_owned(),
        code: reported.code().code().to_owned(),
        message: reported.message().to_owned(),
        detail: reported.detail().map(str::to_owned),
        extras: extras.into_iter().filter_map(given).collect(),
    }
}

/// Whether the server refused a prepared statement because it was deallocated or one of its tables changed. Nothing was
/// executed then.
pub fn is_stale_plan(error: &tokio_postgres::Error) -> bool {
    let Some(reported) = error.as_db_error() else {
        return false;
    };
    *reported.code() == SqlState::INVALID_SQL_STATEMENT_NAME
        || (*reported.code() == SqlState::FEATURE_NOT_SUPPORTED
            && reported.routine() == Some("RevalidateCachedQuery"))
}

/// The error's text with its causes, which the driver does not include.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
