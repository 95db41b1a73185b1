//! `spin:variables`, the older `fermyon:spin/variables` and `wasi:config`: the variables of the component, by name.
//!
//! Where values come from and how templates become values is the host's; here is only the question and its answer.

use std::collections::BTreeMap;

use wasmtime::component::{Accessor, Linker};

use crate::bindings::fermyon::spin::variables as v2;
use crate::bindings::spin::variables::variables as v3;
use crate::bindings::wasi::config::store as config;
use crate::{HasImports, ImportsCtxView, ImportsView};

/// Why a variable has no value to give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    #[error("no variable for {0:?}")]
    Undefined(String),
    /// The source of the value failed, and may not fail the next time.
    #[error("{0}")]
    Source(String),
}

/// The values of one component's `variables`, by their names in the manifest.
pub trait Variables: Send + Sync {
    fn get(&self, name: &str) -> Result<String, VariableError>;
    fn all(&self) -> Result<Vec<(String, String)>, VariableError>;
}

/// Values that were resolved once, at start.
impl Variables for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Result<String, VariableError> {
        let value = BTreeMap::get(self, name).cloned();
        value.ok_or_else(|| VariableError::Undefined(name.to_owned()))
    }

    fn all(&self) -> Result<Vec<(String, String)>, VariableError> {
        Ok(self.clone().into_iter().collect())
    }
}

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker::<_, HasImports>(linker, T::imports)?;
    config::add_to_linker::<_, HasImports>(linker, T::imports)?;
    Ok(())
}

/// Spin's rule for names: lower case words of letters and digits, joined by single underscores.
fn is_name(name: &str) -> bool {
    name.split('_').enumerate().all(|(at, word)| {
        let mut characters = word.chars();
        let first = characters.next();
        first.is_some_and(|c| c.is_ascii_lowercase() || (at > 0 && c.is_ascii_digit()))
            && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

impl ImportsCtxView<'_> {
    fn variable(&self, name: &str) -> Result<String, v3::Error> {
        if !is_name(name) {
            return Err(v3::Error::InvalidName(name.to_owned()));
        }
        let value = self.ctx.imports.variables.get(name);
        value.map_err(|error| match error {
            VariableError::Undefined(_) => v3::Error::Undefined(error.to_string()),
            VariableError::Source(cause) => v3::Error::Provider(cause),
        })
    }
}

impl v3::Host for ImportsCtxView<'_> {}

impl<T> v3::HostWithStore<T> for HasImports {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, v3::Error> {
        accessor.with(|mut access| access.get().variable(&name))
    }
}

impl v2::Host for ImportsCtxView<'_> {
    fn get(&mut self, name: String) -> Result<String, v2::Error> {
        self.variable(&name).map_err(|error| match error {
            v3::Error::InvalidName(name) => v2::Error::InvalidName(name),
            v3::Error::Undefined(cause) => v2::Error::Undefined(cause),
            v3::Error::Provider(cause) => v2::Error::Provider(cause),
            v3::Error::Other(cause) => v2::Error::Other(cause),
        })
    }
}

impl config::Host for ImportsCtxView<'_> {
    fn get(&mut self, name: String) -> Result<Option<String>, config::Error> {
        match self.variable(&name) {
            Ok(value) => Ok(Some(value)),
            Err(v3::Error::InvalidName(_) | v3::Error::Undefined(_)) => Ok(None),
            Err(v3::Error::Provider(cause) | v3::Error::Other(cause)) => {
                Err(config::Error::Upstream(cause))
            }
        }
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, config::Error> {
        let all = self.ctx.imports.variables.all();
        all.map_err(|error| config::Error::Upstream(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_words_joined_by_underscores() {
        for name in ["a", "redis_url", "key2", "a_2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "A", "2a", "a__b", "_a", "a_", "a-b", "a b", "ä"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn an_undefined_variable_is_named_in_the_error() {
        let none = BTreeMap::new();
        let error = Variables::get(&none, "redis_url").unwrap_err();
        assert_eq!(error.to_string(), "no variable for \"redis_url\"");
    }
}
