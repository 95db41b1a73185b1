//! Statistics of tickets and fines. No I/O in this file.

use std::fmt::Write;

use kit::Word;
use kit::money::decimal;
use kit::web::Schema;
use serde::{Deserialize, Serialize};

use crate::fine::Amount;

#[derive(Debug, Deserialize, Serialize, Schema)]
pub struct Statistics {
    pub cars: i64,
    pub zones: i64,
    pub tickets: i64,
    pub paid_tickets: i64,
    /// Each ticket counts every plate that it covers.
    pub covered_plates: i64,
    pub buyers: i64,
    /// By currency.
    pub money: Vec<Takings>,
    /// Tickets by their length.
    pub durations: Vec<Bucket>,
    pub fines: i64,
    pub paid_fines: i64,
    pub cancelled_fines: i64,
    /// Paid fines in percent of the fines that are not cancelled.
    pub paid_percent: i64,
    pub open_appeals: i64,
    #[serde(default)]
    pub users: Users,
}

/// The accounts that exist now. Unlike the other figures they do not depend on `since`.
#[derive(Debug, Default, Deserialize, Serialize, Schema)]
pub struct Users {
    pub total: i64,
    /// A user with several roles counts in each of them.
    pub by_role: Vec<Holders>,
}

#[derive(Debug, Deserialize, Serialize, Schema)]
pub struct Holders {
    pub role: UserRole,
    pub users: i64,
}

/// A role in the words of the zones' clients: a zone admin is `admin`, a platform admin is `superuser`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum UserRole {
    Driver,
    Controller,
    Admin,
    Superuser,
    Owner,
    Customer,
    Moderator,
    Anonymous,
}

#[derive(Debug, Deserialize, Serialize, Schema)]
pub struct Takings {
    pub currency: String,
    /// The amount that was paid for tickets.
    pub tickets: Amount,
    pub average_ticket: Amount,
    /// The amount of all fines that were issued.
    pub fines_issued: Amount,
    pub fines_paid: Amount,
}

#[derive(Debug, Deserialize, Serialize, Schema)]
pub struct Bucket {
    /// `0-30`, `30-60`, `60-120`, `120-240`, `240-480`, `480-`.
    pub minutes: String,
    pub tickets: i64,
}

/// `name,key,value`, a line each.
pub fn csv(it: &Statistics) -> String {
    let mut text = String::from("name,key,value\r\n");
    for (name, value) in [
        ("cars", it.cars),
        ("zones", it.zones),
        ("tickets", it.tickets),
        ("paid_tickets", it.paid_tickets),
        ("covered_plates", it.covered_plates),
        ("buyers", it.buyers),
        ("fines", it.fines),
        ("paid_fines", it.paid_fines),
        ("cancelled_fines", it.cancelled_fines),
        ("paid_percent", it.paid_percent),
        ("open_appeals", it.open_appeals),
        ("users", it.users.total),
    ] {
        let _ = write!(text, "{name},,{value}\r\n");
    }
    for holders in &it.users.by_role {
        let _ = write!(text, "users,{},{}\r\n", holders.role.name(), holders.users);
    }
    for takings in &it.money {
        for (name, amount) in [
            ("ticket_revenue", takings.tickets),
            ("average_ticket", takings.average_ticket),
            ("fines_issued", takings.fines_issued),
            ("fines_paid", takings.fines_paid),
        ] {
            let amount = decimal::text(amount.0);
            let _ = write!(text, "{name},{},{amount}\r\n", takings.currency);
        }
    }
    for bucket in &it.durations {
        let _ = write!(text, "duration,{},{}\r\n", bucket.minutes, bucket.tickets);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_for_every_number() {
        let statistics = Statistics {
            cars: 1,
            zones: 2,
            tickets: 3,
            paid_tickets: 3,
            covered_plates: 4,
            buyers: 1,
            money: vec![Takings {
                currency: "EUR".to_owned(),
                tickets: Amount(1234),
                average_ticket: Amount(411),
                fines_issued: Amount(2000),
                fines_paid: Amount(0),
            }],
            durations: vec![Bucket {
                minutes: "0-30".to_owned(),
                tickets: 3,
            }],
            fines: 1,
            paid_fines: 0,
            cancelled_fines: 0,
            paid_percent: 0,
            open_appeals: 0,
            users: Users {
                total: 2,
                by_role: vec![Holders {
                    role: UserRole::Driver,
                    users: 2,
                }],
            },
        };
        let table = csv(&statistics);
        assert!(table.contains("users,driver,2\r\n"));
        assert!(table.contains("ticket_revenue,EUR,12.34\r\n"));
        assert!(table.lines().all(|it| it.matches(',').count() == 2));
    }
}
