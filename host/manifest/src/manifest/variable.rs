//! `[variables]`: what the application can be told when it starts.

use std::collections::BTreeMap;

use crate::document::{Table, Text, Value};
use crate::names;

#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// `None` when a value has to be given.
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
                    "variable `{}` is required and has a default: only one can be",
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
        table.no_other_keys();
        Some(variable)
    }
}

/// The default of a secret is not shown.
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

pub(super) fn read(root: &Table) -> BTreeMap<String, Variable> {
    let variables = root.each("variables", |name, value| {
        if let Err(why) = names::lower_snake(&name) {
            name.fault(
                format!("`{}` is no name of a variable: {why}", &*name),
                None,
            );
        }
        Some((name.to_string(), Variable::read(&name, &value)?))
    });
    variables.into_iter().collect()
}
