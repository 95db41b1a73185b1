//! What a clock asks of everybody. Each sweep is safe at any time and in any
//! number of copies at once; that only one copy runs it per period saves work.
//!
//! Functions that hear the tick themselves (bookings) are not in this list.

use jiff::SignedDuration;
use kit::Db;

use crate::error::Error;
use crate::others::{payments, signin};
use crate::store;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Holds that ended, checkouts that expired, webhooks of the PSP that never came.
    Payments,
    /// Sessions, letters and codes past their end.
    Signin,
    /// Events that were settled long ago.
    Outbox,
    /// Messages that nobody will hear again.
    Heard,
}

/// What one round takes: others are asked for little at a time, and rows of our own go by the thousand.
const AT_ONCE: u32 = 100;
const ROWS_AT_ONCE: u32 = 5_000;

/// No further round is begun after it: all sweeps together stay well within the time of a message.
const TURN: SignedDuration = SignedDuration::from_secs(5);

impl Sweep {
    pub const ALL: [Self; 4] = [Self::Payments, Self::Signin, Self::Outbox, Self::Heard];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Signin => "signin",
            Self::Outbox => "outbox",
            Self::Heard => "heard",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Somebody may wait for the first; the others only clean up.
    pub const fn period_s(self) -> i64 {
        match self {
            Self::Payments => 2,
            Self::Signin => 10,
            Self::Outbox | Self::Heard => 60,
        }
    }

    /// One round; says whether there may be more to do right now.
    async fn round(self, db: &Db) -> Result<bool, Error> {
        match self {
            Self::Payments => payments::sweep(AT_ONCE)
                .await
                .map(|it| it.more)
                .map_err(|_| Error::Unavailable("payments")),
            Self::Signin => signin::sweep(AT_ONCE)
                .await
                .map(|it| it.more)
                .map_err(|_| Error::Unavailable("signin")),
            Self::Outbox => store::forget_settled(db, ROWS_AT_ONCE).await,
            Self::Heard => store::forget_heard(db, ROWS_AT_ONCE).await,
        }
    }
}

/// Runs the sweeps whose time has come. One that fails is tried again a period later and does
/// not keep the others from running.
pub async fn run_due(db: &Db) -> Result<(), Error> {
    for sweep in store::take_due(db, &Sweep::ALL).await? {
        if let Err(error) = run(sweep, db).await {
            eprintln!("sweep {}: {error}", sweep.name());
        }
    }
    Ok(())
}

async fn run(sweep: Sweep, db: &Db) -> Result<(), Error> {
    let begun = kit::now();
    while sweep.round(db).await? && kit::now().duration_since(begun) < TURN {}
    Ok(())
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
