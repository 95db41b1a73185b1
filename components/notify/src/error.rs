//! Every refusal of this component.

use kit::store::DbError;
use kit::{Refusals, Unset};

use crate::webhook::InvalidAddress;

#[derive(Debug, Refusals)]
#[refusals(done("saved"))]
pub enum Error {
    #[refusal(404, "unknown-webhook", "No such webhook")]
    UnknownWebhook,
    #[refusal(
        409,
        "too-many-webhooks",
        "There are as many webhooks as there may be",
        detail = "a user has at most {0} webhooks"
    )]
    TooManyWebhooks(i64),
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
