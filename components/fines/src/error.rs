//! Every refusal of this component.

use kit::Refusals;
use kit::store::DbError;

use crate::bindings::wharf::payments::checkout;
use crate::bindings::wharf::payments::ledger;
use crate::geometry::Fault;

#[derive(Debug, Refusals)]
#[refusals(done(
    "created",
    "changed",
    "removed",
    "listed",
    "shown",
    "assigned",
    "registered"
))]
#[refusals(done(
    "uncovered",
    "to_pay",
    "settled",
    "paid",
    "void",
    "ended",
    "valid",
    "grace",
    "expired",
    "none"
))]
pub enum Error {
    // Zones.
    #[refusal(400, "invalid-zone", "The zone does not fit", detail = "{0}")]
    InvalidZone(&'static str),
    #[refusal(
        400,
        "invalid-geometry",
        "The geometry does not fit",
        detail = "{0}",
        field = "/geometry",
        from
    )]
    InvalidGeometry(Fault),
    #[refusal(
        400,
        "invalid-rules",
        "The rules do not fit",
        detail = "{0}",
        field = "/rules"
    )]
    InvalidRules(&'static str),
    #[refusal(
        400,
        "zone-overlap",
        "Zones overlap",
        detail = "the geometry covers ground of zone {0}"
    )]
    ZoneOverlap(i64),
    #[refusal(
        409,
        "zone-exists",
        "The zone exists",
        detail = "another zone has that name",
        outcome = "zone_exists"
    )]
    ZoneExists,
    #[refusal(
        404,
        "unknown-zone",
        "No such zone",
        detail = "there is no such zone",
        outcome = "unknown_zone"
    )]
    UnknownZone,
    #[refusal(
        403,
        "forbidden",
        "Not allowed for this user",
        detail = "not allowed for this user in this zone",
        outcome = "forbidden"
    )]
    Forbidden,
    #[refusal(
        503,
        "zone-changing",
        "The zone is being changed",
        detail = "zones change right now",
        outcome = "stale",
        retry_after_s = 1
    )]
    Stale,
    #[refusal(404, "unknown-user", "No such user", detail = "there is no such user")]
    UnknownUser,
    #[refusal(
        404,
        "no-zone-users",
        "No such users",
        detail = "no such user holds a role in the zone",
        outcome = "no_users"
    )]
    NoZoneUsers,
    #[refusal(
        409,
        "role-assigned",
        "The role is assigned",
        detail = "the user holds that role in the zone",
        outcome = "role_assigned"
    )]
    RoleAssigned,
    #[refusal(
        404,
        "no-zone-here",
        "No zone here",
        detail = "no zone covers that place"
    )]
    NoZoneHere,
    #[refusal(
        400,
        "invalid-place",
        "The place does not fit",
        detail = "lat is -90 to 90, and lon -180 to 180"
    )]
    InvalidPlace,

    // Passcodes and kiosks.
    #[refusal(
        401,
        "wrong-passcode",
        "Wrong passcode",
        detail = "the passcode is wrong, used up or too old"
    )]
    WrongPasscode,
    #[refusal(
        404,
        "no-zones",
        "No zones",
        detail = "no zone belongs to that passcode"
    )]
    NoZones,
    #[refusal(
        429,
        "too-many-tries",
        "Too many tries",
        detail = "too many wrong passcodes from this address",
        retry_after_s = 60
    )]
    TooManyTries,
    #[refusal(400, "invalid-totem", "The totem does not fit", detail = "{0}")]
    InvalidTotem(&'static str),
    #[refusal(
        409,
        "totem-registered",
        "The totem is registered",
        detail = "a totem with that id is registered",
        outcome = "totem_registered",
        constraint = "totem_registered_once"
    )]
    TotemRegistered,
    #[refusal(
        404,
        "unknown-totem",
        "No such totem",
        detail = "there is no such totem",
        outcome = "unknown_totem"
    )]
    UnknownTotem,

    // Cars and tickets.
    #[refusal(400, "invalid-car", "The car does not fit", detail = "{0}")]
    InvalidCar(&'static str),
    #[refusal(
        404,
        "unknown-car",
        "No such car",
        detail = "there is no car with that plate",
        outcome = "unknown_car"
    )]
    UnknownCar,
    #[refusal(
        409,
        "plate-taken",
        "The plate is taken",
        detail = "a car with that plate is registered",
        outcome = "plate_taken"
    )]
    PlateTaken,
    #[refusal(400, "invalid-ticket", "The ticket does not fit", detail = "{0}")]
    InvalidTicket(&'static str),
    #[refusal(
        400,
        "stay-too-long",
        "The stay is too long",
        detail = "a stay there lasts at most {0} minutes"
    )]
    StayTooLong(u32),
    #[refusal(
        400,
        "price-out-of-range",
        "The price is out of range",
        detail = "the price of that stay is out of range"
    )]
    PriceOutOfRange,
    #[refusal(
        409,
        "zone-unavailable",
        "The zone is unavailable",
        detail = "no tickets are sold in that zone now",
        outcome = "zone_unavailable"
    )]
    ZoneUnavailable,
    #[refusal(
        409,
        "already-extended",
        "The ticket was extended",
        detail = "the ticket was extended meanwhile",
        outcome = "already_extended"
    )]
    AlreadyExtended,
    #[refusal(
        404,
        "unknown-ticket",
        "No such ticket",
        detail = "there is no such ticket",
        outcome = "unknown_ticket"
    )]
    UnknownTicket,
    #[refusal(
        409,
        "already-paid",
        "It is paid",
        detail = "it is paid already",
        outcome = "already_paid"
    )]
    AlreadyPaid,
    #[refusal(
        409,
        "ticket-over",
        "The ticket is over",
        detail = "the ticket's time is over",
        outcome = "ticket_over"
    )]
    TicketOver,
    #[refusal(
        409,
        "ticket-unpaid",
        "The ticket is not paid",
        detail = "the ticket is not paid",
        outcome = "ticket_unpaid"
    )]
    TicketUnpaid,
    #[refusal(
        409,
        "ticket-changed",
        "The ticket has changed",
        detail = "the ticket, or the one that it extends, was changed meanwhile",
        outcome = "ticket_changed"
    )]
    TicketChanged,

    // Checks and fines.
    #[refusal(400, "invalid-fine", "The fine does not fit", detail = "{0}")]
    InvalidFine(&'static str),
    #[refusal(
        404,
        "unknown-fine",
        "No such fine",
        detail = "there is no such fine",
        outcome = "unknown_fine"
    )]
    UnknownFine,
    #[refusal(
        404,
        "unknown-code",
        "No such code",
        detail = "the catalogue has no such code",
        outcome = "unknown_code"
    )]
    UnknownCode,
    #[refusal(
        400,
        "other-currency",
        "Another currency",
        detail = "the code's amount is in another currency than the zone's",
        outcome = "other_currency"
    )]
    OtherCurrency,
    #[refusal(
        400,
        "other-amount",
        "Another amount",
        detail = "the amount is not that of the code",
        outcome = "other_amount"
    )]
    OtherAmount,
    #[refusal(
        409,
        "already-fined",
        "The car is fined",
        detail = "the car was fined for the same thing a moment ago",
        outcome = "already_fined"
    )]
    AlreadyFined,
    #[refusal(
        409,
        "covered",
        "The car is covered",
        detail = "a ticket, a booking or the grace after it covers the car; an admin of the zone may override it with a reason",
        outcome = "covered"
    )]
    Covered,
    #[refusal(
        409,
        "fine-cancelled",
        "The fine is cancelled",
        detail = "the fine is cancelled",
        outcome = "fine_cancelled"
    )]
    FineCancelled,
    #[refusal(
        409,
        "no-waiver",
        "No waiver",
        detail = "the fine has no discount for giving up the appeal",
        outcome = "no_waiver"
    )]
    NoWaiver,

    // Plans.
    #[refusal(
        409,
        "no-plan",
        "No such plan",
        detail = "the fine is not paid in so many parts",
        outcome = "no_plan"
    )]
    NoPlan,
    #[refusal(
        409,
        "plan-chosen",
        "The plan is chosen",
        detail = "the fine has a plan already; pay its next part",
        outcome = "plan_chosen"
    )]
    PlanChosen,
    #[refusal(
        404,
        "unknown-part",
        "No such part",
        detail = "the fine has no plan with such a part",
        outcome = "unknown_part"
    )]
    UnknownPart,
    #[refusal(
        409,
        "plan-over",
        "The plan is over",
        detail = "a part was not paid in time: the rest of the fine is due at once",
        outcome = "plan_over"
    )]
    PlanOver,
    #[refusal(
        409,
        "part-early",
        "An earlier part comes first",
        detail = "the parts before it are not paid",
        outcome = "part_early"
    )]
    PartEarly,

    // Appeals.
    #[refusal(
        400,
        "invalid-text",
        "The text does not fit",
        detail = "a text has 1 to 4000 characters"
    )]
    InvalidText,
    #[refusal(
        409,
        "appealed",
        "The fine was appealed",
        detail = "the fine was appealed already",
        outcome = "appealed_already"
    )]
    Appealed,
    #[refusal(
        409,
        "appeal-waived",
        "The appeal was given up",
        detail = "the fine was paid with the discount for giving up the appeal",
        outcome = "appeal_waived"
    )]
    AppealWaived,
    #[refusal(
        409,
        "appeal-too-late",
        "Too late to appeal",
        detail = "the time to appeal is over",
        outcome = "appeal_too_late"
    )]
    AppealTooLate,
    #[refusal(
        404,
        "unknown-appeal",
        "No such appeal",
        detail = "there is no such appeal",
        outcome = "unknown_appeal"
    )]
    UnknownAppeal,
    #[refusal(
        409,
        "appeal-over",
        "The appeal is over",
        detail = "the appeal is over",
        outcome = "appeal_over"
    )]
    AppealOver,
    #[refusal(
        409,
        "appeal-open",
        "An appeal is open",
        detail = "the fine was paid and its appeal is open; decide the appeal first",
        outcome = "appeal_open"
    )]
    AppealOpen,
    #[refusal(
        403,
        "own-decision",
        "The issuer does not decide",
        detail = "the issuer of a fine does not decide its appeal",
        outcome = "own_decision"
    )]
    OwnDecision,

    // Photos.
    #[refusal(400, "invalid-photo", "The photo does not fit", detail = "{0}")]
    InvalidPhoto(&'static str),
    #[refusal(
        404,
        "unknown-photo",
        "No such photo",
        detail = "there is no such photo of yours"
    )]
    UnknownPhoto,
    #[refusal(
        409,
        "photos-closed",
        "No photo can be added",
        detail = "staff of the zone add photos within a week, the driver while an appeal is open",
        outcome = "photos_closed"
    )]
    PhotosClosed,
    #[refusal(
        409,
        "too-many-photos",
        "Too many photos",
        detail = "a fine has at most ten photos of each side",
        outcome = "too_many_photos"
    )]
    TooManyPhotos,
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

    // Money.
    #[refusal(
        402,
        "insufficient-funds",
        "Insufficient funds",
        detail = "the wallet does not suffice; pay at the address in the Link header"
    )]
    InsufficientFunds,
    #[refusal(
        409,
        "payment-running",
        "Another payment is running",
        detail = "another wallet is paying right now",
        outcome = "busy",
        retry_after_s = 1
    )]
    PaymentRunning,
    #[refusal(
        409,
        "payment-refused",
        "The payment service refused",
        detail = "the payment service refused the payment"
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
        detail = "the payment service does not answer; the payment will be settled when it does",
        retry_after_s = 5
    )]
    PaymentUnavailable,
    #[refusal(
        503,
        "signin-unavailable",
        "Sign-in does not answer",
        detail = "sign-in does not answer",
        retry_after_s = 5
    )]
    SigninUnavailable,
    #[refusal(
        503,
        "bookings-unavailable",
        "Bookings does not answer",
        detail = "bookings does not answer, so it is not known what covers the car",
        retry_after_s = 5
    )]
    BookingsUnavailable,
    /// Refusals that the ledger never gives to requests like ours.
    #[refusal(internal, detail = "the ledger refused: {0:?}")]
    Ledger(ledger::Refusal),
    #[refusal(internal, detail = "the checkout refused: {0:?}")]
    Checkout(checkout::Refusal),
    #[refusal(internal, detail = "stored data or a setting is invalid: {0}")]
    Stored(&'static str),
    #[refusal(transparent)]
    Setting(kit::Unset),
    #[refusal(transparent)]
    S3(kit::store::s3::S3Error),
    #[refusal(transparent)]
    Db(DbError),
}
