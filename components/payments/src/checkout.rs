//! A payment through the PSP: its states and what a payment at the PSP means
//! for it. No I/O in this file: the clock is an argument.

use jiff::Timestamp;
use kit::{Cents, Currency};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::psp::{self, State};

/// Something that somebody is asked to pay.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub id: Uuid,
    /// Which function asked.
    pub opener: String,
    /// What it is for, as the opener knows it.
    pub reference: String,
    /// Who is to pay, as the opener knows them.
    pub customer: String,
    /// Who may look at it.
    pub owner: Uuid,
    pub amount: Cents,
    pub currency: String,
    pub description: String,
    pub email: Option<String>,
    pub method: Method,
    pub status: Status,
    pub psp_id: Option<String>,
    pub link: Option<String>,
    pub scan: Option<String>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Payments at the PSP that it still has to send back.
    pub to_return: Vec<String>,
}

/// What the payer is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    #[default]
    Link,
    Qr,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Qr => "qr",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Link, Self::Qr]
            .into_iter()
            .find(|it| it.name() == name)
    }

    /// An order at the PSP names no currency: it is that of the till's country.
    pub fn carries(self, currency: Currency) -> bool {
        match self {
            Self::Link => true,
            Self::Qr => currency == Currency::Brl,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The PSP does not know of it yet.
    PaymentServiceUnavailable,
    Pending,
    InProcess,
    /// The last attempt failed; the payer may try again.
    Rejected,
    Approved,
    Expired,
    /// Called off, or never taken by the PSP.
    Cancelled,
    Refunded,
}

impl Status {
    const ALL: [Self; 8] = [
        Self::PaymentServiceUnavailable,
        Self::Pending,
        Self::InProcess,
        Self::Rejected,
        Self::Approved,
        Self::Expired,
        Self::Cancelled,
        Self::Refunded,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::PaymentServiceUnavailable => "payment_service_unavailable",
            Self::Pending => "pending",
            Self::InProcess => "in_process",
            Self::Rejected => "rejected",
            Self::Approved => "approved",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether money may still come.
    pub fn is_open(self) -> bool {
        match self {
            Self::PaymentServiceUnavailable | Self::Pending | Self::InProcess | Self::Rejected => {
                true
            }
            Self::Approved | Self::Expired | Self::Cancelled | Self::Refunded => false,
        }
    }

    /// Whether a person, a clock or an opener may change it so. What the PSP may
    /// change is decided by [`judge`].
    pub fn may_become(self, next: Self) -> bool {
        match next {
            Self::InProcess | Self::Rejected | Self::Approved | Self::Expired | Self::Cancelled => {
                self.is_open() && self != next
            }
            Self::Refunded => self == Self::Approved,
            Self::PaymentServiceUnavailable | Self::Pending => false,
        }
    }
}

/// What became of a payment at the PSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is no money in it.
    Noted,
    /// It is booked.
    Accepted,
    /// It is not what was asked for. It stays where it is until a person decides.
    Disputed,
    /// It came too late or twice: the PSP has to send it back.
    Returning,
    Returned,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Noted => "noted",
            Self::Accepted => "accepted",
            Self::Disputed => "disputed",
            Self::Returning => "returning",
            Self::Returned => "returned",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Noted,
            Self::Accepted,
            Self::Disputed,
            Self::Returning,
            Self::Returned,
        ]
        .into_iter()
        .find(|it| it.name() == name)
    }
}

/// What is known of a payment at the PSP from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub verdict: Verdict,
    pub state: State,
    /// What of it is booked as given back.
    pub refunded: i64,
}

/// A payment at the PSP, for an admin who has to decide about it.
#[derive(Debug, Serialize)]
pub struct Attempt {
    pub id: String,
    pub verdict: String,
    pub state: String,
    #[serde(with = "kit::decimal")]
    pub amount: i64,
    pub currency: String,
    #[serde(with = "kit::decimal")]
    pub refunded: i64,
    pub seen_at: Timestamp,
}

/// Money at the PSP that is not what was asked for: an admin settles it with the payer, or sends it back.
#[derive(Debug, Serialize)]
pub struct Dispute {
    pub id: String,
    pub payment_id: Uuid,
    pub order_id: String,
    pub status: String,
    pub state: String,
    #[serde(with = "kit::decimal")]
    pub amount: i64,
    pub currency: String,
    #[serde(with = "kit::decimal")]
    pub wanted_amount: i64,
    pub wanted_currency: String,
    pub seen_at: Timestamp,
}

