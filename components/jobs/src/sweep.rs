//! The sweeps that the tick runs, and how often. Each is safe at any time and in any number of copies at
//! once; that only one copy runs it per period saves work.

use kit::Word;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Sweep {
    /// Deliveries of paused kinds, so that claims need not look at them.
    Pauses,
    /// Partitions of days to come and of days long ago, old dead letters.
    Days,
    /// Messages that no copy will hear again.
    Heard,
}

impl Sweep {
    pub const fn period_s(self) -> i64 {
        match self {
            Self::Pauses => 2,
            Self::Days | Self::Heard => 60,
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
