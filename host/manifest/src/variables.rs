//! The values of the application's variables, and what a component sees of them.
//!
//! Who says a value first wins: `--variable`, then the providers of the runtime configuration in their order, then the
//! environment (`SPIN_VARIABLE_<NAME>`) and `.env`, then what the host itself has, then the default of the manifest.
//! All values are known before anything starts; none is asked for again.

mod source;

pub use source::{Environment, Sources, WRITTEN_BY_SERVICES, is_written_by_services};

use std::collections::BTreeMap;
use std::fmt;

use crate::manifest::{Component, Variable};
use crate::template::Template;

/// A value for every variable of the application.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, Eq)]
struct Value {
    text: String,
    is_secret: bool,
}

/// What one component may ask for; every other name does not exist for it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ComponentVariables {
    values: BTreeMap<String, String>,
}

/// Why the application cannot start with the variables it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct VariableFaults(pub Vec<String>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no variable `{0}`")]
pub struct UnknownVariable(pub String);

impl Variables {
    /// Finds a value for every declared variable. `of_the_host` is asked for what nobody gave, before the default.
    pub fn resolve(
        declared: &BTreeMap<String, Variable>,
        sources: &Sources,
        of_the_host: impl Fn(&str) -> Option<String>,
    ) -> Result<Variables, VariableFaults> {
        let mut values = BTreeMap::new();
        let mut faults = sources.misspelt(declared);
        for (name, variable) in declared {
            let given = sources.get(name).map(str::to_owned);
            match given
                .or_else(|| of_the_host(name))
                .or_else(|| variable.default.clone())
            {
                Some(text) => {
                    let is_secret = variable.secret;
                    values.insert(name.clone(), Value { text, is_secret });
                }
                None => faults.push(missing(name, variable)),
            }
        }
        if faults.is_empty() {
            Ok(Variables { values })
        } else {
            Err(VariableFaults(faults))
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str())
    }

    /// A template with the values filled in.
    pub fn text(&self, template: &Template) -> Result<String, UnknownVariable> {
        template.resolve(|name| {
            self.get(name)
                .ok_or_else(|| UnknownVariable(name.to_owned()))
        })
    }

    /// What the component was given under `variables`.
    pub fn of_component(
        &self,
        component: &Component,
    ) -> Result<ComponentVariables, UnknownVariable> {
        let values = component.variables.iter();
        let values = values.map(|(name, template)| Ok((name.clone(), self.text(template)?)));
        Ok(ComponentVariables {
            values: values.collect::<Result<_, _>>()?,
        })
    }
}

impl ComponentVariables {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

fn missing(name: &str, variable: &Variable) -> String {
    let description = match variable.description.as_str() {
        "" => String::new(),
        description => format!(" ({description})"),
    };
    let upper = name.to_ascii_uppercase();
    format!(
        "variable `{name}`{description} needs a value: give --variable {name}=… or SPIN_VARIABLE_{upper}=…"
    )
}

/// Secrets are not shown.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.values.iter().map(|(name, value)| {
            let text = if value.is_secret { "***" } else { &value.text };
            (name, text)
        });
        f.debug_map().entries(shown).finish()
    }
}

/// Only the names are shown: any value may be made of secrets.
impl fmt::Debug for ComponentVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
