//! The values of the application's variables, and the part of them that each component gets.
//!
//! The first source that has a value wins: `--variable`, the providers of the runtime configuration in their order, the
//! environment (`SPIN_VARIABLE_<NAME>`), `.env`, the host's own value, the default of the manifest. All values are resolved
//! once, before the application starts.

mod source;

pub use source::{Environment, Sources, WRITTEN_BY_SERVICES, is_written_by_services};

use std::collections::BTreeMap;
use std::fmt;

use crate::egress::AllowedHosts;
use crate::manifest::{self, Component, Manifest, Variable};
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

/// The variables of one component. Other names do not exist for it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ComponentVariables {
    values: BTreeMap<String, String>,
}

/// All reasons why the variables are incomplete or wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct VariableFaults(pub Vec<String>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no variable `{0}`")]
pub struct UnknownVariable(pub String);

impl Variables {
    /// Finds a value for every declared variable. `host_value` supplies values that no source has, before the default.
    pub fn resolve(
        declared: &BTreeMap<String, Variable>,
        sources: &Sources,
        host_value: impl Fn(&str) -> Option<String>,
    ) -> Result<Variables, VariableFaults> {
        let mut values = BTreeMap::new();
        let mut faults = sources.find_undeclared_flags(declared);
        for (name, variable) in declared {
            let value = sources.get(name).map(str::to_owned);
            match value
                .or_else(|| host_value(name))
                .or_else(|| variable.default.clone())
            {
                Some(text) => {
                    let is_secret = variable.secret;
                    values.insert(name.clone(), Value { text, is_secret });
                }
                None => faults.push(missing_value(name, variable)),
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

    /// The component's `variables`, with the values filled in.
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

    /// The component's `allowed_outbound_hosts`, with the values filled in.
    pub fn allowed_hosts(
        &self,
        manifest: &Manifest,
        component: &Component,
    ) -> Result<AllowedHosts, Vec<String>> {
        let entries = component.allowed_outbound_hosts.iter();
        let entries: Vec<String> = entries
            .map(|entry| match self.text(entry) {
                Ok(text) if manifest::is_unset(entry, &text) => Ok(None),
                Ok(text) => Ok(Some(text)),
                Err(why) => Err(vec![format!(
                    "allowed_outbound_hosts {:?}: {why}",
                    entry.source()
                )]),
            })
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?;
        let allowed = AllowedHosts::parse(&entries)?;
        Ok(allowed
            .within(manifest.components.keys().map(String::as_str))
            .blocking_private_networks(component.wharf.block_private_networks))
    }
}

impl ComponentVariables {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

fn missing_value(name: &str, variable: &Variable) -> String {
    let description = match variable.description.as_str() {
        "" => String::new(),
        description => format!(" ({description})"),
    };
    let upper = name.to_ascii_uppercase();
    format!(
        "variable `{name}`{description} needs a value: set --variable {name}=… or SPIN_VARIABLE_{upper}=…"
    )
}

/// Hides secrets.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.values.iter().map(|(name, value)| {
            let text = if value.is_secret { "***" } else { &value.text };
            (name, text)
        });
        f.debug_map().entries(shown).finish()
    }
}

/// Shows names only: a value may contain secrets.
impl fmt::Debug for ComponentVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
