//! `[variables]`: values that are given to the application when it starts.

use std::collections::BTreeMap;

use crate::document::{Table, Text, Value};
use crate::names;

#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// `None` if a value is required.
    pub default: Option<String>,
    pub secret: bool,
    pub description: String,
}

impl Variable {
    fn read(name: &Text, value: &Value) -> Option<Variable> {
        let table = value.table(format!("variable `{}`", &**name))?;
        let variable = Variable {
            default: table.text("default").map(|default| default.to_string()),
            secret: table.flag("secret").unwrap_or_default(),
            description: table.string("description"),
        };
        match (
            table.flag("required").unwrap_or_default(),
            table.has("default"),
        ) {
            (true, true) => name.fault(
                format!(
                    "variable `{}` has both `default` and `required = true`: remove one",
                    &**name
                ),
                None,
            ),
            (false, false) => name.fault(
                format!(
                    "variable `{}` needs `default` or `required = true`",
                    &**name
                ),
                None,
            ),
            (true, false) | (false, true) => {}
        }
        table.refuse_unknown_keys();
        Some(variable)
    }
}

/// Hides the default of a secret.
impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = match (&self.default, self.secret) {
            (None, _) => "required",
            (Some(_), true) => "***",
            (Some(default), false) => default,
        };
        write!(f, "Variable({shown})")
    }
}

pub(super) fn read_all(root: &Table) -> BTreeMap<String, Variable> {
    let variables = root.read_each("variables", |name, value| {
        if let Err(why) = names::check_variable(&name) {
            name.fault(format!("invalid variable name `{}`: {why}", &*name), None);
        }
        Some((name.to_string(), Variable::read(&name, &value)?))
    });
    variables.into_iter().collect()
}
