//! For staff of a shop: orders to prepare and hand over, the menu.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
