//! Values between SQLite and the WIT interface.

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{ParamsFromIter, Rows, params_from_iter};

use crate::bindings::spin::sqlite::sqlite::{Error, RowResult, Value};

/// Memory of a value in addition to its text or bytes.
const VALUE_BYTES: usize = 32;

pub fn to_parameters(
    values: Vec<Value>,
) -> ParamsFromIter<impl Iterator<Item = ToSqlOutput<'static>>> {
    params_from_iter(values.into_iter().map(|value| {
        ToSqlOutput::Owned(match value {
            Value::Integer(number) => Owned::Integer(number),
            Value::Real(number) => Owned::Real(number),
            Value::Text(text) => Owned::Text(text),
            Value::Blob(bytes) => Owned::Blob(bytes),
            Value::Null => Owned::Null,
        })
    }))
}

/// The rows of a result, or an error if they are larger than `max_bytes`.
pub fn read_rows(
    mut rows: Rows<'_>,
    max_bytes: usize,
) -> rusqlite::Result<Result<Vec<RowResult>, Error>> {
    let columns = rows
        .as_ref()
        .map_or(0, |statement| statement.column_count());
    let mut results = Vec::new();
    let mut bytes = 0_usize;
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            let value = row.get_ref(column)?;
            bytes += VALUE_BYTES + length(value);
            if bytes > max_bytes {
                return Ok(Err(Error::Io(format!(
                    "query result exceeds limit of {max_bytes} bytes"
                ))));
            }
            values.push(match value {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Real(number) => Value::Real(number),
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
            });
        }
        results.push(RowResult { values });
    }
    Ok(Ok(results))
}

fn length(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
    }
}
