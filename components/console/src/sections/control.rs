//! Zones and their staff; check a plate, issue a fine, decide appeals.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
