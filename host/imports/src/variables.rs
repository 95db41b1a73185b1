//! The variables of a component, by name.
//!
//! The host decides where values come from and resolves templates; this module only looks values up.

pub(crate) mod wit;

pub use wit::add_dependency_to_linker;

use std::collections::BTreeMap;

/// Before the names of the interfaces by which a composed dependency, the one at this position, reads variables.
pub fn prefix_of_dependency(position: usize) -> String {
    format!("dependency{position}-")
}

/// The position of the dependency that an import of that name belongs to.
pub fn dependency_of(import: &str) -> Option<usize> {
    let (position, _) = import.strip_prefix("dependency")?.split_once('-')?;
    position.parse().ok()
}

/// Why a variable could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    #[error("no variable for {0:?}")]
    Undefined(String),
    /// The source of the value failed. The next read may succeed.
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

/// Spin's rule for names: lower case words of letters and digits, joined by single underscores.
fn is_name(name: &str) -> bool {
    name.split('_').enumerate().all(|(at, word)| {
        let mut characters = word.chars();
        let first = characters.next();
        first.is_some_and(|c| c.is_ascii_lowercase() || (at > 0 && c.is_ascii_digit()))
            && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_words_joined_by_single_underscores() {
        for name in ["a", "redis_url", "key2", "a_2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "A", "2a", "a__b", "_a", "a_", "a-b", "a b", "ä"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn an_import_of_a_dependency_says_which_one_it_is() {
        let name = format!("{}spin:variables/variables@3.0.0", prefix_of_dependency(12));
        assert_eq!(dependency_of(&name), Some(12));
        for name in [
            "spin:variables/variables@3.0.0",
            "dependency-spin:a/b",
            "dependencyx-a:b/c",
        ] {
            assert_eq!(dependency_of(name), None, "{name}");
        }
    }

    #[test]
    fn the_error_names_the_undefined_variable() {
        let none = BTreeMap::new();
        let error = Variables::get(&none, "redis_url").unwrap_err();
        assert_eq!(error.to_string(), "no variable for \"redis_url\"");
    }
}
