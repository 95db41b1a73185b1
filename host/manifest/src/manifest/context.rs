//! What the parts of a manifest need of each other while they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::document::{Table, Text};
use crate::faults;
use crate::template::Template;

use super::variable::Variable;

pub(super) struct Context<'a> {
    /// The folder of the manifest.
    pub dir: &'a Path,
    pub profile: Option<&'a str>,
    pub variables: &'a BTreeMap<String, Variable>,
    pub component_ids: &'a BTreeSet<String>,
}

impl Context<'_> {
    /// A path of the manifest, from the working directory.
    pub fn path(&self, text: &str) -> PathBuf {
        self.dir.join(text)
    }

    /// The id of an existing component.
    pub fn component(&self, id: &Text) -> Option<String> {
        if self.component_ids.contains(&**id) {
            return Some(id.to_string());
        }
        id.fault_unknown(
            "there is no component",
            self.component_ids.iter().map(String::as_str),
        );
        None
    }

    /// A text that may mention the application's variables.
    pub fn template(&self, text: &Text) -> Option<Template> {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(bad) => {
                text.fault_within(bad.position, 2, bad.reason, None);
                return None;
            }
        };
        let mut is_known = true;
        for (name, position) in template.mentions() {
            if !self.variables.contains_key(name) {
                is_known = false;
                let hint = faults::suggest(name, self.variables.keys().map(String::as_str));
                let message = format!("there is no variable `{name}` in [variables]");
                text.fault_within(position, name.len(), message, hint);
            }
        }
        is_known.then_some(template)
    }
}

/// The table of this host's settings under `tool`, which Spin ignores.
pub(super) fn tool_wharf<'a>(table: &Table<'a>) -> Option<Table<'a>> {
    let tools = table.table("tool", "`tool`")?;
    for (tool, value) in tools.entries() {
        value.table(&*tool);
        if faults::closest(&tool, ["wharf"]).is_some_and(|meant| meant != &*tool) {
            tool.warn(
                format!("settings of the tool `{}` are ignored", &*tool),
                Some("did you mean `wharf`?".to_owned()),
            );
        }
    }
    tools.table("wharf", format!("`tool.wharf` of {}", table.name))
}

/// The paths, each reported if it does not start with `/`.
pub(super) fn read_paths(paths: &[Text]) -> Vec<String> {
    for path in paths.iter().filter(|path| !path.starts_with('/')) {
        path.fault("a path must start with `/`", None);
    }
    paths.iter().map(|path| path.to_string()).collect()
}
