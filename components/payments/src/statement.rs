//! An account's statement: every movement with the balance it left. No I/O.

use std::fmt::{self, Write};

use jiff::Timestamp;
use kit::money::decimal;
use kit::store::{Column, DbValue, FromRow};
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

/// An amount in the form that the clients of a dialect read: minor units, or decimals.
#[derive(Clone, Copy, Debug, Serialize, Schema)]
#[serde(untagged)]
pub enum Amount {
    Cents(i64),
    Decimal(
        #[serde(with = "decimal")]
        #[schemars(with = "f64")]
        i64,
    ),
}

impl Amount {
    fn in_decimals(self) -> Self {
        match self {
            Self::Cents(it) | Self::Decimal(it) => Self::Decimal(it),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cents(it) => write!(f, "{it}"),
            Self::Decimal(it) => f.write_str(&decimal::text(*it)),
        }
    }
}

impl Column for Amount {
    fn column(value: &DbValue) -> Option<Self> {
        i64::column(value).map(Self::Cents)
    }
}

/// The entries that are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// Entries that are older than the one with this `seq`.
    pub before: Option<i64>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Entry {
    /// Grows with every entry of an account: pages go by it.
    pub seq: i64,
    #[row(column = "id")]
    pub transfer_id: Uuid,
    pub kind: String,
    /// Negative when it left the account.
    pub amount: Amount,
    pub balance: Amount,
    pub currency: String,
    /// The other account, when it has a name.
    pub counterparty: Option<String>,
    pub reference: Option<String>,
    pub description: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Debug, Serialize, Schema)]
pub struct Statement {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// The `before` of the following page.
    pub next: Option<i64>,
}

impl Statement {
    /// A full page may be followed by another.
    pub fn page(entries: Vec<Entry>, limit: i64) -> Self {
        let is_full = i64::try_from(entries.len()) == Ok(limit);
        let next = entries.last().filter(|_| is_full).map(|it| it.seq);
        Self { entries, next }
    }

    /// The same with decimals.
    pub fn in_decimals(mut self) -> Self {
        for it in &mut self.entries {
            it.amount = it.amount.in_decimals();
            it.balance = it.balance.in_decimals();
        }
        self
    }

    /// RFC 4180.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from(
            "seq,created_at,kind,amount,balance,currency,counterparty,reference,description,transfer_id\r\n",
        );
        for it in &self.entries {
            let text = |value: &Option<String>| field(value.as_deref().unwrap_or_default());
            // Writing to a String cannot fail.
            let _ = write!(
                csv,
                "{},{},{},{},{},{},{},{},{},{}\r\n",
                it.seq,
                it.created_at,
                it.kind,
                it.amount,
                it.balance,
                it.currency,
                text(&it.counterparty),
                text(&it.reference),
                text(&it.description),
                it.transfer_id,
            );
        }
        csv
    }
}

/// A field of the file, quoted when it has to be. A spreadsheet would take a leading sign for the start of a formula
/// (CSV injection), so a quote marks the field as text.
fn field(text: &str) -> String {
    let text = match text.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => format!("'{text}"),
        _ => text.to_owned(),
    };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_in_cents_or_with_two_decimals() {
        let both = |cents| {
            let amount = Amount::Cents(cents);
            (amount.to_string(), amount.in_decimals().to_string())
        };
        assert_eq!(both(-5), ("-5".to_owned(), "-0.05".to_owned()));
        assert_eq!(both(12_340), ("12340".to_owned(), "123.40".to_owned()));
        assert_eq!(
            serde_json::to_string(&Amount::Cents(-1250).in_decimals()).unwrap(),
            "-12.5"
        );
    }

    #[test]
    fn a_field_cannot_break_out_of_its_cell() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("=HYPERLINK(1)"), "'=HYPERLINK(1)");
    }
}
