//! Every refusal of this component.

use kit::Refusals;
use kit::store::DbError;

use crate::bindings::wharf::payments::ledger::Refusal;

#[derive(Debug, Refusals)]
#[refusals(done(
    "booked", "to_pay", "moved", "canceled", "changed", "listed", "removed"
))]
#[refusals(done("checked_in", "checked_out", "waived"))]
#[refusals(done("settled", "confirmed", "void"))]
pub enum Error {
    #[refusal(
        400,
        "missing-field",
        "Something is missing",
        detail = "{0} is missing"
    )]
    MissingField(&'static str),
    #[refusal(
        400,
        "invalid-dates",
        "The dates do not fit",
        detail = "{0} must be an RFC 3339 timestamp, as 2026-01-31T10:00:00Z"
    )]
    NotATimestamp(&'static str),
    #[refusal(400, "invalid-dates", "The dates do not fit", detail = "{0}")]
    InvalidDates(&'static str),
    #[refusal(
        400,
        "invalid-dates",
        "The dates do not fit",
        detail = "date_from must be before date_to",
        outcome = "wrong_order"
    )]
    WrongOrder,
    #[refusal(
        400,
        "invalid-dates",
        "The dates do not fit",
        detail = "a booking lasts at most 8760 hours",
        outcome = "too_long"
    )]
    TooLong,
    #[refusal(
        400,
        "too-far",
        "Too many rows to leave out",
        detail = "offset is at most 5000; a page further into the list begins `after` the id of a row"
    )]
    TooFar,
    #[refusal(
        429,
        "too-many-searches",
        "Too many searches",
        detail = "too many searches by name or distance from this network; try again in a minute",
        retry_after_s = 60
    )]
    TooManySearches,
    #[refusal(400, "invalid-rules", "The rules do not fit", detail = "{0}")]
    InvalidRules(&'static str),
    #[refusal(
        400,
        "invalid-rules",
        "The rules do not fit",
        detail = "time_zone must be UTC or the name of an IANA time zone, as Europe/Lisbon",
        outcome = "unknown_time_zone"
    )]
    UnknownTimeZone,
    #[refusal(
        409,
        "place-closed",
        "The place is closed",
        detail = "the place is closed when the booking would begin or end, or within it",
        outcome = "closed"
    )]
    PlaceClosed,
    #[refusal(
        503,
        "place-crowded",
        "Too many want the place",
        detail = "too many requests for this place or booking; nothing was changed",
        outcome = "crowded",
        retry_after_s = 1
    )]
    PlaceCrowded,
    #[refusal(
        409,
        "booking-begun",
        "The booking has begun",
        detail = "the start of a booking that has begun cannot be moved",
        outcome = "begun"
    )]
    BookingBegun,
    #[refusal(
        404,
        "no-car-booking",
        "The car has no booking",
        detail = "the car has no booking of the place that holds now",
        outcome = "no_car_booking"
    )]
    NoCarBooking,
    #[refusal(
        409,
        "not-yet",
        "The booking begins later",
        detail = "the booking of the car begins later",
        outcome = "not_yet"
    )]
    NotYet,
    #[refusal(
        409,
        "not-inside",
        "The car is not inside",
        detail = "no car with that plate has come to the place and not left it",
        outcome = "not_inside"
    )]
    NotInside,
    #[refusal(
        409,
        "car-inside",
        "The car is inside",
        detail = "the car of the booking stands on the place; to leave earlier, move the end of the booking",
        outcome = "inside"
    )]
    CarInside,
    #[refusal(
        409,
        "kept-by-rules",
        "The price is kept by the rules of the place",
        detail = "this late, the rules of the place keep more of the price than the shorter booking costs",
        outcome = "kept_by_rules"
    )]
    KeptByRules,
    #[refusal(
        400,
        "too-short",
        "The window costs less than a cent",
        detail = "the window costs less than a cent; book a longer one",
        outcome = "too_short"
    )]
    TooShort,
    #[refusal(400, "invalid-place", "The parking place does not fit", detail = "{0}")]
    InvalidPlace(String),
    #[refusal(
        404,
        "unknown-place",
        "No such parking place",
        detail = "there is no such parking place",
        outcome = "unknown_place"
    )]
    UnknownPlace,
    #[refusal(
        404,
        "unknown-booking",
        "No such booking",
        detail = "there is no such booking",
        outcome = "unknown_booking"
    )]
    UnknownBooking,
    #[refusal(
        403,
        "forbidden",
        "Not allowed for this user",
        detail = "not allowed for this user",
        outcome = "forbidden"
    )]
    Forbidden,
    #[refusal(
        409,
        "no_availability",
        "No room",
        detail = "the place is full at some instant of that window",
        outcome = "no_availability"
    )]
    NoAvailability,
    #[refusal(
        400,
        "own-place",
        "The place is the driver's own",
        detail = "owners cannot book their own place",
        outcome = "own_place"
    )]
    OwnPlace,
    #[refusal(
        400,
        "insufficient-funds",
        "Insufficient funds",
        detail = "insufficient funds",
        outcome = "insufficient_funds"
    )]
    InsufficientFunds,
    /// The driver's funds are to be looked at before the place is locked.
    #[refusal(
        internal,
        detail = "the funds of the driver are unknown",
        outcome = "unknown_funds"
    )]
    UnknownFunds,
    #[refusal(
        400,
        "payment-refused",
        "The payment service refused",
        detail = "the payment service refused: the owner's account has reached its limit"
    )]
    PaymentRefused,
    #[refusal(
        503,
        "paid-too-late",
        "The payment service took too long",
        detail = "the payment service took too long; nothing was paid",
        retry_after_s = 1
    )]
    PaidTooLate,
    #[refusal(
        503,
        "payment-unavailable",
        "The payment service does not answer",
        detail = "the payment service does not answer; the booking will be settled when it does",
        retry_after_s = 5
    )]
    PaymentUnavailable,
    #[refusal(
        400,
        "confirmed-by-payment",
        "Bookings are confirmed by their payment",
        detail = "the status Confirmed is handled automatically by payment service"
    )]
    ConfirmedByPayment,
    #[refusal(
        400,
        "not-back",
        "A booking does not go back",
        detail = "a booking cannot go back to Waiting"
    )]
    NotBack,
    #[refusal(
        409,
        "not-confirmed",
        "The booking is not confirmed",
        detail = "only a confirmed booking can be moved",
        outcome = "not_confirmed"
    )]
    NotConfirmed,
    #[refusal(
        409,
        "booking-canceled",
        "The booking is canceled",
        detail = "the booking was canceled meanwhile",
        outcome = "called_off"
    )]
    BookingCanceled,
    #[refusal(
        409,
        "booking-over",
        "The booking is over",
        detail = "the booking is over",
        outcome = "over"
    )]
    BookingOver,
    #[refusal(
        409,
        "booking-busy",
        "The booking is being changed",
        detail = "another change of this booking is being paid",
        outcome = "busy",
        retry_after_s = 1
    )]
    BookingBusy,
    #[refusal(
        409,
        "booked-beyond",
        "Too much is booked",
        detail = "more cars are booked than that capacity has room for",
        outcome = "booked_beyond"
    )]
    BookedBeyond,
    #[refusal(
        409,
        "still-booked",
        "The place is still booked",
        detail = "the place is still booked",
        outcome = "still_booked"
    )]
    StillBooked,
    #[refusal(
        409,
        "price-changed",
        "The price has changed",
        detail = "the price has changed",
        outcome = "price_changed"
    )]
    PriceChanged,
    /// Refusals that the ledger never gives to requests like ours.
    #[refusal(internal, detail = "the ledger refused: {0:?}")]
    Ledger(Refusal),
    #[refusal(transparent)]
    Db(DbError),
}
