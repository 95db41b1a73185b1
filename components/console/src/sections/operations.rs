//! Events that could not be delivered, and webhooks.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
