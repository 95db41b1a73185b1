//! Every refusal of this component.

use kit::Refusals;
use kit::store::DbError;
use kit::store::s3::S3Error;

use crate::bindings::wharf::payments::{checkout, ledger};

#[derive(Debug, Refusals)]
#[refusals(done(
    "assigned", "created", "changed", "moved", "placed", "paid", "settled", "listed"
))]
pub enum Error {
    #[refusal(
        403,
        "forbidden",
        "Not allowed for this user",
        detail = "not allowed for this user",
        outcome = "forbidden"
    )]
    Forbidden,
    #[refusal(
        404,
        "unknown-shop",
        "No such shop",
        detail = "there is no such shop",
        outcome = "unknown_shop"
    )]
    UnknownShop,
    #[refusal(
        404,
        "unknown-category",
        "No such category",
        detail = "there is no such category",
        outcome = "unknown_category"
    )]
    UnknownCategory,
    #[refusal(
        404,
        "unknown-product",
        "No such product",
        detail = "there is no such product",
        outcome = "unknown_product"
    )]
    UnknownProduct,
    #[refusal(
        404,
        "unknown-choice",
        "No such choice",
        detail = "the product has no such choice",
        outcome = "unknown_choice"
    )]
    UnknownChoice,
    #[refusal(
        404,
        "unknown-order",
        "No such order",
        detail = "there is no such order",
        outcome = "unknown_order"
    )]
    UnknownOrder,
    #[refusal(
        404,
        "unknown-customer",
        "No such customer",
        detail = "there is no such customer"
    )]
    UnknownCustomer,
    #[refusal(
        404,
        "unknown-coupon",
        "No such coupon",
        detail = "there is no such coupon, or its time is over",
        outcome = "unknown_coupon"
    )]
    UnknownCoupon,
    #[refusal(
        422,
        "unknown-time-zone",
        "No such time zone",
        detail = "time_zone must be UTC or the name of an IANA time zone, as America/Sao_Paulo",
        field = "/time_zone"
    )]
    UnknownTimeZone,
    #[refusal(
        400,
        "empty-patch",
        "Nothing is to be changed",
        detail = "at least one field to change is needed"
    )]
    EmptyPatch,
    #[refusal(
        400,
        "missing-status",
        "The status is missing",
        detail = "status is missing"
    )]
    MissingStatus,
    #[refusal(
        400,
        "invalid-status",
        "The status does not fit",
        detail = "{0} is no status of an order"
    )]
    InvalidStatus(String),
    #[refusal(
        400,
        "invalid-name",
        "The name does not fit",
        detail = "a name has 1 to {0} printable characters"
    )]
    InvalidName(usize),
    #[refusal(
        400,
        "invalid-text",
        "A text is too long",
        detail = "a description has at most 2000 characters, and there are at most 30 allergens"
    )]
    InvalidText,
    #[refusal(
        400,
        "invalid-price",
        "The price does not fit",
        detail = "a price is between 0 and 1000000"
    )]
    InvalidPrice,
    #[refusal(
        400,
        "invalid-stock",
        "The stock does not fit",
        detail = "a stock is between 0 and 1000000",
        outcome = "too_many"
    )]
    InvalidStock,
    #[refusal(
        400,
        "invalid-hours",
        "The hours do not fit",
        detail = "hours are days from 1 to 7 and two different times, as 06:30"
    )]
    InvalidHours,
    #[refusal(
        400,
        "invalid-options",
        "The options do not fit",
        detail = "options have different names, and 1 to 50 choices with different names; at_least is from 0 to at_most, and there are that many choices"
    )]
    InvalidOptions,
    #[refusal(
        409,
        "name-taken",
        "The name is taken",
        detail = "the shop has another one of that name",
        constraint = "category_name_once",
        constraint = "product_name_once",
        constraint = "coupon_code_once"
    )]
    NameTaken,
    #[refusal(
        400,
        "no-items",
        "The order is empty",
        detail = "an order has at least one item"
    )]
    NoItems,
    #[refusal(
        400,
        "invalid-item",
        "An item does not fit",
        detail = "an order has at most 100 items, each 1 to 1000 times, with a comment of at most 200 characters and different choices"
    )]
    InvalidItem,
    #[refusal(
        400,
        "invalid-tip",
        "The tip does not fit",
        detail = "a tip is between 0 and 1000000"
    )]
    InvalidTip,
    #[refusal(
        400,
        "invalid-coupon",
        "The coupon does not fit",
        detail = "a coupon has a code of 3 to 40 letters, digits, - and _, and either percent (1 to 100) or amount",
        constraint = "coupon_one_kind",
        constraint = "coupon_code_fits",
        constraint = "coupon_percent_in_bounds",
        constraint = "coupon_amount_in_bounds",
        constraint = "coupon_min_in_bounds",
        constraint = "coupon_max_uses_in_bounds"
    )]
    InvalidCoupon,
    #[refusal(
        400,
        "invalid-dates",
        "The dates do not fit",
        detail = "from and to are days, as 2026-01-31, at most 366 days apart"
    )]
    InvalidDates,
    #[refusal(400, "invalid-file", "The file does not fit", detail = "line {0}: {1}")]
    InvalidFile(usize, &'static str),
    #[refusal(409, "not-offered", "Not offered", outcome = "not_offered")]
    NotOffered,
    #[refusal(
        409,
        "not-served-now",
        "Not served at this time",
        outcome = "not_served_now"
    )]
    NotServedNow,
    #[refusal(409, "sold-out", "Sold out", outcome = "sold_out")]
    SoldOut,
    #[refusal(
        400,
        "wrong-choices",
        "Too few or too many choices",
        outcome = "wrong_choices"
    )]
    WrongChoices,
    #[refusal(
        400,
        "too-expensive",
        "The order costs too much",
        detail = "an order costs at most 10000000000",
        outcome = "too_expensive"
    )]
    TooExpensive,
    #[refusal(
        409,
        "price-changed",
        "The price has changed",
        detail = "the order does not cost the expected amount",
        outcome = "price_changed"
    )]
    PriceChanged,
    #[refusal(
        409,
        "coupon-used-up",
        "The coupon is used up",
        detail = "the coupon was used as often as it can be",
        outcome = "coupon_used_up"
    )]
    CouponUsedUp,
    #[refusal(
        409,
        "coupon-needs-more",
        "The order is too small for the coupon",
        detail = "the items cost less than the coupon asks for",
        outcome = "coupon_needs_more"
    )]
    CouponNeedsMore,
    #[refusal(
        400,
        "not-their-wallet",
        "A wallet pays for its owner",
        detail = "a wallet pays only for orders of its owner",
        outcome = "not_their_wallet"
    )]
    NotTheirWallet,
    #[refusal(
        409,
        "no-wallet-here",
        "The shop takes no payment by wallet",
        detail = "the shop has no owner who could be paid by wallet",
        outcome = "no_wallet_here"
    )]
    NoWalletHere,
    #[refusal(
        400,
        "own-shop",
        "The shop is the customer's own",
        detail = "the owner of a shop cannot pay it by wallet",
        outcome = "own_shop"
    )]
    OwnShop,
    #[refusal(
        409,
        "no-such-step",
        "The order cannot take that step",
        detail = "the order cannot take that step; next_states lists those it can",
        outcome = "no_such_step"
    )]
    NoSuchStep,
    #[refusal(
        409,
        "too-late",
        "The minute is over",
        detail = "a step can be taken back within a minute",
        outcome = "too_late"
    )]
    TooLate,
    #[refusal(
        409,
        "not-paid",
        "The order is not paid",
        detail = "only the provider's word counts, and it has not approved the payment",
        outcome = "paid_elsewhere"
    )]
    NotPaid,
    #[refusal(
        409,
        "already-paid",
        "The order is paid",
        detail = "the order was paid through the provider or by wallet already: hand the money back",
        outcome = "already_paid"
    )]
    AlreadyPaid,
    #[refusal(
        409,
        "nothing-to-refund",
        "There is nothing to give back",
        detail = "the order is not paid, or less of the item is left than is to be given back",
        outcome = "nothing_to_refund"
    )]
    NothingToRefund,
    #[refusal(
        402,
        "insufficient-funds",
        "Insufficient funds",
        detail = "insufficient funds"
    )]
    InsufficientFunds,
    #[refusal(
        402,
        "payment-refused",
        "The payment was refused",
        detail = "the payment was refused; the order is cancelled"
    )]
    PaymentRefused,
    #[refusal(
        503,
        "payment-unavailable",
        "The payment service does not answer",
        detail = "the payment service does not answer; the order will be settled when it does",
        retry_after_s = 5
    )]
    PaymentUnavailable,
    #[refusal(
        503,
        "accounts-unavailable",
        "The accounts do not answer",
        detail = "the accounts do not answer; nothing was ordered",
        retry_after_s = 1
    )]
    AccountsUnavailable,
    #[refusal(
        400,
        "invalid-photo",
        "The photo does not fit",
        detail = "a photo has 1 byte to 10 MiB"
    )]
    InvalidPhoto,
    #[refusal(
        404,
        "unknown-photo",
        "No such photo",
        detail = "the product has no such photo",
        outcome = "unknown_photo"
    )]
    UnknownPhoto,
    #[refusal(
        409,
        "too-many-photos",
        "Too many photos",
        detail = "a product has at most ten photos; incomplete uploads count",
        outcome = "too_many_photos"
    )]
    TooManyPhotos,
    #[refusal(
        409,
        "other-photos",
        "These are not the photos of the product",
        detail = "the product shows other photos: each of them is named once",
        outcome = "other_photos"
    )]
    OtherPhotos,
    #[refusal(
        409,
        "no-bytes",
        "The bytes are missing",
        detail = "no bytes were uploaded to the photo's address yet"
    )]
    NoBytes,
    #[refusal(
        409,
        "no-photo",
        "The bytes are no such photo",
        detail = "the uploaded bytes are not a complete image of the announced media type; add the photo again"
    )]
    NoPhoto,
    #[refusal(
        406,
        "no-stream",
        "This is a stream of events",
        detail = "this is a stream: ask for it with `Accept: text/event-stream`"
    )]
    NoStream,
    #[refusal(internal, detail = "a setting does not fit: {0}")]
    Setting(&'static str),
    #[refusal(internal, detail = "the ledger refused: {0:?}")]
    Ledger(ledger::Refusal),
    #[refusal(internal, detail = "the checkout refused: {0:?}")]
    Checkout(checkout::Refusal),
    #[refusal(transparent)]
    Db(DbError),
    #[refusal(transparent)]
    S3(S3Error),
}
