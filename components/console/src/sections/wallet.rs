//! Your money: fill it, send it, take it out, and see where it went.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
