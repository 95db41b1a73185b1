//! Approvals, payouts, promo codes, and money that is stuck.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
