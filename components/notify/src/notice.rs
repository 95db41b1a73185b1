//! The notices, one variant per template. For a new variant the compiler asks for its text in every
//! language.

use kit::money::Currency;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// The payload of a `notify` event.
#[derive(Debug, Deserialize)]
pub struct Notify {
    /// The person to tell.
    pub user_id: Uuid,
    pub template: String,
    pub params: Value,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "template", content = "params")]
pub enum Notice {
    #[serde(rename = "booking_created_driver")]
    BookingCreated(Booking),
    #[serde(rename = "booking_created_owner")]
    PlaceBooked(Booking),
    #[serde(rename = "booking_changed_driver")]
    BookingChanged(Booking),
    #[serde(rename = "booking_changed_owner")]
    PlaceBookingChanged(Booking),
    #[serde(rename = "booking_canceled_driver")]
    BookingCanceled(Booking),
    #[serde(rename = "booking_canceled_owner")]
    PlaceBookingCanceled(Booking),
    #[serde(rename = "booking_overstay_driver")]
    LeftLate(LeftLate),
    #[serde(rename = "booking_overstay_owner")]
    PlaceLeftLate(LeftLate),
    #[serde(rename = "booking_overstay_waived_driver")]
    OverstayWaived(Booking),
    #[serde(rename = "booking_ending")]
    BookingEnding(Ending),
    #[serde(rename = "payment_approved")]
    PaymentApproved(Payment),
    #[serde(rename = "payment_refunded")]
    PaymentRefunded(Payment),
    #[serde(rename = "order_ready")]
    OrderReady(Order),
    #[serde(rename = "order_cancelled")]
    OrderCancelled(Order),
    #[serde(rename = "order_refunded")]
    OrderRefunded(Order),
    #[serde(rename = "order_paid_late")]
    OrderPaidLate(Order),
    #[serde(rename = "fine_issued")]
    FineIssued(Fine),
    #[serde(rename = "fine_paid")]
    FinePaid(Fine),
    #[serde(rename = "fine_part_paid")]
    FinePartPaid(Fine),
    #[serde(rename = "fine_payment_returned")]
    FinePaymentReturned(Fine),
    #[serde(rename = "fine_part_ending")]
    FinePartEnding(Fine),
    #[serde(rename = "discount_ending")]
    DiscountEnding(Fine),
    #[serde(rename = "appeal_accepted")]
    AppealAccepted(Fine),
    #[serde(rename = "appeal_rejected")]
    AppealRejected(Fine),
    #[serde(rename = "parking_ending")]
    ParkingEnding(Parking),
    #[serde(rename = "parking_over")]
    ParkingOver(Parking),
    #[serde(rename = "webhook_disabled")]
    WebhookDisabled(Disabled),
    #[serde(rename = "password-reset")]
    PasswordReset(Letter),
    #[serde(rename = "verify-email")]
    VerifyEmail(Letter),
    #[serde(rename = "password-changed")]
    PasswordChanged(Origin),
    #[serde(rename = "refresh-token-reused")]
    TokenReused(Origin),
    #[serde(rename = "second-factor-removed")]
    FactorRemoved(Origin),
    #[serde(rename = "second-factor-added")]
    FactorAdded(Origin),
    #[serde(rename = "own-factor-removed")]
    OwnFactorRemoved(Origin),
    #[serde(rename = "backup-codes-renewed")]
    BackupCodesRenewed(Origin),
    #[serde(rename = "personal-token-made")]
    PersonalTokenMade(Origin),
    #[serde(rename = "new-sign-in")]
    NewSignIn(Origin),
    #[serde(rename = "money-withdrawn")]
    MoneyWithdrawn(Payment),
    #[serde(rename = "destination-added")]
    DestinationAdded(Destination),
    #[serde(rename = "email-changed")]
    EmailChanged(FormerMailbox),
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Times are `YYYY-MM-DD HH:MM` in the time zone of the place.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Booking {
    pub booking_id: i64,
    pub place: String,
    pub address: String,
    pub date_from: String,
    pub date_to: String,
    #[serde(default = "utc")]
    pub time_zone: String,
    pub amount_cents: i64,
    pub currency: Currency,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Ending {
    pub booking_id: i64,
    pub place: String,
    pub date_to: String,
    #[serde(default = "utc")]
    pub time_zone: String,
}

/// A car that left after the end of its booking.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LeftLate {
    #[serde(flatten)]
    pub booking: Booking,
    pub left_at: String,
}

/// Money that came from outside or went outside.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Payment {
    /// The name that the seller gave to it, or the account that it left.
    pub reference: String,
    pub amount_cents: i64,
    pub currency: Currency,
}

