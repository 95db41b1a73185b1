//! Why a value could not be converted. The driver carries these errors to `postgres::errors`.

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A parameter that does not fit its statement.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadParameter(pub String);

/// A column value that the WIT interface cannot represent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(pub String);
