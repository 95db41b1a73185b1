//! What went wrong with a statement, in the words of the WIT interface.

use std::error::Error as _;

use tokio_postgres::error::{DbError, SqlState};

use super::address::full;
use super::values::{BadParameter, BadValue};
use crate::bindings::spin::postgres4_2_0::postgres::{DbError as Reported, Error, QueryError};

/// An error of the driver while it ran a statement.
pub fn of_statement(error: &tokio_postgres::Error) -> Error {
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
    let lost = cause.is_some_and(|cause| cause.is::<std::io::Error>());
    if lost || error.is_closed() {
        return Error::ConnectionFailed(format!(
            "the connection was lost while the statement ran: {}",
            full(error)
        ));
    }
    Error::QueryFailed(QueryError::Text(full(error)))
}

fn report(error: &tokio_postgres::Error, reported: &DbError) -> Reported {
    // Names and order as Spin gives them.
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
        // Guests of the older interfaces get only this text and look for the code in it.
        as_text: format!("{error:?}"),
        severity: reported.severity().to_owned(),
        code: reported.code().code().to_owned(),
        message: reported.message().to_owned(),
        detail: reported.detail().map(str::to_owned),
        extras: extras.into_iter().filter_map(given).collect(),
    }
}

/// The prepared statement is no longer what the server thinks of it: a table changed, or somebody deallocated it.
/// Nothing was executed.
pub fn is_stale_plan(error: &tokio_postgres::Error) -> bool {
    let Some(reported) = error.as_db_error() else {
        return false;
    };
    *reported.code() == SqlState::INVALID_SQL_STATEMENT_NAME
        || (*reported.code() == SqlState::FEATURE_NOT_SUPPORTED
            && reported.routine() == Some("RevalidateCachedQuery"))
}