/// What a payment at the PSP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub status: Status,
    pub verdict: Verdict,
}

/// Decides what a payment at the PSP means for its checkout; `None` when it says
/// nothing new. The order in which things are learned does not matter: whatever
/// the PSP holds in the end, the same money is booked and the same is sent back.
pub fn judge(
    checkout: &Checkout,
    known: Option<Known>,
    payment: &psp::Payment,
    now: Timestamp,
) -> Option<Judgement> {
    let status = checkout.status;
    let verdict = known.map(|it| it.verdict);
    let stays = |verdict| Some(Judgement { status, verdict });
    match payment.state {
        State::Approved => match verdict {
            // A part of it has gone back meanwhile.
            Some(Verdict::Accepted) if known.is_some_and(|it| payment.refunded > it.refunded) => {
                stays(Verdict::Accepted)
            }
            Some(Verdict::Accepted | Verdict::Returning | Verdict::Returned) => None,
            Some(Verdict::Disputed | Verdict::Noted) | None => {
                let in_time = payment.approved_at.unwrap_or(now) <= checkout.expires_at;
                if !is_what_was_asked_for(checkout, payment) {
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
            // Where there was money, only its return is news.
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

fn is_what_was_asked_for(checkout: &Checkout, payment: &psp::Payment) -> bool {
    payment.checkout == Some(checkout.id)
        && payment.amount == checkout.amount.get()
        && payment.currency == checkout.currency
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

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
            owner: Uuid::from_u128(2),
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

    fn payment(id: &str, state: State) -> psp::Payment {
        psp::Payment {
            id: id.to_owned(),
            checkout: Some(Uuid::from_u128(1)),
            state,
            amount: 2500,
            currency: "BRL".to_owned(),
            refunded: 0,
            approved_at: Some(at(END - 60)),
        }
    }

    fn verdict(status: Status, payment: &psp::Payment) -> Option<Verdict> {
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
        let late = psp::Payment {
            approved_at: Some(at(END + 1)),
            ..paid
        };
        assert_eq!(verdict(Status::Pending, &late), Some(Verdict::Returning));
    }

    #[test]
    fn money_that_was_not_asked_for_is_not_booked() {
        let paid = payment("1", State::Approved);
        for wrong in [
            psp::Payment {
                amount: 2499,
                ..paid.clone()
            },
            psp::Payment {
                currency: "USD".to_owned(),
                ..paid.clone()
            },
            psp::Payment {
                checkout: Some(Uuid::from_u128(9)),
                ..paid.clone()
            },
            psp::Payment {
                checkout: None,
                ..paid.clone()
            },
        ] {
            assert_eq!(verdict(Status::Pending, &wrong), Some(Verdict::Disputed));
        }
    }

    #[test]
    fn a_part_that_went_back_is_news_once() {
        let approved = checkout(Status::Approved);
        let known = |refunded| Known {
            verdict: Verdict::Accepted,
            state: State::Approved,
            refunded,
        };
        let paid = psp::Payment {
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
    fn only_an_approved_checkout_is_refunded() {
        for status in Status::ALL {
            assert_eq!(
                status.may_become(Status::Refunded),
                status == Status::Approved
            );
            assert!(!status.may_become(status));
        }
    }

    /// A checkout with what the schema keeps of it.
    struct Kept {
        checkout: Checkout,
        payments: BTreeMap<String, Known>,
        credits: i64,
    }

    impl Kept {
        fn learn(&mut self, payment: &psp::Payment) {
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
            };
            self.payments.insert(payment.id.clone(), known);
        }

        /// What the sweep does: the PSP sends back what it was told to.
        fn send_back(&mut self) {
            for known in self.payments.values_mut() {
                if known.verdict == Verdict::Returning {
                    *known = Known {
                        verdict: Verdict::Returned,
                        state: State::Refunded,
                        refunded: 0,
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
        /// Webhooks are lost, repeated and reordered; each is answered with what the PSP
        /// holds at that moment. A last look at everything ends where a clean run does.
        #[test]
        fn every_order_of_news_ends_in_the_same_money(
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
