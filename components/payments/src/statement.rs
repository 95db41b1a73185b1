//! An account's statement: every movement with the balance it left. No I/O.

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

#[derive(Debug, Serialize)]
pub struct Entry {
    /// Grows with every entry of an account: the key that pages go by.
    pub seq: i64,
    pub transfer_id: Uuid,
    pub kind: String,
    /// In minor units, negative when it left the account.
    pub amount: i64,
    pub balance: i64,
    pub currency: String,
    /// The other account, when it has a name.
    pub counterparty: Option<String>,
    pub reference: Option<String>,
    pub description: Option<String>,
    pub created_at: Timestamp,
}

/// Newest first. `next` is the `before` of the following page.
#[derive(Debug, Serialize)]
pub struct Statement {
    pub entries: Vec<Entry>,
    pub next: Option<i64>,
}

impl Statement {
    /// A full page may have another behind it.
    pub fn page(entries: Vec<Entry>, limit: i64) -> Self {
        let is_full = i64::try_from(entries.len()) == Ok(limit);
        let next = entries.last().filter(|_| is_full).map(|it| it.seq);
        Self { entries, next }
    }

    /// RFC 4180, with the amounts as minor units.
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

/// Quoted when it has to be. A leading sign would be a formula to a spreadsheet,
/// so it is taken for text there too.
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
    fn a_field_cannot_break_out_of_its_cell() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("=HYPERLINK(1)"), "'=HYPERLINK(1)");
    }
}
