//! The sweeps that the tick runs, and how often. Each is safe at any time and in any number of copies at
//! once; that only one copy runs it per period saves work.
//!
//! Functions that hear the tick themselves (bookings) are not in this list.

use kit::Word;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Sweep {
    /// Holds that ended, checkouts that expired, lost webhooks of the payment provider.
    Payments,
    /// Sessions, letters and codes past their end.
    Signin,
    /// Events that were settled long ago.
    Outbox,
    /// Messages that no copy will hear again.
    Heard,
}

impl Sweep {
    /// A person may wait for what payments does; the others only clean up.
    pub const fn period_s(self) -> i64 {
        match self {
            Self::Payments => 2,
            Self::Signin => 10,
            Self::Outbox | Self::Heard => 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sweep_is_found_by_its_name() {
        for sweep in Sweep::ALL {
            assert_eq!(Sweep::parse(sweep.name()), Some(sweep));
        }
    }
}
