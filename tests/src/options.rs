//! The options with which a stack is started.

use std::path::PathBuf;
use std::sync::Arc;

use wharf_launch::{extend_manifest, repository};

use crate::stack::Stack;
use crate::stores::Beside;

/// The defaults are those of `wharf up`.
#[derive(Clone)]
pub struct Options {
    pub(crate) manifest: PathBuf,
    /// Added at the end of the manifest.
    pub(crate) addition: String,
    pub(crate) arguments: Vec<String>,
    /// Whether the host's own clock ticks.
    pub(crate) has_clock: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            manifest: repository().join("spin.toml"),
            addition: String::new(),
            arguments: Vec::new(),
            has_clock: true,
        }
    }
}

impl Options {
    pub fn variable(self, name: &str, value: &str) -> Self {
        self.argument("--variable")
            .argument(&format!("{name}={value}"))
    }

    /// Adds to the manifest, as another function or setting.
    pub fn manifest(mut self, addition: &str) -> Self {
        self.addition.push_str(addition);
        self
    }

    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// The host never ticks: a test that counts ticks sends its own.
    pub fn without_clock(mut self) -> Self {
        self.has_clock = false;
        self
    }

    /// A host beside stores that stay when it is killed.
    pub fn start(self) -> Stack {
        Stack::beside_stores(self, Arc::new(Beside::start(false)))
    }

    /// The same with PostgreSQL and Redis at the far end of a [`Cable`](crate::Cable) each.
    pub fn start_cabled(self) -> Stack {
        Stack::beside_stores(self, Arc::new(Beside::start(true)))
    }

    /// A host that starts its stores itself, from nothing, as on a laptop. They end with it.
    pub fn start_embedded(self) -> Stack {
        Stack::embedding_stores(self)
    }

    /// The manifest as this host is given it.
    pub(crate) fn edit_manifest(&self, text: &str) -> wharf_launch::Result<String> {
        let clock = if self.has_clock { "1s" } else { "1h" };
        let text = text.replace("every = \"1s\"", &format!("every = \"{clock}\""));
        extend_manifest(&text, &self.addition)
    }
}
