//! Your cars, parking tickets and fines: buy, extend, pay, appeal.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
