//! Your profile, password and sessions.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
