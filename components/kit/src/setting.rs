//! Variables that the manifest gives the component.

use std::cell::RefCell;

use spin_sdk::variables;

/// The manifest does not give the component this variable.
#[derive(Debug, thiserror::Error)]
#[error("variable `{name}` cannot be read: {cause}")]
pub struct Unset {
    name: &'static str,
    cause: String,
}

thread_local! {
    /// A variable never changes while an instance lives, and asking the host costs. They are so few that comparing is
    /// cheaper than hashing.
    static KNOWN: RefCell<Vec<(&'static str, &'static str)>> = RefCell::default();
}

/// The value of a variable; leaked once per instance, so that it can be borrowed for good.
pub async fn setting(name: &'static str) -> Result<&'static str, Unset> {
    let known = KNOWN.with_borrow(|it| it.iter().find(|it| it.0 == name).copied());
    if let Some((_, known)) = known {
        return Ok(known);
    }
    let value = variables::get(name).await.map_err(|it| Unset {
        name,
        cause: it.to_string(),
    })?;
    let value: &'static str = Box::leak(value.into_boxed_str());
    KNOWN.with_borrow_mut(|it| it.push((name, value)));
    Ok(value)
}

/// Whether a variable says `true`.
pub async fn flag(name: &'static str) -> Result<bool, Unset> {
    Ok(setting(name).await? == "true")
}

impl From<Unset> for crate::web::Problem {
    fn from(unset: Unset) -> Self {
        Self::internal(&unset)
    }
}
