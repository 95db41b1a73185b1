//! Settlement reports of the provider, and their differences from the books. No I/O in this file.
//!
//! The form is that of Mercado Pago's settlement report: CSV with a header, separated by `,` or `;`. Columns are found by
//! their names, so others may stand between them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kit::Word;
use kit::money::{Currency, decimal};
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum LineKind {
    Payment,
    Refund,
    /// The payer took it back through their bank.
    Chargeback,
    /// Money that had gone back comes again, as after a dispute that was won.
    Return,
    /// The provider paid it to the bank account.
    Payout,
    /// The bank did not take it.
    PayoutReturn,
}

impl LineKind {
    /// `comes` is the sign of the amount. `None` for lines about something else, such as shipping.
    fn of(transaction_type: &str, comes: bool) -> Option<Self> {
        match (transaction_type, comes) {
            ("SETTLEMENT", _) => Some(Self::Payment),
            ("REFUND", false) => Some(Self::Refund),
            ("CHARGEBACK" | "DISPUTE", false) => Some(Self::Chargeback),
            ("REFUND" | "CHARGEBACK" | "DISPUTE", true) => Some(Self::Return),
            ("PAYOUT" | "WITHDRAWAL", false) => Some(Self::Payout),
            ("PAYOUT" | "WITHDRAWAL", true) | ("WITHDRAWAL_CANCEL", _) => Some(Self::PayoutReturn),
            _ => None,
        }
    }

