//! Attempts to pay a checkout: a payment at the PSP, and the verdict on it here. No I/O in this file: the clock is
//! an argument.

use std::fmt;

use jiff::Timestamp;
use kit::Word;
use kit::money::decimal;
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

use crate::checkout::{Checkout, OPENER, Status};
use crate::psp::{Payment, State};

/// The verdict on a payment at the PSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Verdict {
    /// There is no money in it.
    Noted,
    /// It is booked.
    Accepted,
    /// Its amount, currency or checkout is wrong. The money stays at the PSP until an admin decides.
    Disputed,
    /// It came too late or twice: the PSP has to send it back.
    Returning,
    Returned,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A payment at the PSP as an earlier look recorded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub verdict: Verdict,
    pub state: State,
    /// The part of it that is booked as given back.
    pub refunded: i64,
    /// The provider took it back unasked (a chargeback).
    pub is_taken_back: bool,
}

/// A checkout and the recorded state of one payment for it at the PSP.
pub struct Standing {
    pub checkout: Checkout,
    pub known: Option<Known>,
}

/// The row of a standing.
#[derive(FromRow)]
pub struct StandingRow {
    #[row(flatten)]
    checkout: Checkout,
    verdict: Option<Verdict>,
    state: Option<State>,
    refunded: Option<i64>,
    is_taken_back: Option<bool>,
}

impl From<StandingRow> for Standing {
    fn from(row: StandingRow) -> Self {
        let known = match (row.verdict, row.state, row.refunded) {
            (Some(verdict), Some(state), Some(refunded)) => Some(Known {
                verdict,
                state,
                refunded,
                is_taken_back: row.is_taken_back.unwrap_or(false),
            }),
            _ => None,
        };
        Self {
            checkout: row.checkout,
            known,
        }
    }
}

/// A payment at the PSP, for an admin who has to decide about it.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Attempt {
    /// The id at the provider.
    pub id: String,
    pub verdict: Verdict,
    /// The state that the provider reported last.
    pub state: State,
    /// Why, in the provider's words: `cc_rejected_insufficient_amount`.
    pub detail: Option<String>,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub currency: String,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub refunded: i64,
    pub seen_at: Timestamp,
}

/// Money at the PSP that differs from the request: an admin settles it with the payer, or sends it back.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Dispute {
    /// The id at the provider.
    pub id: String,
    #[row(column = "checkout")]
    pub payment_id: Uuid,
    #[row(column = "reference")]
    pub order_id: String,
    pub status: Status,
    pub state: State,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub currency: String,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub wanted_amount: i64,
    pub wanted_currency: String,
    pub seen_at: Timestamp,
}

/// The meaning of a payment at the PSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub status: Status,
    pub verdict: Verdict,
}

/// Decides what a payment at the PSP means for its checkout; `None` when nothing changed. Reports may arrive in any
/// order: the same final state at the PSP books the same money and sends the same back.
pub fn judge(
    checkout: &Checkout,
    known: Option<Known>,
    payment: &Payment,
    now: Timestamp,
) -> Option<Judgement> {
    let status = checkout.status;
    let verdict = known.map(|it| it.verdict);
    let stays = |verdict| Some(Judgement { status, verdict });
    match payment.state {
        State::Approved => match verdict {
            // A part of it has gone back since.
            Some(Verdict::Accepted) if known.is_some_and(|it| payment.refunded > it.refunded) => {
                stays(Verdict::Accepted)
            }
            // A dispute was won. Openers that were told of the refund have acted on it, so the checkout stays refunded.
            Some(Verdict::Returned) if is_restored(known, payment) => Some(Judgement {
                status: match checkout.opener == OPENER {
                    true => Status::Approved,
                    false => status,
                },
                verdict: Verdict::Accepted,
            }),
            Some(Verdict::Returned) if is_owed_again(known, payment) => stays(Verdict::Returning),
            Some(Verdict::Accepted | Verdict::Returning | Verdict::Returned) => None,
            Some(Verdict::Disputed | Verdict::Noted) | None => {
                let in_time = payment.approved_at.unwrap_or(now) <= checkout.expires_at;
                if !fits_checkout(checkout, payment) {
                    (verdict != Some(Verdict::Disputed)).then_some(Judgement {
                        status,
                        verdict: Verdict::Disputed,
                    })
                } else if status.is_open() && in_time {
                    Some(Judgement {
                        status: Status::Approved,
                        verdict: Verdict::Accepted,
                    })
                } else {
                    stays(Verdict::Returning)
                }
            }
        },
        State::Refunded => match verdict {
            Some(Verdict::Returned) => None,
            Some(Verdict::Accepted) => Some(Judgement {
                status: Status::Refunded,
                verdict: Verdict::Returned,
            }),
            Some(Verdict::Returning | Verdict::Disputed | Verdict::Noted) | None => {
                stays(Verdict::Returned)
            }
        },
        State::Pending | State::InProcess | State::Rejected => match verdict {
            // After money was seen, only its return changes anything.
            Some(
                Verdict::Accepted | Verdict::Returning | Verdict::Returned | Verdict::Disputed,
            ) => None,
            Some(Verdict::Noted) | None => {
                if known.is_some_and(|it| it.state == payment.state) {
                    return None;
                }
                let status = match payment.state {
                    State::InProcess if status.is_open() => Status::InProcess,
                    State::Rejected if status.is_open() => Status::Rejected,
                    _ => status,
                };
                Some(Judgement {
                    status,
                    verdict: Verdict::Noted,
                })
            }
        },
    }
}

