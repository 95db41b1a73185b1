//! The schedule of a fine: discounts at first, surcharges later. No I/O in this file; `due_amount()` in `migrations/fines`
//! computes the amount at a moment from the copy of the schedule that the fine took when it was issued.

use kit::web::Schema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::plan::MAX_PARTS;

/// The schedule of a zone's fines. Days are counted from the issue; an open appeal stops the count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Discounts on the amount when it is paid within so many days, the soonest first.
    #[schemars(length(max = 10))]
    pub discounts: Vec<Step>,
    /// Surcharges on the amount when it is not paid after so many days, the soonest first. Only the last one that applies
    /// counts.
    #[schemars(length(max = 10))]
    pub surcharges: Vec<Step>,
    /// The discount in percent when the driver gives up the appeal and pays before the first surcharge; 0: not offered.
    #[schemars(range(min = 0, max = 100))]
    pub waiver_percent: u32,
    /// For how many days a fine can be appealed.
    #[schemars(range(min = 1, max = 3650))]
    pub appeal_days: u32,
    /// In how many parts a driver may pay at most, without discounts; 0: a fine is paid at once.
    #[schemars(range(min = 0, max = 60))]
    pub plan_parts: u32,
    /// Days from one part to the next.
    #[schemars(range(min = 1, max = 366))]
    pub plan_days: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    #[schemars(range(min = 1, max = 3650), example = 15)]
    pub days: u32,
    #[schemars(range(min = 1, max = 300), example = 20)]
    pub percent: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            discounts: Vec::new(),
            surcharges: Vec::new(),
            waiver_percent: 0,
            appeal_days: 30,
            plan_parts: 0,
            plan_days: 30,
        }
    }
}

/// Steps of a list.
const MAX_STEPS: usize = 10;
const MAX_DAYS: u32 = 3650;
/// A part is paid within a year, a plan within some years.
const MAX_PLAN_DAYS: u32 = 366;

impl Schedule {
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |why: &'static str| Err(Error::InvalidRules(why));
        for (steps, most) in [(&self.discounts, 100), (&self.surcharges, 300)] {
            if steps.len() > MAX_STEPS {
                return refuse("there are at most 10 discounts and 10 surcharges");
            }
            let fits =
                |it: &Step| (1..=MAX_DAYS).contains(&it.days) && (1..=most).contains(&it.percent);
            if !steps.iter().all(fits) {
                return refuse(
                    "days are 1 to 3650, discounts 1 to 100 percent, surcharges 1 to 300 percent",
                );
            }
            if steps.is_sorted_by(|a, b| a.days < b.days) {
                continue;
            }
            return refuse("discounts and surcharges stand in the order of their days");
        }
        let ends = self.discounts.last().map(|it| it.days);
        let begins = self.surcharges.first().map(|it| it.days);
        if ends.zip(begins).is_some_and(|(ends, begins)| ends > begins) {
            return refuse("discounts end before surcharges begin");
        }
        if self.waiver_percent > 100 {
            return refuse("waiver_percent is at most 100");
        }
        if !(1..=MAX_DAYS).contains(&self.appeal_days) {
            return refuse("appeal_days are 1 to 3650");
        }
        if self.plan_parts == 1 || self.plan_parts > MAX_PARTS {
            return refuse("plan_parts are 0 or 2 to 60");
        }
        if !(1..=MAX_PLAN_DAYS).contains(&self.plan_days) {
            return refuse("plan_days are 1 to 366");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(days: u32, percent: u32) -> Step {
        Step { days, percent }
    }

    #[test]
    fn discounts_come_before_surcharges_and_both_in_order() {
        let schedule = |discounts: &[Step], surcharges: &[Step]| Schedule {
            discounts: discounts.to_vec(),
            surcharges: surcharges.to_vec(),
            ..Schedule::default()
        };
        let fits = schedule(&[step(5, 30), step(15, 20)], &[step(60, 50), step(90, 100)]);
        assert!(fits.check().is_ok());
        assert!(Schedule::default().check().is_ok());
        for wrong in [
            schedule(&[step(15, 20), step(5, 30)], &[]),
            schedule(&[step(5, 20), step(5, 30)], &[]),
            schedule(&[step(61, 20)], &[step(60, 50)]),
            schedule(&[step(0, 20)], &[]),
            schedule(&[step(5, 101)], &[]),
            schedule(&[], &[step(5, 301)]),
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_plan_has_two_parts_at_least_or_is_not_offered() {
        for (plan_parts, plan_days, fits) in [
            (0, 30, true),
            (2, 1, true),
            (60, 366, true),
            (1, 30, false),
            (61, 30, false),
            (3, 0, false),
            (3, 367, false),
        ] {
            let schedule = Schedule {
                plan_parts,
                plan_days,
                ..Schedule::default()
            };
            assert_eq!(schedule.check().is_ok(), fits, "{schedule:?}");
        }
    }
}