    /// Whether its line names a payment.
    fn is_of_payment(self) -> bool {
        match self {
            Self::Payment | Self::Refund | Self::Chargeback | Self::Return => true,
            Self::Payout | Self::PayoutReturn => false,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The payment's id at the provider. For a payout: the payout's id, or empty.
    pub payment: String,
    pub kind: LineKind,
    /// Minor units, whichever way they went.
    pub amount: i64,
    /// The provider's fee; below 0 when it is given back.
    pub fee: i64,
    pub currency: Currency,
    pub at: Timestamp,
}

impl Line {
    pub fn to_json(&self) -> Value {
        json!({
            "payment": self.payment,
            "kind": self.kind.name(),
            "amount": self.amount,
            "fee": self.fee,
            "currency": self.currency.name(),
            "at": self.at.as_millisecond(),
        })
    }
}

/// The lines of a file that concern our money, and the number of other lines by kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    pub lines: Vec<Line>,
    /// Keyed by the provider's word for the kind.
    pub others: BTreeMap<String, i32>,
}

/// The content of a row.
enum Found {
    Line(Line),
    /// A line of another kind.
    Other(String),
}

impl Report {
    pub fn skipped(&self) -> i32 {
        self.others.values().sum()
    }

    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim_start_matches('\u{feff}');
        let separator = match text.lines().next() {
            Some(header) if header.contains(';') => ';',
            _ => ',',
        };
        let mut rows = Rows { text, separator };
        let header = rows.next().ok_or(Error::InvalidFile(1))?;
        let find = |name: &'static str| header.iter().position(|it| it.trim() == name);
        let columns = Columns::find(find).ok_or(Error::InvalidFile(1))?;
        let (mut lines, mut others) = (Vec::new(), BTreeMap::new());
        for (index, row) in rows.enumerate() {
            if row.iter().all(|it| it.trim().is_empty()) {
                continue;
            }
            // The header is the first one.
            let read = columns.read(&row);
            match read.map_err(|Misread| Error::InvalidFile(index.saturating_add(2)))? {
                Found::Line(line) => lines.push(line),
                Found::Other(kind) => {
                    let count: &mut i32 = others.entry(kind).or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        if lines.is_empty() {
            return Err(Error::InvalidFile(2));
        }
        Ok(Self { lines, others })
    }
}

/// Where in a row the columns are.
struct Columns {
    payment: usize,
    kind: usize,
    amount: usize,
    currency: usize,
    at: usize,
    fee: usize,
}

impl Columns {
    fn find(find: impl Fn(&'static str) -> Option<usize>) -> Option<Self> {
        Some(Self {
            payment: find("SOURCE_ID")?,
            kind: find("TRANSACTION_TYPE")?,
            amount: find("TRANSACTION_AMOUNT")?,
            currency: find("TRANSACTION_CURRENCY")?,
            at: find("TRANSACTION_DATE")?,
            fee: find("FEE_AMOUNT")?,
        })
    }

    fn read(&self, row: &[String]) -> Result<Found, Misread> {
        let get = |column: usize| row.get(column).map(|it| it.trim()).ok_or(Misread);
        let word = get(self.kind)?;
        let comes = !get(self.amount)?.starts_with('-');
        let Some(kind) = LineKind::of(word, comes) else {
            let is_word = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
            let fits = (1..=40).contains(&word.len()) && word.bytes().all(is_word);
            return fits.then(|| Found::Other(word.to_owned())).ok_or(Misread);
        };
        let payment = get(self.payment)?;
        let shortest = usize::from(kind.is_of_payment());
        let is_id = |it: &str| it.bytes().all(|it| it.is_ascii_graphic());
        if !(shortest..=100).contains(&payment.len()) || !is_id(payment) {
            return Err(Misread);
        }
        let money = |text: &str| decimal::parse(text).ok_or(Misread);
        Ok(Found::Line(Line {
            payment: payment.to_owned(),
            kind,
            amount: money(get(self.amount)?)?.saturating_abs(),
            // The provider writes its fee as a negative number.
            fee: match get(self.fee)? {
                "" => 0,
                fee => money(fee)?.saturating_neg(),
            },
            currency: Currency::parse(get(self.currency)?).ok_or(Misread)?,
            at: get(self.at)?.parse().map_err(|_| Misread)?,
        }))
    }
}

/// A row that cannot be read.
struct Misread;

/// The rows of a file in the form of RFC 4180.
struct Rows<'a> {
    text: &'a str,
    separator: char,
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        if self.text.is_empty() {
            return None;
        }
        let (mut row, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut rest = self.text.chars();
        while let Some(it) = rest.next() {
            match it {
                '"' if is_quoted && rest.as_str().starts_with('"') => {
                    rest.next();
                    field.push('"');
                }
                '"' => is_quoted = !is_quoted,
                '\n' if !is_quoted => break,
                it if it == self.separator && !is_quoted => row.push(std::mem::take(&mut field)),
                it => field.push(it),
            }
        }
        self.text = rest.as_str();
        row.push(field);
        Some(row)
    }
}

/// A file that was imported.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct ProviderFile {
    pub id: Uuid,
    pub name: String,
    /// Lines that were in no file before.
    pub lines: i32,
    /// Lines of earlier files: they count there.
    pub repeated: i32,
    /// Lines of other things than payments and payouts to the bank.
    pub skipped: i32,
    /// Their number by kind, in the provider's words.
    #[row(json)]
    pub others: BTreeMap<String, i32>,
    /// The provider's fees in the new lines, by currency, in minor units.
    #[row(json)]
    pub fees: BTreeMap<String, i64>,
    /// The time of its first line.
    pub first_at: Timestamp,
    /// The time of its last line.
    pub last_at: Timestamp,
    /// The admin.
    pub imported_by: Uuid,
    pub imported_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum DifferenceKind {
    /// The provider has settled a payment that is not booked here.
    NotBooked,
    /// The amount or the currency is another one.
    Amount,
    /// The provider has sent back more than is booked here, or less since a part came again.
    SentBack,
    /// It is booked here in the span of the file, or since the file before it ended, and no file names it.
    NotReported,
}

/// One of the differences between a file and the books.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Difference {
    pub kind: DifferenceKind,
    /// The id of the payment at the provider.
    #[row(column = "payment")]
    pub attempt: String,
    #[row(column = "checkout")]
    pub payment_id: Option<Uuid>,
    pub currency: String,
    /// Minor units.
    pub booked: i64,
    /// Minor units.
    pub reported: i64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "SOURCE_ID,TRANSACTION_TYPE,NOTE,TRANSACTION_AMOUNT,TRANSACTION_CURRENCY,TRANSACTION_DATE,FEE_AMOUNT";

    fn line(text: &str) -> Result<Report, Error> {
        Report::parse(&format!("{HEADER}\r\n{text}\r\n"))
    }

    #[test]
    fn the_lines_of_our_money_are_read_and_others_counted_by_kind() {
        let text = "\
            17,SETTLEMENT,\"lunch, \"\"to go\"\"\",25.00,BRL,2026-11-28T10:00:00.000-04:00,-1.25\n\
            17,REFUND,,-5.00,BRL,2026-11-28T11:00:00.000-04:00,0.25\n\
            18,DISPUTE,,-25.00,USD,2026-11-28T12:00:00.000-04:00,\n\
            18,DISPUTE,,25.00,USD,2026-11-28T12:30:00.000-04:00,\n\
            ,PAYOUT,,-19.00,BRL,2026-11-28T13:00:00.000-04:00,0.00\n\
            5,WITHDRAWAL_CANCEL,,19.00,BRL,2026-11-28T14:00:00.000-04:00,0.00\n\
            17,SETTLEMENT_SHIPPING,,3.00,BRL,,\n\
            ,CASHBACK,,1.00,,,";
        let report = line(text).unwrap();
        let others = ["CASHBACK", "SETTLEMENT_SHIPPING"].map(|it| (it.to_owned(), 1));
        assert_eq!(report.others, BTreeMap::from(others));
        assert_eq!(report.skipped(), 2);
        let read: Vec<_> = report
            .lines
            .iter()
            .map(|it| (it.payment.as_str(), it.kind, it.amount, it.fee))
            .collect();
        assert_eq!(
            read,
            [
                ("17", LineKind::Payment, 2500, 125),
                ("17", LineKind::Refund, 500, -25),
                ("18", LineKind::Chargeback, 2500, 0),
                ("18", LineKind::Return, 2500, 0),
                ("", LineKind::Payout, 1900, 0),
                ("5", LineKind::PayoutReturn, 1900, 0),
            ]
        );
        assert_eq!(report.lines[0].at.to_string(), "2026-11-28T14:00:00Z");
        let semicolons = text.replace("lunch, ", "").replace(',', ";");
        let header = HEADER.replace(',', ";");
        assert_eq!(
            Report::parse(&format!("\u{feff}{header}\n{semicolons}")).unwrap(),
            report
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_refuses_the_file_and_is_named() {
        let good = "17,SETTLEMENT,,25.00,BRL,2026-11-28T10:00:00Z,-1.25";
        for wrong in [
            "17,SETTLEMENT,,25.001,BRL,2026-11-28T10:00:00Z,0",
            "17,SETTLEMENT,,25,XXX,2026-11-28T10:00:00Z,0",
            "17,SETTLEMENT,,25,BRL,yesterday,0",
            ",SETTLEMENT,,25,BRL,2026-11-28T10:00:00Z,0",
            ",PAYOUT,,-25,BRL,,0",
            "17,of another kind,,25,BRL,2026-11-28T10:00:00Z,0",
            "17,SETTLEMENT",
        ] {
            let refused = line(&format!("{good}\n{wrong}")).unwrap_err();
            assert!(
                matches!(refused, Error::InvalidFile(3)),
                "{wrong}: {refused}"
            );
        }
        for nothing in ["", "SOURCE_ID,FEE_AMOUNT\n17,1", HEADER] {
            assert!(Report::parse(nothing).is_err(), "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,200}", rows in "[\",;\n\r0-9A-Z.-]{0,200}") {
            let _ = Report::parse(&text);
            let _ = line(&rows);
        }
    }
}
