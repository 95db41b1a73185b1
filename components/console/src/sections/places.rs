//! The parking places that you offer, their rules, and who booked them.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