/// An order of a shop.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Order {
    pub order_id: i64,
    /// The number that the counter calls out.
    pub number: i32,
    pub shop: String,
    pub amount_cents: i64,
    pub currency: Currency,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Fine {
    pub fine_id: i64,
    /// Of the car.
    pub plate: String,
    pub zone: String,
    pub amount_cents: i64,
    pub currency: Currency,
}

/// A ticket of a parking zone.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Parking {
    pub plate: String,
    pub zone: String,
    pub date_to: String,
}

/// A webhook that is not called any more.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Disabled {
    pub url: String,
    pub reason: String,
}

/// A code that proves access to a mailbox.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Letter {
    pub email: String,
    pub token: String,
    pub minutes: i64,
}

/// The network address from which something was done.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Origin {
    pub address: String,
}

/// A destination of cash-outs, and from when on it can be used: `YYYY-MM-DD HH:MM` in UTC.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Destination {
    /// Masked.
    pub account: String,
    pub usable_at: String,
}

/// The previous address of an account.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct FormerMailbox {
    pub email: String,
    pub address: String,
}

/// The templates that webhooks can be told about.
pub const ACTIVITIES: [&str; 26] = [
    "booking_created_driver",
    "booking_created_owner",
    "booking_changed_driver",
    "booking_changed_owner",
    "booking_canceled_driver",
    "booking_canceled_owner",
    "booking_overstay_driver",
    "booking_overstay_owner",
    "booking_overstay_waived_driver",
    "booking_ending",
    "payment_approved",
    "payment_refunded",
    "order_ready",
    "order_cancelled",
    "order_refunded",
    "order_paid_late",
    "fine_issued",
    "fine_paid",
    "fine_part_paid",
    "fine_payment_returned",
    "fine_part_ending",
    "discount_ending",
    "appeal_accepted",
    "appeal_rejected",
    "parking_ending",
    "parking_over",
];

/// Which channels a notice uses.
#[derive(Debug, PartialEq, Eq)]
pub enum Concern<'a> {
    /// The channels that the person chose.
    Activity,
    /// Telegram and e-mail, as the person chose. No webhook is told about webhooks in trouble.
    Programs,
    /// Telegram and the proven e-mail, also against the choice of the person: an attacker may have caused the event, or changed the
    /// choice.
    Security,
    /// Only this mailbox: the notice proves that its owner can read it, or it concerns the previous address.
    Mailbox(&'a str),
}

impl Notice {
    pub fn read(notify: &Notify) -> Result<Self, serde_json::Error> {
        serde_json::from_value(serde_json::json!({
            "template": notify.template,
            "params": notify.params,
        }))
    }

    /// Whether the notice may wait for the digest, because it is still useful some hours later.
    pub fn can_wait(&self) -> bool {
        let is_soon = matches!(
            self,
            Self::BookingEnding(_)
                | Self::OrderReady(_)
                | Self::FinePartEnding(_)
                | Self::DiscountEnding(_)
                | Self::ParkingEnding(_)
                | Self::ParkingOver(_)
        );
        !is_soon && matches!(self.concern(), Concern::Activity | Concern::Programs)
    }

