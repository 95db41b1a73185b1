//! A form as a person filled it in, to be carried out, or shown again with what is wrong.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kit::web::{Form, Input, Operation, Problem};
use uuid::Uuid;

use crate::error::Error;

#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

/// More than any page has. A menu looks through all fields for each of its products and choices.
const MAX_FIELDS: usize = 10_000;

const TOO_MANY_FIELDS: Problem = Problem::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too-many-fields",
    "The form has too many fields",
);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, state).await?;
        match fields.len() <= MAX_FIELDS {
            true => Ok(Self(fields)),
            false => Err(TOO_MANY_FIELDS),
        }
    }
}

impl Input for Fields {
    fn describe(_: &mut Operation) {}
}

impl Fields {
    /// An empty form, with a key of its own for what it will do.
    pub fn fresh() -> Self {
        Self::default().with("key", Uuid::new_v4())
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same form with a key of its own: another try is another request.
    #[must_use]
    pub fn renewed(mut self) -> Self {
        self.0.retain(|it| it.0 != "key");
        self.with("key", Uuid::new_v4())
    }

    /// Whether a form has the field, filled in or not.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|it| it.0 == name)
    }

    /// Empty when the field was not filled in.
    pub fn text(&self, name: &str) -> &str {
        self.optional(name).unwrap_or_default()
    }

    /// A password: spaces at its ends are part of it.
    pub fn secret(&self, name: &str) -> &str {
        let found = self.0.iter().find(|it| it.0 == name);
        found.map(|it| &*it.1).unwrap_or_default()
    }

    pub fn optional(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|it| it.0 == name)?;
        Some(found.1.trim()).filter(|it| !it.is_empty())
    }

    /// Whether a box was checked, or that choice was made.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|it| it.0 == name && it.1 == value)
    }

    /// All values of a field that may be filled in several times.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |it| it.0 == name);
        found.map(|it| it.1.trim()).filter(|it| !it.is_empty())
    }

    pub fn number(&self, name: &str) -> Result<Option<i64>, Error> {
        self.optional(name)
            .map(|it| {
                it.parse()
                    .map_err(|_| Error::refused(format!("\"{it}\" is no whole number")))
            })
            .transpose()
    }

    /// An amount of money as people write it, in minor units.
    pub fn cents(&self, name: &str) -> Result<Option<i64>, Error> {
        self.optional(name)
            .map(|it| {
                crate::words::cents(it)
                    .ok_or_else(|| Error::refused(format!("\"{it}\" is no amount of money")))
            })
            .transpose()
    }

    /// A date and a time as `datetime-local` sends them, at a place.
    pub fn moment(&self, name: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Error> {
        self.optional(name)
            .map(|it| {
                let here = it.parse::<DateTime>().ok();
                let moment = here.and_then(|it| it.to_zoned(zone.clone()).ok());
                moment
                    .map(|it| it.timestamp())
                    .ok_or_else(|| Error::refused(format!("\"{it}\" is no date and time")))
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_tells_what_was_filled_in() {
        let form = Fields::default()
            .with("city", " Porto ")
            .with("empty", "")
            .with("rate", "1.50")
            .with("day", "mon")
            .with("day", "tue");
        assert_eq!(
            (form.text("city"), form.secret("city")),
            ("Porto", " Porto ")
        );
        assert_eq!(form.optional("empty"), None);
        assert_eq!(form.cents("rate").unwrap(), Some(150));
        assert!(form.number("city").is_err());
        assert_eq!(form.all("day").collect::<Vec<_>>(), ["mon", "tue"]);
        assert!(form.has("day", "tue") && !form.has("day", "wed"));
    }

    #[test]
    fn a_time_is_that_of_the_place() {
        let form = Fields::default().with("from", "2026-12-01T10:00");
        let moment = form.moment("from", &TimeZone::UTC).unwrap().unwrap();
        assert_eq!(moment.to_string(), "2026-12-01T10:00:00Z");
        assert!(
            Fields::default()
                .with("from", "soon")
                .moment("from", &TimeZone::UTC)
                .is_err()
        );
    }
}
