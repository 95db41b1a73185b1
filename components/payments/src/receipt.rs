//! A receipt: what moved, for the user whose money it was, as JSON and as a page to print. Its number runs with the
//! ledger and has gaps. No I/O in this file.

use std::fmt::Write;

use jiff::Timestamp;
use kit::Word;
use kit::money::decimal;
use kit::store::FromRow;
use kit::web::{Schema, escape_html};
use serde::Serialize;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Direction {
    /// Between accounts of the same user.
    Within,
    In,
    Out,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Receipt {
    /// Runs, with gaps; also the `seq` of statements.
    pub number: i64,
    #[row(column = "id")]
    pub transfer_id: Uuid,
    pub kind: String,
    pub direction: Direction,
    /// Minor units.
    pub amount: i64,
    /// The part of it that went back later.
    pub refunded: i64,
    pub currency: String,
    /// `completed`; for a cash-out, its status.
    pub status: String,
    pub from: String,
    pub to: String,
    pub reference: Option<String>,
    pub description: Option<String>,
    /// The id of the payment at the provider.
    pub provider_payment_id: Option<String>,
    pub issued_at: Timestamp,
}

impl Receipt {
    /// A page of its own, without scripts.
    pub fn to_html(&self) -> String {
        let money = |minor: i64| format!("{} {}", decimal::text(minor), self.currency);
        let refunded = (self.refunded > 0).then(|| money(self.refunded));
        let rows = [
            ("Number", Some(self.number.to_string())),
            (
                "Date",
                Some(self.issued_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
            ),
            ("Kind", Some(self.kind.replace('_', " "))),
            ("Amount", Some(money(self.amount))),
            ("Refunded", refunded),
            ("Status", Some(self.status.clone())),
            ("From", Some(self.from.clone())),
            ("To", Some(self.to.clone())),
            ("Reference", self.reference.clone()),
            ("Description", self.description.clone()),
            ("Payment at the provider", self.provider_payment_id.clone()),
            ("Transfer", Some(self.transfer_id.to_string())),
        ];
        let mut table = String::new();
        for (name, value) in rows {
            if let Some(value) = value {
                // Writing to a String cannot fail.
                let _ = writeln!(
                    table,
                    "<tr><th scope=\"row\">{name}<td>{}",
                    escape_html(&value)
                );
            }
        }
        include_str!("routes/receipt.html")
            .replace("{number}", &self.number.to_string())
            .replace("{rows}", &table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_what_a_user_wrote_and_runs_none_of_it() {
        let receipt = Receipt {
            number: 4711,
            transfer_id: Uuid::nil(),
            kind: "promo_generation".to_owned(),
            direction: Direction::Out,
            amount: 1205,
            refunded: 0,
            currency: "BRL".to_owned(),
            status: "completed".to_owned(),
            from: "wallet".to_owned(),
            to: "<script>alert('x')</script>".to_owned(),
            reference: None,
            description: Some("{rows} & \"more\"".to_owned()),
            provider_payment_id: None,
            issued_at: Timestamp::UNIX_EPOCH,
        };
        let html = receipt.to_html();
        for shown in [
            "12.05 BRL",
            "<title>Receipt 4711</title>",
            "promo generation",
            "1970-01-01 00:00:00 UTC",
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;",
            "{rows} &amp; &quot;more&quot;",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(
            !html.contains("<script>") && !html.contains("Refunded"),
            "{html}"
        );
    }
}
