//! The answer to each question.

use super::parse::{
    parse_cents, parse_end, parse_field, parse_moment, parse_parking_type, parse_yes,
};
use super::step::{Act, Field, Reaction, Spot, Step};
use crate::platform::{Credentials, NewPlace, PlaceChange};
use crate::say::Say;

/// The reaction to an answer. One that cannot be read is asked for again.
pub fn take_answer(step: Step, text: String) -> Reaction {
    match step {
        Step::Login => Reaction::Ask(Step::Password { login: text }, Say::AskPassword),
        Step::Password { login } => Reaction::Do(Act::SignIn(Credentials {
            login,
            password: text,
            code: None,
        })),
        Step::PasswordAndCode { login } => match text.trim_end().rsplit_once(char::is_whitespace) {
            Some((password, code)) => Reaction::Do(Act::SignIn(Credentials {
                login,
                password: password.to_owned(),
                code: Some(code.to_owned()),
            })),
            None => Reaction::Ask(Step::PasswordAndCode { login }, Say::AskPasswordAndCode),
        },
        Step::City => Reaction::Do(Act::FindPlaces { city: text }),
        Step::From { place } => match parse_moment(&text) {
            Some(from) => Reaction::Ask(Step::To { place, from }, Say::AskTo),
            None => Reaction::Ask(Step::From { place }, Say::NoMoment),
        },
        Step::To { place, from } => match parse_end(&text, from) {
            Some(to) if to > from => Reaction::Do(Act::Quote { place, from, to }),
            Some(_) => Reaction::Ask(Step::To { place, from }, Say::EndsTooSoon),
            None => Reaction::Ask(Step::To { place, from }, Say::NoMoment),
        },
        Step::Confirm {
            place,
            from,
            to,
            key,
        } => match parse_yes(&text) {
            Some(true) => Reaction::Do(Act::Book {
                place,
                from,
                to,
                key,
            }),
            Some(false) => Reaction::Say(Say::Stopped),
            None => {
                let again = Step::Confirm {
                    place,
                    from,
                    to,
                    key,
                };
                Reaction::Ask(again, Say::YesOrNo)
            }
        },
        Step::ConfirmCancel { booking } => match parse_yes(&text) {
            Some(true) => Reaction::Do(Act::Cancel { booking }),
            Some(false) => Reaction::Say(Say::Stopped),
            None => Reaction::Ask(Step::ConfirmCancel { booking }, Say::YesOrNo),
        },
        Step::Field { place } => match parse_field(&text) {
            Some(field) => Reaction::Ask(Step::NewValue { place, field }, question_of(field)),
            None => Reaction::Ask(Step::Field { place }, Say::NoField),
        },
        Step::NewValue { place, field } => match read_value(field, text) {
            Ok(change) => Reaction::Do(Act::Change { place, change }),
            Err(say) => Reaction::Ask(Step::NewValue { place, field }, say),
        },
        Step::ConfirmRemove { place } => match parse_yes(&text) {
            Some(true) => Reaction::Do(Act::Remove { place }),
            Some(false) => Reaction::Say(Say::Stopped),
            None => Reaction::Ask(Step::ConfirmRemove { place }, Say::YesOrNo),
        },
        Step::Name => Reaction::Ask(Step::PlaceCity { name: text }, Say::AskPlaceCity),
        Step::PlaceCity { name } => {
            Reaction::Ask(Step::Address { name, city: text }, Say::AskAddress)
        }
        Step::Address { name, city } => {
            let address = text;
            let spot = Spot {
                name,
                city,
                address,
            };
            Reaction::Ask(Step::Type { spot }, Say::AskType)
        }
        Step::Type { spot } => match parse_parking_type(&text) {
            Some(parking_type) => Reaction::Ask(Step::Rate { spot, parking_type }, Say::AskRate),
            None => Reaction::Ask(Step::Type { spot }, Say::NoType),
        },
        Step::Rate { spot, parking_type } => match parse_cents(&text) {
            Some(hourly_rate) => {
                let next = Step::Capacity {
                    spot,
                    parking_type,
                    hourly_rate,
                };
                Reaction::Ask(next, Say::AskCapacity)
            }
            None => Reaction::Ask(Step::Rate { spot, parking_type }, Say::NoAmount),
        },
        Step::Capacity {
            spot,
            parking_type,
            hourly_rate,
        } => match text.trim().parse() {
            Ok(capacity) => Reaction::Do(Act::Offer(NewPlace {
                name: spot.name,
                city: spot.city,
                address: spot.address,
                parking_type,
                hourly_rate,
                capacity,
            })),
            Err(_) => {
                let again = Step::Capacity {
                    spot,
                    parking_type,
                    hourly_rate,
                };
                Reaction::Ask(again, Say::NoNumber)
            }
        },
    }
}

fn question_of(field: Field) -> Say {
    match field {
        Field::Name => Say::AskName,
        Field::City => Say::AskPlaceCity,
        Field::Address => Say::AskAddress,
        Field::Type => Say::AskType,
        Field::Rate => Say::AskRate,
        Field::Capacity => Say::AskCapacity,
    }
}

/// The new value of a field, or what to say about one that cannot be read.
fn read_value(field: Field, text: String) -> Result<PlaceChange, Say> {
    match field {
        Field::Name => Ok(PlaceChange::Name(text)),
        Field::City => Ok(PlaceChange::City(text)),
        Field::Address => Ok(PlaceChange::Address(text)),
        Field::Type => parse_parking_type(&text)
            .map(PlaceChange::Type)
            .ok_or(Say::NoType),
        Field::Rate => parse_cents(&text)
            .map(PlaceChange::Rate)
            .ok_or(Say::NoAmount),
        Field::Capacity => match text.trim().parse() {
            Ok(cars) => Ok(PlaceChange::Capacity(cars)),
            Err(_) => Err(Say::NoNumber),
        },
    }
}
