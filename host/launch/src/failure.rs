//! Why a program does not serve.

use std::fmt::{self, Display};

pub type Result<T> = std::result::Result<T, Failure>;

/// A text for the person who runs the tests or the benchmark.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For `map_err`: what was being done when the error came.
    pub(crate) fn doing<E: Display>(what: impl Display) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{what}: {error}"))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
