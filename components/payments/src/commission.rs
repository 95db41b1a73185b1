//! The part of payments between users that the house takes. No I/O in this file: the schema takes it with the payment
//! and gives it back with a refund.

use jiff::Timestamp;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Hundredths of a percent, half of a payment at most: its payee keeps the larger part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(try_from = "i32")]
#[schemars(extend("minimum" = 0, "maximum" = 5000), example = 250)]
pub struct BasisPoints(i32);

#[derive(Debug, thiserror::Error)]
#[error("a commission is 0 to 5000 basis points")]
pub struct NotACommission;

impl TryFrom<i32> for BasisPoints {
    type Error = NotACommission;

    fn try_from(points: i32) -> Result<Self, NotACommission> {
        let fits = (0..=5000).contains(&points);
        fits.then_some(Self(points)).ok_or(NotACommission)
    }
}

impl BasisPoints {
    pub fn get(self) -> i32 {
        self.0
    }
}

/// The commission of an owner as it was set last.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Commission {
    /// Absent for the default, which applies to owners who have no commission of their own.
    #[row(column = "owner")]
    pub user_id: Option<Uuid>,
    /// Absent when the default applies.
    pub basis_points: Option<i32>,
    /// The admin.
    pub set_by: Uuid,
    pub reason: String,
    pub set_at: Timestamp,
}

/// The commission on payments to one owner.
#[derive(Debug, Serialize, Schema)]
pub struct OwnCommission {
    pub basis_points: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commission_leaves_the_payee_at_least_a_half() {
        for (points, fits) in [(-1, false), (0, true), (5000, true), (5001, false)] {
            assert_eq!(BasisPoints::try_from(points).is_ok(), fits, "{points}");
        }
    }
}
