//! Every refusal of this component.

use kit::store::DbError;
use kit::{Refusals, Unset};

use crate::webhook::InvalidAddress;

#[derive(Debug, Refusals)]
#[refusals(done("saved", "sent"))]
pub enum Error {
    #[refusal(404, "unknown-webhook", "No such webhook", outcome = "unknown_webhook")]
    UnknownWebhook,
    #[refusal(
        409,
        "too-many-webhooks",
        "There are as many webhooks as there may be",
        detail = "a user has at most {0} webhooks"
    )]
    TooManyWebhooks(i64),
    /// Limits calls to servers that may be a stranger's, per user.
    #[refusal(
        429,
        "too-many-tests",
        "Too many tests of webhooks; come back later",
        detail = "too many tests of webhooks; come back later",
        retry_after_s = 600,
        outcome = "too_many_tests"
    )]
    TooManyTests,
    #[refusal(
        422,
        "invalid-body",
        "The body does not fit",
        detail = "the address cannot be called: {0}",
        field = "/url",
        from
    )]
    InvalidAddress(InvalidAddress),
    #[refusal(
        422,
        "invalid-body",
        "The body does not fit",
        detail = "every template must be one of {0}",
        field = "/templates"
    )]
    UnknownTemplate(String),
    #[refusal(
        422,
        "invalid-body",
        "The body does not fit",
        detail = "{0}",
        field = "/quiet_hours"
    )]
    InvalidHours(&'static str),
    #[refusal(
        422,
        "invalid-body",
        "The body does not fit",
        detail = "time_zone must be UTC or the name of an IANA time zone, as Europe/Lisbon",
        field = "/time_zone",
        outcome = "unknown_time_zone"
    )]
    UnknownTimeZone,
    #[refusal(unavailable, detail = "{0} does not answer")]
    Unavailable(&'static str),
    #[refusal(transparent)]
    Setting(Unset),
    #[refusal(transparent)]
    Db(DbError),
}