    pub fn concern(&self) -> Concern<'_> {
        match self {
            Self::BookingCreated(_)
            | Self::PlaceBooked(_)
            | Self::BookingChanged(_)
            | Self::PlaceBookingChanged(_)
            | Self::BookingCanceled(_)
            | Self::PlaceBookingCanceled(_)
            | Self::LeftLate(_)
            | Self::PlaceLeftLate(_)
            | Self::OverstayWaived(_)
            | Self::BookingEnding(_)
            | Self::PaymentApproved(_)
            | Self::PaymentRefunded(_)
            | Self::OrderReady(_)
            | Self::OrderCancelled(_)
            | Self::OrderRefunded(_)
            | Self::OrderPaidLate(_)
            | Self::FineIssued(_)
            | Self::FinePaid(_)
            | Self::FinePartPaid(_)
            | Self::FinePaymentReturned(_)
            | Self::FinePartEnding(_)
            | Self::DiscountEnding(_)
            | Self::AppealAccepted(_)
            | Self::AppealRejected(_)
            | Self::ParkingEnding(_)
            | Self::ParkingOver(_) => Concern::Activity,
            Self::WebhookDisabled(_) => Concern::Programs,
            Self::PasswordChanged(_)
            | Self::TokenReused(_)
            | Self::FactorRemoved(_)
            | Self::FactorAdded(_)
            | Self::OwnFactorRemoved(_)
            | Self::BackupCodesRenewed(_)
            | Self::PersonalTokenMade(_)
            | Self::NewSignIn(_)
            | Self::MoneyWithdrawn(_)
            | Self::DestinationAdded(_) => Concern::Security,
            Self::EmailChanged(it) => Concern::Mailbox(&it.email),
            Self::PasswordReset(letter) | Self::VerifyEmail(letter) => {
                Concern::Mailbox(&letter.email)
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// One event per template.
    pub fn each() -> Vec<Notify> {
        let booking = json!({
            "booking_id": 17,
            "place": "Main Garage",
            "address": "1 Main St",
            "date_from": "2026-11-21 09:00",
            "date_to": "2026-11-21 11:30",
            "amount_cents": 1250,
            "currency": "USD",
        });
        let mut late = booking.clone();
        late["left_at"] = "2026-11-21 12:10".into();
        let ending =
            json!({ "booking_id": 17, "place": "Main Garage", "date_to": "2026-11-21 11:30" });
        let payment = json!({ "reference": "main", "amount_cents": 5000, "currency": "BRL" });
        let order = json!({
            "order_id": 4711,
            "number": 42,
            "shop": "Lanchonete",
            "amount_cents": 2550,
            "currency": "BRL",
        });
        let fine = json!({
            "fine_id": 9,
            "plate": "ABC1D23",
            "zone": "Centro",
            "amount_cents": 19523,
            "currency": "BRL",
        });
        let parking =
            json!({ "plate": "ABC1D23", "zone": "Centro", "date_to": "2026-11-21 11:30" });
        let disabled =
            json!({ "url": "https://hooks.example.com/in", "reason": "it answered 410 Gone" });
        let letter = json!({ "email": "ana@example.com", "token": "s3cr3t", "minutes": 30 });
        let from = json!({ "address": "203.0.113.7" });
        let destination = json!({ "account": "****6789", "usable_at": "2026-11-22 09:00" });
        let moved = json!({ "email": "ana@example.com", "address": "203.0.113.7" });
        [
            ("booking_created_driver", &booking),
            ("booking_created_owner", &booking),
            ("booking_changed_driver", &booking),
            ("booking_changed_owner", &booking),
            ("booking_canceled_driver", &booking),
            ("booking_canceled_owner", &booking),
            ("booking_overstay_driver", &late),
            ("booking_overstay_owner", &late),
            ("booking_overstay_waived_driver", &booking),
            ("booking_ending", &ending),
            ("payment_approved", &payment),
            ("payment_refunded", &payment),
            ("order_ready", &order),
            ("order_cancelled", &order),
            ("order_refunded", &order),
            ("order_paid_late", &order),
            ("fine_issued", &fine),
            ("fine_paid", &fine),
            ("fine_part_paid", &fine),
            ("fine_payment_returned", &fine),
            ("fine_part_ending", &fine),
            ("discount_ending", &fine),
            ("appeal_accepted", &fine),
            ("appeal_rejected", &fine),
            ("parking_ending", &parking),
            ("parking_over", &parking),
            ("webhook_disabled", &disabled),
            ("password-reset", &letter),
            ("verify-email", &letter),
            ("password-changed", &from),
            ("refresh-token-reused", &from),
            ("second-factor-removed", &from),
            ("second-factor-added", &from),
            ("own-factor-removed", &from),
            ("backup-codes-renewed", &from),
            ("personal-token-made", &from),
            ("new-sign-in", &from),
            ("money-withdrawn", &payment),
            ("destination-added", &destination),
            ("email-changed", &moved),
        ]
        .into_iter()
        .map(|(template, params)| Notify {
            user_id: Uuid::from_u128(7),
            template: template.to_owned(),
            params: params.clone(),
        })
        .collect()
    }

    #[test]
    fn every_template_is_read() {
        for notify in each() {
            assert!(Notice::read(&notify).is_ok(), "{}", notify.template);
        }
    }

    #[test]
    fn activities_are_the_templates_of_that_concern() {
        let chosen: Vec<String> = each()
            .into_iter()
            .filter(|it| Notice::read(it).unwrap().concern() == Concern::Activity)
            .map(|it| it.template)
            .collect();
        assert_eq!(chosen, ACTIVITIES);
    }

    #[test]
    fn an_unknown_template_and_a_missing_parameter_are_refused() {
        let notify = |template: &str, params: Value| Notify {
            user_id: Uuid::nil(),
            template: template.to_owned(),
            params,
        };
        assert!(Notice::read(&notify("hello", json!({}))).is_err());
        assert!(Notice::read(&notify("booking_ending", json!({ "place": "x" }))).is_err());
    }

    #[test]
    fn a_secret_goes_to_a_mailbox_and_nowhere_else() {
        for notify in each() {
            let notice = Notice::read(&notify).unwrap();
            let is_secret = notify.params.get("token").is_some();
            assert!(!is_secret || matches!(notice.concern(), Concern::Mailbox(_)));
        }
    }
}