/// Whether the provider gave back money that it had taken. Its explicit word is required: a late answer from before
/// it took the money would look the same.
fn is_restored(known: Option<Known>, payment: &Payment) -> bool {
    payment.is_reimbursed
        && known.is_some_and(|it| it.is_taken_back && (0..it.refunded).contains(&payment.refunded))
}

/// Whether the provider took money that was to be sent back to the payer, and gave it back to us: then it is owed
/// again. For a payment that an admin settled outside, the provider never said that its money had gone.
fn is_owed_again(known: Option<Known>, payment: &Payment) -> bool {
    payment.is_reimbursed
        && payment.left() > 0
        && known.is_some_and(|it| !it.is_taken_back && it.state == State::Refunded)
}

fn fits_checkout(checkout: &Checkout, payment: &Payment) -> bool {
    payment.checkout == Some(checkout.id)
        && payment.amount == checkout.amount.get()
        && payment.currency == checkout.currency
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kit::money::Cents;
    use proptest::prelude::*;

    use super::*;
    use crate::checkout::Method;

    const END: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn checkout(status: Status) -> Checkout {
        Checkout {
            id: Uuid::from_u128(1),
            opener: "orders".to_owned(),
            reference: "7".to_owned(),
            customer: "8".to_owned(),
            amount: Cents::new(2500).unwrap(),
            currency: "BRL".to_owned(),
            description: "lunch".to_owned(),
            email: None,
            method: Method::Link,
            status,
            psp_id: Some("pref".to_owned()),
            link: None,
            scan: None,
            expires_at: at(END),
            created_at: at(END - 1800),
            updated_at: at(END - 1800),
            to_return: Vec::new(),
        }
    }

    fn payment(id: &str, state: State) -> Payment {
        Payment {
            id: id.to_owned(),
            checkout: Some(Uuid::from_u128(1)),
            state,
            is_reimbursed: false,
            detail: None,
            amount: 2500,
            currency: "BRL".to_owned(),
            refunded: 0,
            under_way: 0,
            approved_at: Some(at(END - 60)),
        }
    }

    fn verdict(status: Status, payment: &Payment) -> Option<Verdict> {
        judge(&checkout(status), None, payment, at(END)).map(|it| it.verdict)
    }

    #[test]
    fn money_is_taken_only_while_the_checkout_is_open() {
        let paid = payment("1", State::Approved);
        assert_eq!(verdict(Status::Pending, &paid), Some(Verdict::Accepted));
        assert_eq!(verdict(Status::Rejected, &paid), Some(Verdict::Accepted));
        for status in [
            Status::Approved,
            Status::Expired,
            Status::Cancelled,
            Status::Refunded,
        ] {
            assert_eq!(
                verdict(status, &paid),
                Some(Verdict::Returning),
                "{status:?}"
            );
        }
        let late = Payment {
            approved_at: Some(at(END + 1)),
            ..paid
        };
        assert_eq!(verdict(Status::Pending, &late), Some(Verdict::Returning));
    }

    #[test]
    fn another_amount_currency_or_checkout_is_not_booked() {
        let paid = payment("1", State::Approved);
        for wrong in [
            Payment {
                amount: 2499,
                ..paid.clone()
            },
            Payment {
                currency: "USD".to_owned(),
                ..paid.clone()
            },
            Payment {
                checkout: Some(Uuid::from_u128(9)),
                ..paid.clone()
            },
            Payment {
                checkout: None,
                ..paid.clone()
            },
        ] {
            assert_eq!(verdict(Status::Pending, &wrong), Some(Verdict::Disputed));
        }
    }

    #[test]
    fn a_partial_refund_is_news_once() {
        let approved = checkout(Status::Approved);
        let known = |refunded| Known {
            verdict: Verdict::Accepted,
            state: State::Approved,
            refunded,
            is_taken_back: false,
        };
        let paid = Payment {
            refunded: 1000,
            ..payment("1", State::Approved)
        };
        let stays = Judgement {
            status: Status::Approved,
            verdict: Verdict::Accepted,
        };
        let judged = |refunded| judge(&approved, Some(known(refunded)), &paid, at(END));
        assert_eq!((judged(0), judged(500)), (Some(stays), Some(stays)));
        assert_eq!((judged(1000), judged(2000)), (None, None));
    }

    #[test]
    fn a_won_dispute_restores_only_money_that_the_provider_took() {
        let judged_in = |state, opener: &str, is_taken_back, is_reimbursed, refunded| {
            let checkout = Checkout {
                opener: opener.to_owned(),
                ..checkout(Status::Refunded)
            };
            let known = Known {
                verdict: Verdict::Returned,
                state,
                refunded: 2500,
                is_taken_back,
            };
            let paid = Payment {
                is_reimbursed,
                refunded,
                ..payment("1", State::Approved)
            };
            judge(&checkout, Some(known), &paid, at(END)).map(|it| (it.status, it.verdict))
        };
        let judged = |opener: &str, is_taken_back, is_reimbursed, refunded| {
            judged_in(
                State::Refunded,
                opener,
                is_taken_back,
                is_reimbursed,
                refunded,
            )
        };
        let accepted = Verdict::Accepted;
        assert_eq!(
            judged(OPENER, true, true, 0),
            Some((Status::Approved, accepted))
        );
        assert_eq!(
            judged("orders", true, true, 0),
            Some((Status::Refunded, accepted))
        );
        assert_eq!(judged(OPENER, true, true, 2500), None);
        // It was to be sent back when the provider took it, so it is to be sent back again, unless it has gone.
        assert_eq!(
            judged(OPENER, false, true, 0),
            Some((Status::Refunded, Verdict::Returning))
        );
        assert_eq!(judged(OPENER, false, true, 2500), None);
        assert_eq!(judged(OPENER, false, false, 0), None);
        // An admin has paid it another way.
        assert_eq!(judged_in(State::Approved, OPENER, false, true, 0), None);
        // More than was taken does not come back.
        assert_eq!(judged(OPENER, true, true, -1), None);
        // A late answer from before the provider took the money.
        assert_eq!(judged(OPENER, true, false, 0), None);
    }

    /// A checkout and its rows in the schema.
    struct Kept {
        checkout: Checkout,
        payments: BTreeMap<String, Known>,
        credits: i64,
    }

    impl Kept {
        fn learn(&mut self, payment: &Payment) {
            let known = self.payments.get(&payment.id).copied();
            let Some(judgement) = judge(&self.checkout, known, payment, at(END)) else {
                return;
            };
            let was = known.map(|it| it.verdict) == Some(Verdict::Accepted);
            let is = judgement.verdict == Verdict::Accepted;
            self.credits += i64::from(is) - i64::from(was);
            self.checkout.status = judgement.status;
            let known = Known {
                verdict: judgement.verdict,
                state: payment.state,
                refunded: 0,
                is_taken_back: was && judgement.verdict == Verdict::Returned,
            };
            self.payments.insert(payment.id.clone(), known);
        }

        /// Stands for the sweep: the PSP sends back the payments that have to go back.
        fn send_back(&mut self) {
            for known in self.payments.values_mut() {
                if known.verdict == Verdict::Returning {
                    *known = Known {
                        verdict: Verdict::Returned,
                        state: State::Refunded,
                        refunded: 0,
                        is_taken_back: false,
                    };
                }
            }
        }
    }

    fn state() -> impl Strategy<Value = State> {
        prop_oneof![
            Just(State::Pending),
            Just(State::InProcess),
            Just(State::Approved),
            Just(State::Rejected),
        ]
    }

    proptest! {
        /// Webhooks are lost, repeated and reordered; each one makes the PSP be asked for its present state. After a
        /// last look at every payment the result is that of an ordered run.
        #[test]
        fn any_order_of_news_ends_in_the_same_money(
            ends in prop::collection::vec(state(), 1..4),
            news in prop::collection::vec((0..4_usize, any::<bool>()), 0..24),
        ) {
            let mut kept = Kept {
                checkout: checkout(Status::Pending),
                payments: BTreeMap::new(),
                credits: 0,
            };
            let names: Vec<String> = (0..ends.len()).map(|it| it.to_string()).collect();
            for (which, is_early) in news {
                let Some(end) = ends.get(which) else { continue };
                let seen = if is_early { State::Pending } else { *end };
                kept.learn(&payment(&names[which], seen));
                prop_assert!((0..=1).contains(&kept.credits));
            }
            for (name, end) in names.iter().zip(&ends) {
                kept.learn(&payment(name, *end));
            }
            kept.send_back();
            let approved = ends.iter().filter(|it| **it == State::Approved).count();
            prop_assert_eq!(kept.credits, i64::from(approved > 0));
            let with = |verdict| kept.payments.values().filter(|it| it.verdict == verdict).count();
            prop_assert_eq!(with(Verdict::Accepted), usize::from(approved > 0));
            prop_assert_eq!(with(Verdict::Returned), approved.saturating_sub(1));
        }
    }
}
