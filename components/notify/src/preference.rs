//! How a person wants to be told.

use kit::Language;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};

/// The channels by which a person is told about activity. Notices about security ignore them.
#[derive(Debug, PartialEq, Serialize, Deserialize, FromRow, Schema)]
pub struct Preferences {
    pub language: Language,
    #[schemars(example = true)]
    pub telegram: bool,
    /// Only a verified address is written to.
    #[schemars(example = true)]
    pub email: bool,
    #[schemars(example = true)]
    pub webhook: bool,
}

/// Without a choice, every channel is used.
impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: Language::default(),
            telegram: true,
            email: true,
            webhook: true,
        }
    }
}
