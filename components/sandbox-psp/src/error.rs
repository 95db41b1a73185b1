//! Every refusal of the sandbox.

use kit::store::DbError;
use kit::{Refusals, Unset};

#[derive(Debug, Refusals)]
#[refusals(done("refunded", "replayed"))]
pub enum Error {
    #[refusal(404, "not-found", "Not found", detail = "there is no sandbox here")]
    NoSandbox,
    #[refusal(
        401,
        "invalid-token",
        "The access token is not valid",
        detail = "the access token is not the merchant's"
    )]
    NotTheMerchant,
    #[refusal(
        404,
        "not-found",
        "Not found",
        detail = "there is no such bill or payment"
    )]
    Unknown,
    /// It is paid or its time is over, or two people approved it at the same moment.
    #[refusal(
        409,
        "closed",
        "It is paid or over already",
        detail = "it is paid or over already",
        constraint = "payment_approved_once"
    )]
    Closed,
    #[refusal(
        400,
        "not-refundable",
        "The payment is not approved, or less of it is left",
        detail = "the payment is not approved, or less of it is left",
        outcome = "not_refundable"
    )]
    NotRefundable,
    #[refusal(400, "malformed", "A field does not fit", detail = "{0} does not fit")]
    Malformed(&'static str),
    #[refusal(transparent)]
    Db(DbError),
    #[refusal(transparent)]
    Setting(Unset),
}
