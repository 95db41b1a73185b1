//! RFC 9457 problem details, the one shape of every refusal.
//!
//! A handler returns `Result<_, Problem>`; each component lists its own refusals in one enum
//! that derives [`Refusals`]. What the wire looks like (the request id, the members that older
//! clients read) is decided at the edge, in [`crate::web::answer`], so a problem travels there inside
//! the response.

use std::borrow::Cow;
use std::error::Error;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A refusal, ready to be sent.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) detail: Option<Cow<'static, str>>,
    pub(crate) errors: Vec<FieldError>,
    /// For the log only; never sent.
    pub(crate) cause: Option<String>,
    pub(crate) retry_after_s: Option<u32>,
    /// Where the caller can do what the refusal asks for: a page to pay at.
    pub(crate) link: Option<String>,
    /// The number that clients of the RPC dialect switch on.
    pub(crate) number: Option<u16>,
}

/// One rejected field of the request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer into the request body.
    pub pointer: String,
    pub detail: String,
}

impl Problem {
    /// `code` names the problem for programs, `title` for people; both never vary.
    pub const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self {
            status,
            code,
            title,
            detail: None,
            errors: Vec::new(),
            cause: None,
            retry_after_s: None,
            link: None,
            number: None,
        }
    }

    /// The same with the status as a number, for tables of refusals: one that is no status is a 500.
    pub const fn of_status(status: u16, code: &'static str, title: &'static str) -> Self {
        let status = match StatusCode::from_u16(status) {
            Ok(status) => status,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, code, title)
    }

    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// One rejected field of the body, by its JSON pointer.
    pub fn field(self, pointer: &str, detail: String) -> Self {
        let error = FieldError {
            pointer: pointer.to_owned(),
            detail: detail.clone(),
        };
        self.detail(detail).errors(vec![error])
    }

    /// When asking again may help.
    pub const fn retry_after_s(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Where the caller can pay; sent as the member `link` and in the header `Link` (RFC 8288).
    pub fn payment_link(mut self, link: impl Into<String>) -> Self {
        self.link = Some(link.into());
        self
    }

    /// The error number under `/api/method/`.
    pub const fn number(mut self, number: u16) -> Self {
        self.number = Some(number);
        self
    }

    /// A fault of ours: the cause goes to the log, never to the caller.
    pub fn internal(cause: &dyn Error) -> Self {
        let mut problem = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something broke on our side",
        );
        problem.cause = Some(chain(cause));
        problem
    }

    /// Something we depend on does not answer; the cause goes to the log.
    pub fn unavailable(cause: &dyn Error) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Try again in a moment",
        )
        .retry_after_s(1);
        problem.cause = Some(chain(cause));
        problem
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn code(&self) -> &'static str {
        self.code
    }

    pub fn title(&self) -> &'static str {
        self.title
    }

    /// What is particular about this refusal.
    pub fn told(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

/// Every refusal of a component: derived from its enum (see `kit_derive::Refusals`).
pub trait Refusals: Sized {
    /// The outcomes of the schema's functions that are refusals.
    const OUTCOMES: &'static [&'static str];
    /// The outcomes of the schema's functions that are not refusals.
    const DONE: &'static [&'static str];

    fn of_outcome(outcome: &str) -> Option<Self>;

    /// The refusal that a broken constraint of that name stands for.
    fn of_constraint(constraint: &str) -> Option<Self>;

    /// Every refusal that has an answer of its own.
    fn all() -> Vec<Problem>;
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The error and everything under it, joined with `: `.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
