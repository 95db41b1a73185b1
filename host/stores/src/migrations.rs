//! Reading the migrations folder: `<schema>/NNNN_name.sql`. Applying them is `migrate`.

use std::path::Path;

use crate::Result;

/// The migrations of an application, checked, in the order in which they are applied.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    schemas: Vec<String>,
}

impl Migrations {
    pub fn read(_folder: &Path) -> Result<Self> {
        Ok(Self::default())
    }

    /// The schemas, in alphabetical order; each has its login role `wharf_<schema>`.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.schemas.iter().map(String::as_str)
    }
}
