//! English.

use kit::Language;
use kit::money::Currency;

use super::{Message, message};
use crate::notice::{Booking, Notice};

pub fn say(notice: &Notice) -> Message {
    match notice {
        Notice::BookingCreated(it) => message(
            format!("Booking {} is confirmed", it.booking_id),
            format!("{}\nPaid: {}", place_and_time(it), price(it)),
        ),
        Notice::PlaceBooked(it) => message(
            format!("New booking {} of {}", it.booking_id, it.place),
            format!("{}\nYours when it ends: {}", place_and_time(it), price(it)),
        ),
        Notice::BookingChanged(it) => message(
            format!("Booking {} was changed", it.booking_id),
            format!("{}\nPrice: {}", place_and_time(it), price(it)),
        ),
        Notice::PlaceBookingChanged(it) => message(
            format!("Booking {} of {} was changed", it.booking_id, it.place),
            format!("{}\nPrice: {}", place_and_time(it), price(it)),
        ),
        Notice::BookingCanceled(it) => message(
            format!("Booking {} was canceled", it.booking_id),
            format!("{}\nYou get back: {}", place_and_time(it), price(it)),
        ),
        Notice::PlaceBookingCanceled(it) => message(
            format!("Booking {} of {} was canceled", it.booking_id, it.place),
            place_and_time(it),
        ),
        Notice::LeftLate(it) => message(
            format!(
                "Your car left after the end of booking {}",
                it.booking.booking_id
            ),
            format!(
                "{}\nLeft: {} {}\nTo pay: {}. What your wallet lacks stays owed.",
                place_and_time(&it.booking),
                it.left_at,
                it.booking.time_zone,
                price(&it.booking)
            ),
        ),
        Notice::PlaceLeftLate(it) => message(
            format!(
                "The car of booking {} of {} left late",
                it.booking.booking_id, it.booking.place
            ),
            format!(
                "{}\nLeft: {} {}\nThe driver pays: {}",
                place_and_time(&it.booking),
                it.left_at,
                it.booking.time_zone,
                price(&it.booking)
            ),
        ),
        Notice::OverstayWaived(it) => message(
            format!(
                "The late departure of booking {} costs nothing",
                it.booking_id
            ),
            format!("{}\nYou get back: {}", place_and_time(it), price(it)),
        ),
        Notice::BookingEnding(it) => message(
            format!("Booking {} ends soon", it.booking_id),
            format!("{}, until {} {}.", it.place, it.date_to, it.time_zone),
        ),
        Notice::PaymentApproved(it) => message(
            format!("Payment received: {}", money(it.amount_cents, it.currency)),
            format!("For {}.", it.reference),
        ),
        Notice::PaymentRefunded(it) => message(
            format!("Payment sent back: {}", money(it.amount_cents, it.currency)),
            format!("It was for {}.", it.reference),
        ),
        Notice::OrderReady(it) => message(
            format!("Order {} is ready", it.number),
            format!("Fetch it at {}.", it.shop),
        ),
        Notice::OrderCancelled(it) => message(
            format!("Order {} is cancelled", it.number),
            format!("{}: nothing was paid.", it.shop),
        ),
        Notice::OrderRefunded(it) => message(
            format!("Order {} is refunded", it.number),
            format!(
                "{}: it was not served. You get back: {}",
                it.shop,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::OrderPaidLate(it) => message(
            format!("Order {} was paid too late", it.number),
            format!(
                "{}: it no longer waited for this payment. You get back: {}",
                it.shop,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FineIssued(it) => message(
            format!("Fine {} for {}", it.fine_id, it.plate),
            format!(
                "{}\nTo pay: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FinePaid(it) => message(
            format!("Fine {} for {} is paid", it.fine_id, it.plate),
            format!("{}\nPaid: {}", it.zone, money(it.amount_cents, it.currency)),
        ),
        Notice::FinePartPaid(it) => message(
            format!("A part of fine {} for {} is paid", it.fine_id, it.plate),
            format!("{}\nPaid: {}", it.zone, money(it.amount_cents, it.currency)),
        ),
        Notice::FinePaymentReturned(it) => message(
            format!(
                "The payment of fine {} for {} was taken back",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nTo pay: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::FinePartEnding(it) => message(
            format!(
                "The next part of fine {} for {} is due soon",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nTo pay within two days: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::DiscountEnding(it) => message(
            format!(
                "The discount on fine {} for {} ends soon",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nTo pay until then: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::AppealAccepted(it) => message(
            format!(
                "Your appeal against fine {} for {} was accepted",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nThe fine is cancelled. You get back: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::AppealRejected(it) => message(
            format!(
                "Your appeal against fine {} for {} was rejected",
                it.fine_id, it.plate
            ),
            format!(
                "{}\nTo pay: {}",
                it.zone,
                money(it.amount_cents, it.currency)
            ),
        ),
        Notice::ParkingEnding(it) => message(
            format!("The parking time of {} ends soon", it.plate),
            format!("{}, until {} UTC.", it.zone, it.date_to),
        ),
        Notice::WebhookDisabled(it) => message(
            "Your webhook was disabled",
            format!(
                "{} is not called any more: {}. What it missed waits; enable it to have it delivered.",
                it.url, it.reason
            ),
        ),
        Notice::ParkingOver(it) => message(
            format!("The parking time of {} is over", it.plate),
            format!("{}, since {} UTC.", it.zone, it.date_to),
        ),
        Notice::PasswordReset(it) => message(
            "A new password",
            format!(
                "Somebody, hopefully you, asked for a new password. Your code, good for {} minutes:\n\n{}\n\nIf it was \
                 not you, do nothing: your password stays as it is.",
                it.minutes, it.token
            ),
        ),
        Notice::VerifyEmail(it) => message(
            "Is this your e-mail address?",
            format!(
                "The code that proves it, good for {} minutes:\n\n{}\n\nIf you did not ask for it, do nothing.",
                it.minutes, it.token
            ),
        ),
        Notice::PasswordChanged(it) => message(
            "Your password was changed",
            format!(
                "It was done from {}. If that was not you, ask for a new password now.",
                it.address
            ),
        ),
        Notice::TokenReused(it) => message(
            "You were signed out for safety",
            format!(
                "A sign-in of yours was used a second time, from {}. It may have been copied, so it was ended. If \
                 that was not you, change your password.",
                it.address
            ),
        ),
        Notice::FactorRemoved(it) => message(
            "Your second factor was removed",
            format!(
                "An admin did it, from {}. If you did not ask for it, change your password and set it up again.",
                it.address
            ),
        ),
        Notice::FactorAdded(it) => message(
            "A second factor was added",
            format!(
                "It was done from {}. Your sign-ins ask for its code from now on. If that was not you, ask for a new password and turn to an admin.",
                it.address
            ),
        ),
        Notice::OwnFactorRemoved(it) => message(
            "Your second factor was removed",
            format!(
                "It was done from {}, with a code. If that was not you, change your password now.",
                it.address
            ),
        ),
        Notice::BackupCodesRenewed(it) => message(
            "Your backup codes were renewed",
            format!(
                "It was done from {}. The earlier ones are void. If that was not you, change your password now.",
                it.address
            ),
        ),
        Notice::PersonalTokenMade(it) => message(
            "A personal access token was created",
            format!(
                "It was done from {}. If that was not you, end the token and change your password.",
                it.address
            ),
        ),
        Notice::NewSignIn(it) => message(
            "A sign-in from a new place",
            format!(
                "Your account was signed in to from {}, where it had not been before. If that was not you, change your password.",
                it.address
            ),
        ),
        Notice::MoneyWithdrawn(it) => message(
            format!(
                "Money was withdrawn: {}",
                money(it.amount_cents, it.currency)
            ),
            format!(
                "It left your account {}. If that was not you, change your password now and turn to an admin.",
                it.reference
            ),
        ),
        Notice::DestinationAdded(it) => message(
            "A destination for your money was added",
            format!(
                "Your wallet can be cashed out to {} from {} UTC on. If that was not you, remove the destination and \
                 change your password before.",
                it.account, it.usable_at
            ),
        ),
        Notice::EmailChanged(it) => message(
            "Your e-mail address was changed",
            format!(
                "Your account does not use this address any more; it was done from {}. If that was not you, turn \
                 to an admin.",
                it.address
            ),
        ),
    }
}

fn place_and_time(it: &Booking) -> String {
    format!(
        "{}, {}\nFrom {} to {} {}",
        it.place, it.address, it.date_from, it.date_to, it.time_zone
    )
}

fn price(it: &Booking) -> String {
    money(it.amount_cents, it.currency)
}

fn money(cents: i64, currency: Currency) -> String {
    Language::En.money(cents, currency)
}
