//! Plans: fines that are paid in parts. No I/O in this file; `migrations/fines/plan.sql` decides the parts and the end of
//! a plan.

use jiff::Timestamp;
use kit::Word;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::fine::Amount;

/// Parts of a plan.
pub const MAX_PARTS: u32 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum PlanStatus {
    /// It begins when its first part is paid.
    Offered,
    Running,
    /// A part was not paid in time, so the rest of the fine is due at once.
    Over,
    Paid,
}

#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub struct Plan {
    pub status: PlanStatus,
    pub total: Amount,
    /// In the order of payment.
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Schema)]
pub struct Part {
    pub number: u32,
    pub amount: Amount,
    /// Until when it is to be paid.
    pub due_date: Timestamp,
    pub paid: bool,
}

/// The row of a statement that reads only a plan.
#[derive(FromRow)]
pub struct Shown {
    #[row(json)]
    pub plan: Plan,
}

/// The plan that a payer chooses.
#[derive(Debug, Deserialize, Schema)]
pub struct NewPlan {
    #[schemars(range(min = 2, max = 60), example = 3)]
    pub parts: u32,
}

impl NewPlan {
    pub fn checked(&self) -> Result<i32, Error> {
        match self.parts {
            parts @ 2..=MAX_PARTS => Ok(i32::try_from(parts).unwrap_or(i32::MAX)),
            _ => Err(Error::InvalidFine("parts are 2 to 60")),
        }
    }
}

/// The portion of a fine that a payment is for.
#[derive(Clone, Copy, Debug)]
pub enum Portion {
    /// The whole rest.
    Rest { waives: bool },
    /// The first of so many parts: the plan begins.
    First { of: i32 },
    /// A part of the running plan, by its number.
    Part(i32),
}

impl Portion {
    pub fn waives(self) -> bool {
        matches!(self, Self::Rest { waives: true })
    }

    /// The number of the part.
    pub fn part(self) -> Option<i32> {
        match self {
            Self::Rest { .. } => None,
            Self::First { .. } => Some(1),
            Self::Part(number) => Some(number),
        }
    }

    /// The parts of the plan that begins.
    pub fn parts(self) -> Option<i32> {
        match self {
            Self::First { of } => Some(of),
            Self::Rest { .. } | Self::Part(_) => None,
        }
    }
}
