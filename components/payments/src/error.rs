//! Every refusal of this component.

use kit::store::DbError;
use kit::{Refusals, Unset};

use crate::attempt::Verdict;
use crate::checkout::Status;
use crate::psp::Failure;
use crate::qr::QrError;

#[derive(Debug, Refusals)]
// `nothing_left` is the one refusal that comes with a number: `store` reads it.
#[refusals(done("moved", "replayed", "nothing_left", "opened", "coined", "withdrawn"))]
#[refusals(done("accepted", "concluded", "changed_to", "changed", "proposed"))]
pub enum Error {
    #[refusal(
        400,
        "insufficient-funds",
        "Insufficient funds",
        detail = "insufficient funds",
        outcome = "insufficient_funds"
    )]
    InsufficientFunds,
    /// Raised for the part of the debt that the user's money does not cover.
    #[refusal(
        409,
        "receivable-open",
        "A payment that was taken back is not settled",
        detail = "a payment to your account was taken back by its payer; money can be moved again once the debt is settled",
        outcome = "receivable_open"
    )]
    Owes,
    #[refusal(
        400,
        "limit-reached",
        "The account would hold too much",
        detail = "the account would hold more than 1000000000000 minor units",
        outcome = "limit_reached"
    )]
    LimitReached,
    #[refusal(
        400,
        "same-account",
        "Both sides are the same account",
        detail = "money cannot be sent to the account it comes from",
        outcome = "same_account"
    )]
    SameAccount,
    #[refusal(
        404,
        "unknown-account",
        "No such account",
        detail = "there is no such account",
        outcome = "unknown_account"
    )]
    UnknownAccount,
    #[refusal(
        400,
        "other-currency",
        "The currencies differ",
        detail = "the accounts have different currencies",
        outcome = "other_currency"
    )]
    OtherCurrency,
    #[refusal(
        409,
        "account-taken",
        "The account id is taken",
        detail = "the account id is taken",
        outcome = "name_taken"
    )]
    NameTaken,
    #[refusal(
        403,
        "opening-balance",
        "An account opens with nothing in it",
        detail = "an account opens with a balance of 0; pay money in with a deposit"
    )]
    OpeningNotFree,
    #[refusal(
        400,
        "invalid-amount",
        "An amount is between 1 and 1000000000000 cents"
    )]
    InvalidCents,
    #[refusal(400, "invalid-amount", "An amount is between 0.01 and 10000000000")]
    InvalidAmount,
    /// The same for clients that expect another status.
    #[refusal(422, "invalid-amount", "An amount is between 0.01 and 10000000000")]
    UnfitAmount,
    #[refusal(
        400,
        "too-far",
        "Too many rows to leave out",
        detail = "offset is at most 5000; a page further into the list begins `after` a row, as the Link of the page before names it"
    )]
    TooFar,
    #[refusal(
        404,
        "unknown-payment",
        "No such payment",
        detail = "there is no such payment",
        outcome = "unknown_payment"
    )]
    UnknownPayment,
    #[refusal(
        400,
        "nothing-left",
        "More than is left of the payment",
        detail = "{0} minor units of the payment are left to refund"
    )]
    NothingLeft(i64),
    #[refusal(
        409,
        "voided",
        "The payment was called off",
        detail = "the payment was called off",
        outcome = "voided"
    )]
    Voided,
    #[refusal(
        503,
        "payee-crowded",
        "Too many movements of the same money at once",
        detail = "too many payments to that user, refunds by them or claims of that promo code at once; no money moved",
        outcome = "crowded",
        retry_after_s = 1
    )]
    Crowded,
    /// The same key with another request, detected by the rows of the first one.
    #[refusal(
        422,
        "idempotency-key-reused",
        "This Idempotency-Key was used for another request",
        detail = "this Idempotency-Key was used for another request",
        outcome = "id_taken"
    )]
    IdTaken,
    #[refusal(
        400,
        "invalid-promocode",
        "A promo code is 4 to 100 letters, digits, - and _"
    )]
    InvalidCode,
    /// The refused request is the first admin's proposal.
    #[refusal(
        409,
        "second-admin-needed",
        "A second admin is needed",
        detail = "a code that is worth so much is created by two admins: another one has to ask for the same within a week",
        outcome = "needs_second_admin"
    )]
    SecondAdminNeeded,
    #[refusal(400, "invalid-uses", "A promo code has between 1 and 1000000 uses")]
    InvalidUses,
    #[refusal(
        404,
        "unknown-promocode",
        "No such promo code",
        detail = "promocode not found",
        outcome = "unknown_code"
    )]
    UnknownCode,
    /// Limits guesses at codes, per user and per network.
    #[refusal(
        429,
        "too-many-guesses",
        "Too many unknown promo codes; come back later",
        detail = "too many unknown promo codes; come back later",
        retry_after_s = 600,
        outcome = "too_many_guesses"
    )]
    TooManyGuesses,
    #[refusal(
        400,
        "promocode-used-up",
        "The promo code is used up",
        detail = "promocode has reached maximum uses",
        outcome = "used_up"
    )]
    UsedUp,
    #[refusal(
        400,
        "promocode-used-up",
        "The promo code is used up for you",
        detail = "promocode has reached maximum uses for this user",
        outcome = "used_up_by_user"
    )]
    UsedUpByUser,
    #[refusal(
        400,
        "promocode-expired",
        "The promo code has expired",
        detail = "promocode has expired",
        outcome = "expired"
    )]
    CodeExpired,
    #[refusal(
        400,
        "promocode-taken",
        "The promo code exists already",
        detail = "promocode already exists",
        outcome = "code_taken"
    )]
    CodeTaken,
    #[refusal(
        409,
        "promocode-paid-for",
        "A user paid for the promo code",
        detail = "a user paid for the promocode",
        outcome = "paid_for"
    )]
    CodePaidFor,
    #[refusal(422, "currency-not-for-qr", "A QR code is paid in BRL")]
    NotForQr,
    /// The currency that the provider takes.
    #[refusal(
        422,
        "currency-not-taken",
        "The payment provider does not take this currency",
        detail = "the payment provider takes payments in {0} only"
    )]
    CurrencyNotTaken(&'static str),
    #[refusal(
        400,
        "nothing-asked-for",
        "One of payment_id, order_id and customer_id is needed"
    )]
    NothingAskedFor,
    #[refusal(
        409,
        "wrong-status",
        "The status does not allow it",
        detail = "the status {0} does not allow it"
    )]
    WrongStatus(Status),
    /// An admin sends back only what is in dispute.
    #[refusal(
        409,
        "not-disputed",
        "The payment is not in dispute",
        detail = "the payment at the provider is {0}"
    )]
    NotDisputed(Verdict),
    #[refusal(
        404,
        "unknown-payout",
        "No such payout",
        detail = "there is no such payout",
        outcome = "unknown_payout"
    )]
    UnknownPayout,
    #[refusal(
        409,
        "payout-returned",
        "The payout went back to its account",
        detail = "the payout went back to its account",
        outcome = "payout_returned"
    )]
    PayoutReturned,
    /// Its owner may still cancel it.
    #[refusal(
        409,
        "payout-not-approved",
        "The payout is not approved",
        detail = "a cash-out is approved before it is paid",
        outcome = "payout_not_approved"
    )]
    PayoutNotApproved,
    /// Returning the payout settles the user's debt in its currency.
    #[refusal(
        409,
        "recipient-owes",
        "The user owes a payment that was taken back",
        detail = "the user owes a payment that was taken back, and payouts wait until the debt is settled: a returned payout settles a debt in its currency",
        outcome = "recipient_owes"
    )]
    RecipientOwes,
    #[refusal(
        422,
        "invalid-destination",
        "No account has this number",
        detail = "a Pix key, an IBAN, or the numbers of an account and of its bank, with check digits that fit; a holder's name of 2 to 140 characters"
    )]
    InvalidDestination,
    #[refusal(
        404,
        "unknown-destination",
        "No such destination",
        detail = "there is no such destination",
        outcome = "unknown_destination"
    )]
    UnknownDestination,
    #[refusal(
        409,
        "destination-known",
        "The destination was added before",
        detail = "the destination was added before",
        outcome = "destination_known"
    )]
    DestinationKnown,
    #[refusal(
        409,
        "too-many-destinations",
        "A user has at most 20 destinations",
        detail = "a user has at most 20 destinations; remove one first",
        outcome = "too_many_destinations"
    )]
    TooManyDestinations,
    #[refusal(
        409,
        "destination-waits",
        "The destination is too new",
        detail = "a new destination waits before money is sent there; `usable_at` says until when",
        outcome = "destination_waits"
    )]
    DestinationWaits,
    #[refusal(
        404,
        "unknown-cash-out",
        "No such cash-out",
        detail = "there is no such cash-out",
        outcome = "unknown_cash_out"
    )]
    UnknownCashOut,
    #[refusal(
        409,
        "cash-out-under-way",
        "The cash-out is under way",
        detail = "the cash-out was approved and can no longer be cancelled",
        outcome = "cash_out_under_way"
    )]
    CashOutUnderWay,
    #[refusal(
        404,
        "unknown-receipt",
        "No such receipt",
        detail = "there is no such receipt"
    )]
    UnknownReceipt,
    #[refusal(
        404,
        "unknown-refund",
        "No such refused refund",
        detail = "no refund with this id was refused",
        outcome = "unknown_refund"
    )]
    UnknownRefund,
    /// Other refunds returned so much that less is left than this refund asks for.
    #[refusal(
        409,
        "refunded-otherwise",
        "The payment was refunded otherwise",
        detail = "less of the payment is left than this refund asks for",
        outcome = "refunded_otherwise"
    )]
    RefundedOtherwise,
    #[refusal(
        409,
        "settled-at-provider",
        "A part is settled at the provider",
        detail = "a part of a payment is settled at the provider: send it back there, then retry",
        outcome = "settled_at_provider"
    )]
    SettledAtProvider,
    #[refusal(
        404,
        "unknown-receivable",
        "No such receivable",
        detail = "there is no such receivable",
        outcome = "unknown_receivable"
    )]
    UnknownReceivable,
    #[refusal(
        404,
        "unknown-unclaimed",
        "No such unclaimed money",
        detail = "there is no such unclaimed money",
        outcome = "unknown_unclaimed"
    )]
    UnknownUnclaimed,
    #[refusal(
        404,
        "unknown-claimant",
        "No such claimant",
        detail = "payments knows of no such user",
        outcome = "unknown_claimant"
    )]
    UnknownClaimant,
    /// It would make money that its user may withdraw.
    #[refusal(
        409,
        "not-by-hand",
        "A deposit is not approved by hand",
        detail = "money of a user comes through the provider and not by hand",
        outcome = "not_by_hand"
    )]
    NotByHand,
    #[refusal(
        400,
        "invalid-file-name",
        "A name of a file is 1 to 200 printable characters"
    )]
    InvalidFileName,
    /// The case names the line.
    #[refusal(
        400,
        "invalid-file",
        "The file is no settlement report",
        detail = "line {0} cannot be read: a settlement report has a header, SOURCE_ID, TRANSACTION_TYPE, TRANSACTION_AMOUNT, TRANSACTION_CURRENCY, TRANSACTION_DATE and FEE_AMOUNT among it, and at least one line of a payment or of a payout"
    )]
    InvalidFile(usize),
    #[refusal(404, "unknown-file", "No such file")]
    UnknownFile,
    #[refusal(400, "no-payment-id", "The notification names no payment")]
    NoPaymentId,
    #[refusal(
        401,
        "forged-webhook",
        "The webhook is not from the payment provider",
        detail = "the signature of the webhook does not fit"
    )]
    ForgedWebhook,
    /// The provider's answer is logged where this error is made.
    #[refusal(
        502,
        "refused-by-provider",
        "The payment provider refuses this payment"
    )]
    RefusedByProvider,
    /// Other requests changed the same checkout each time that this one tried to.
    #[refusal(unavailable, detail = "the payment is being changed by other requests")]
    Busy,
    #[refusal(unavailable, detail = "the payment provider does not answer: {0}")]
    ProviderAway(String),
    #[refusal(internal, detail = "the payment provider: {0}")]
    Provider(Failure),
    #[refusal(internal, detail = "{0}", from)]
    Qr(QrError),
    #[refusal(internal, detail = "no random number: {0}", from)]
    Random(getrandom::Error),
    /// An operator has to look: this copy is set up for another database, or the other way round.
    #[refusal(
        unavailable,
        detail = "ALERT money-mode: the variable `sandbox` is not what this database was first used with; no money moves"
    )]
    WrongMode,
    #[refusal(internal, detail = "the variable `{0}` is not a number that fits")]
    WrongSetting(&'static str),
    #[refusal(transparent)]
    Db(DbError),
    #[refusal(transparent)]
    Setting(Unset),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(cause) => Self::ProviderAway(cause),
            Failure::Crowded | Failure::Denied { .. } => Self::ProviderAway(failure.to_string()),
            Failure::Refused { .. } => {
                eprintln!("{failure}");
                Self::RefusedByProvider
            }
            Failure::Setting(unset) => Self::Setting(unset),
            Failure::Unknown | Failure::NotMade(_) | Failure::Nonsense(_) => {
                Self::Provider(failure)
            }
        }
    }
}
