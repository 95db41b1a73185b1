//! Refunds that were refused: by the ledger, because the payee has spent the money or the payer's account is full, or
//! by the PSP. They are tried again, and a person resolves what stays. No I/O in this file.

use std::fmt::Write;

use jiff::Timestamp;
use kit::Word;
use kit::money::decimal;
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Kind {
    /// Between two users.
    Wallet,
    /// Of a whole payment at the provider.
    Attempt,
    /// Of a part of a payment at the provider.
    Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Resolution {
    /// It succeeded in the end.
    Refunded,
    /// The payee paid with their free money, and the house the rest.
    HouseFunded,
    /// It was paid another way than through the provider.
    SettledOutside,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct StuckRefund {
    pub id: String,
    pub kind: Kind,
    /// The id of the payment in the ledger, or at the provider.
    #[row(column = "payment")]
    pub payment_id: Uuid,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub currency: String,
    /// Why it was refused last.
    pub refusal: String,
    pub tries: i32,
    /// It was refused so often that a person has to look; the provider is not asked again.
    pub is_stuck: bool,
    pub resolution: Option<Resolution>,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// A refused refund that is tried again.
#[derive(FromRow)]
pub struct Known {
    #[row(flatten)]
    pub shown: StuckRefund,
    pub description: Option<String>,
}

/// The refused refunds of one kind in numbers.
#[derive(FromRow)]
pub struct Measure {
    pub kind: Kind,
    pub waiting: i64,
    pub stuck: i64,
    pub oldest_s: i64,
}

/// In the text format of Prometheus. A kind without waiting refunds is written as 0, so that its alert resolves.
pub fn write_metrics(measures: &[Measure]) -> String {
    let mut text = String::new();
    let mut add = |name: &str, help: &str, value: fn(&Measure) -> i64| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for kind in Kind::ALL {
            let measure = measures.iter().find(|it| it.kind == kind);
            let value = measure.map_or(0, value);
            let _ = writeln!(text, "{name}{{kind=\"{}\"}} {value}", kind.name());
        }
    };
    add(
        "wharf_payments_refunds_refused",
        "Refunds that were refused and are not resolved",
        |it| it.waiting,
    );
    add(
        "wharf_payments_refunds_stuck",
        "Those of them that a person has to look at",
        |it| it.stuck,
    );
    add(
        "wharf_payments_refunds_refused_oldest_seconds",
        "The age of the oldest of them",
        |it| it.oldest_s,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_without_waiting_refunds_is_written_as_0() {
        let text = write_metrics(&[Measure {
            kind: Kind::Wallet,
            waiting: 3,
            stuck: 1,
            oldest_s: 60,
        }]);
        for line in [
            "wharf_payments_refunds_refused{kind=\"wallet\"} 3\n",
            "wharf_payments_refunds_stuck{kind=\"wallet\"} 1\n",
            "wharf_payments_refunds_stuck{kind=\"attempt\"} 0\n",
            "wharf_payments_refunds_refused_oldest_seconds{kind=\"wallet\"} 60\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
