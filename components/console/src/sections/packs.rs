//! Packs, their versions and links for friends.

use kit::web::{Dialect, Routes};

pub const fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
}
