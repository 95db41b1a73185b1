//! What the bot does about what somebody wrote. Pure: it decides, and `bot` carries out.
//!
//! A dialogue is a chain of questions; its [`Step`] is the question that waits for
//! an answer. A command always ends the dialogue and begins what it says.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::platform::{Credentials, NewPlace};
use crate::say::Say;
use crate::update::{Command, Input};

/// The question that waits for an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Login,
    Password {
        login: String,
    },
    /// The password is not kept until its code comes: both are asked for together.
    PasswordAndCode {
        login: String,
    },
    City,
    From {
        place: i64,
    },
    To {
        place: i64,
        from: Timestamp,
    },
    Confirm {
        place: i64,
        from: Timestamp,
        to: Timestamp,
        /// One offer, one booking, however often the answer comes.
        key: Uuid,
    },
    ConfirmCancel {
        booking: i64,
    },
    Name,
    PlaceCity {
        name: String,
    },
    Address {
        name: String,
        city: String,
    },
    Type {
        spot: Spot,
    },
    Rate {
        spot: Spot,
        parking_type: String,
    },
    Capacity {
        spot: Spot,
        parking_type: String,
        hourly_rate: i64,
    },
}

/// Where a place is that is being described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    pub name: String,
    pub city: String,
    pub address: String,
}

/// What is done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// The dialogue, if there was one, is over.
    Say(Say),
    /// The question waits for an answer.
    Ask(Step, Say),
    /// Others are asked first, and the dialogue is over unless they say otherwise.
    Do(Act),
}

/// What needs others.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Tell that this chat wants to hear from us.
    Welcome,
    Help,
    SignIn(Credentials),
    SignOut,
    ShowBalance,
    ListBookings,
    ListPlaces,
    FindPlaces {
        city: String,
    },
    /// Begins to book a place, if there is one.
    BeginBooking {
        place: i64,
    },
    Quote {
        place: i64,
        from: Timestamp,
        to: Timestamp,
    },
    Book {
        place: i64,
        from: Timestamp,
        to: Timestamp,
        key: Uuid,
    },
    Cancel {
        booking: i64,
    },
    Offer(NewPlace),
}

impl Step {
    /// Whether the answer is for nobody's eyes.
    pub fn asks_for_secret(&self) -> bool {
        matches!(self, Self::Password { .. } | Self::PasswordAndCode { .. })
    }

    /// A password may begin or end with anything; only `/stop` is never one.
    fn read(step: Option<&Self>, text: &str) -> Input {
        match step {
            Some(step) if step.asks_for_secret() && text.trim() != "/stop" => {
                Input::Text(text.to_owned())
            }
            _ => Input::read(text),
        }
    }
}

/// What follows from a text, given the question that waits, if one does.
pub fn turn(step: Option<Step>, text: &str) -> Turn {
    let input = Step::read(step.as_ref(), text);
    match (step, input) {
        (step, Input::Command(command)) => begin(step.is_some(), command),
        (Some(step), Input::Text(text)) => answer(step, text),
        (None, Input::Text(_)) => Turn::Say(Say::NotUnderstood),
    }
}

fn begin(is_in_dialogue: bool, command: Command) -> Turn {
    match command {
        Command::Start => Turn::Do(Act::Welcome),
        Command::Help => Turn::Do(Act::Help),
        Command::Login => Turn::Ask(Step::Login, Say::AskLogin),
        Command::Logout => Turn::Do(Act::SignOut),
        Command::Balance => Turn::Do(Act::ShowBalance),
        Command::Bookings => Turn::Do(Act::ListBookings),
        Command::Parkings => Turn::Do(Act::ListPlaces),
        Command::Book => Turn::Ask(Step::City, Say::AskCity),
        Command::BookPlace(place) => Turn::Do(Act::BeginBooking { place }),
        Command::CancelBooking(booking) => {
            Turn::Ask(Step::ConfirmCancel { booking }, Say::AskCancel { booking })
        }
        Command::Add => Turn::Ask(Step::Name, Say::AskName),
        Command::Stop if is_in_dialogue => Turn::Say(Say::Stopped),
        Command::Stop => Turn::Say(Say::NothingToStop),
        Command::Unknown => Turn::Say(Say::NotUnderstood),
    }
}

fn answer(step: Step, text: String) -> Turn {
    match step {
        Step::Login => Turn::Ask(Step::Password { login: text }, Say::AskPassword),
        Step::Password { login } => Turn::Do(Act::SignIn(Credentials {
            login,
            password: text,
            code: None,
        })),
        Step::PasswordAndCode { login } => match text.trim_end().rsplit_once(char::is_whitespace) {
            Some((password, code)) => Turn::Do(Act::SignIn(Credentials {
                login,
                password: password.to_owned(),
                code: Some(code.to_owned()),
            })),
            None => Turn::Ask(Step::PasswordAndCode { login }, Say::AskPasswordAndCode),
        },
        Step::City => Turn::Do(Act::FindPlaces { city: text }),
        Step::From { place } => match moment(&text) {
            Some(from) => Turn::Ask(Step::To { place, from }, Say::AskTo),
            None => Turn::Ask(Step::From { place }, Say::NoMoment),
        },
        Step::To { place, from } => match end(&text, from) {
            Some(to) if to > from => Turn::Do(Act::Quote { place, from, to }),
            Some(_) => Turn::Ask(Step::To { place, from }, Say::EndsTooSoon),
            None => Turn::Ask(Step::To { place, from }, Say::NoMoment),
        },
        Step::Confirm {
            place,
            from,
            to,
            key,
        } => match is_yes(&text) {
            Some(true) => Turn::Do(Act::Book {
                place,
                from,
                to,
                key,
            }),
            Some(false) => Turn::Say(Say::Stopped),
            None => {
                let again = Step::Confirm {
                    place,
                    from,
                    to,
                    key,
                };
                Turn::Ask(again, Say::YesOrNo)
            }
        },
        Step::ConfirmCancel { booking } => match is_yes(&text) {
            Some(true) => Turn::Do(Act::Cancel { booking }),
            Some(false) => Turn::Say(Say::Stopped),
            None => Turn::Ask(Step::ConfirmCancel { booking }, Say::YesOrNo),
        },
        Step::Name => Turn::Ask(Step::PlaceCity { name: text }, Say::AskPlaceCity),
        Step::PlaceCity { name } => Turn::Ask(Step::Address { name, city: text }, Say::AskAddress),
        Step::Address { name, city } => {
            let address = text;
            let spot = Spot {
                name,
                city,
                address,
            };
            Turn::Ask(Step::Type { spot }, Say::AskType)
        }
        Step::Type { spot } => match parking_type_of(&text) {
            Some(parking_type) => Turn::Ask(Step::Rate { spot, parking_type }, Say::AskRate),
            None => Turn::Ask(Step::Type { spot }, Say::NoType),
        },
        Step::Rate { spot, parking_type } => match cents(&text) {
            Some(hourly_rate) => {
                let next = Step::Capacity {
                    spot,
                    parking_type,
                    hourly_rate,
                };
                Turn::Ask(next, Say::AskCapacity)
            }
            None => Turn::Ask(Step::Rate { spot, parking_type }, Say::NoAmount),
        },
        Step::Capacity {
            spot,
            parking_type,
            hourly_rate,
        } => match text.trim().parse() {
            Ok(capacity) => Turn::Do(Act::Offer(NewPlace {
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
                Turn::Ask(again, Say::NoNumber)
            }
        },
    }
}

/// `2026-11-25 09:00`, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.replace(['T', 't'], " ");
    let at = DateTime::strptime("%Y-%m-%d %H:%M", text.trim()).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A moment, or for how many hours: `3h`.
fn end(text: &str, from: Timestamp) -> Option<Timestamp> {
    match text.trim().to_lowercase().strip_suffix('h') {
        Some(hours) => {
            let hours: i16 = hours.trim().parse().ok()?;
            from.checked_add(SignedDuration::from_hours(hours.into()))
                .ok()
        }
        None => moment(text),
    }
}

/// In any of our languages.
fn is_yes(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "y" | "да" | "sim" | "s" => Some(true),
        "no" | "n" | "нет" | "não" | "nao" => Some(false),
        _ => None,
    }
}

/// By number or by name.
fn parking_type_of(text: &str) -> Option<String> {
    const TYPES: [(&str, &str); 4] = [
        ("1", "outdoor"),
        ("2", "covered"),
        ("3", "underground"),
        ("4", "multi-level"),
    ];
    let text = text.trim().to_lowercase();
    TYPES
        .iter()
        .find(|it| it.0 == text || it.1 == text)
        .map(|it| it.1.to_owned())
}

/// `2.50` → 250; how much is too much is not ours to say.
fn cents(text: &str) -> Option<i64> {
    kit::decimal::parse(&text.trim().replace(',', ".")).filter(|it| *it > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(step: Step, text: &str) -> Turn {
        turn(Some(step), text)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn somebody_signs_in() {
        let turn = told(Step::Login, "ana");
        let Turn::Ask(step, Say::AskPassword) = turn else {
            panic!("{turn:?}");
        };
        assert_eq!(
            told(step, "Correct-Horse-1"),
            Turn::Do(signing_in("Correct-Horse-1", None))
        );
    }

    fn signing_in(password: &str, code: Option<&str>) -> Act {
        Act::SignIn(Credentials {
            login: "ana".to_owned(),
            password: password.to_owned(),
            code: code.map(str::to_owned),
        })
    }

    #[test]
    fn a_password_is_taken_as_it_is() {
        let login = "ana".to_owned();
        let step = Step::Password { login };
        for password in ["/Correct-1", "/login", " spaces around ", "/stopped"] {
            assert_eq!(
                told(step.clone(), password),
                Turn::Do(signing_in(password, None))
            );
        }
        assert_eq!(told(step, " /stop"), Turn::Say(Say::Stopped));
    }

    #[test]
    fn a_code_comes_after_the_password() {
        let login = "ana".to_owned();
        let step = Step::PasswordAndCode { login };
        assert_eq!(
            told(step.clone(), "two words 123456 "),
            Turn::Do(signing_in("two words", Some("123456")))
        );
        assert_eq!(
            told(step.clone(), "123456"),
            Turn::Ask(step, Say::AskPasswordAndCode)
        );
    }

    #[test]
    fn a_place_is_booked_after_a_yes() {
        let from = at("2026-11-25T09:00:00Z");
        let to = at("2026-11-25T12:00:00Z");
        assert_eq!(
            told(Step::From { place: 7 }, "2026-11-25 09:00"),
            Turn::Ask(Step::To { place: 7, from }, Say::AskTo)
        );
        for text in ["2026-11-25 12:00", "2026-11-25T12:00", "3h", " 3 H"] {
            assert_eq!(
                told(Step::To { place: 7, from }, text),
                Turn::Do(Act::Quote { place: 7, from, to }),
                "{text}"
            );
        }
        let key = Uuid::from_u128(9);
        let confirm = Step::Confirm {
            place: 7,
            from,
            to,
            key,
        };
        assert_eq!(
            told(confirm.clone(), "Да"),
            Turn::Do(Act::Book {
                place: 7,
                from,
                to,
                key
            })
        );
        assert_eq!(told(confirm.clone(), "no"), Turn::Say(Say::Stopped));
        assert_eq!(
            told(confirm.clone(), "maybe"),
            Turn::Ask(confirm, Say::YesOrNo)
        );
    }

    #[test]
    fn a_wrong_date_is_asked_again() {
        let from = at("2026-11-25T09:00:00Z");
        for text in ["tomorrow", "2026-02-30 09:00", "25.11.2026 9:00", ""] {
            assert_eq!(
                told(Step::From { place: 7 }, text),
                Turn::Ask(Step::From { place: 7 }, Say::NoMoment),
                "{text}"
            );
        }
        for text in ["2026-11-25 09:00", "-1h", "0h"] {
            assert_eq!(
                told(Step::To { place: 7, from }, text),
                Turn::Ask(Step::To { place: 7, from }, Say::EndsTooSoon),
                "{text}"
            );
        }
    }

    #[test]
    fn a_place_is_described_answer_by_answer() {
        let mut next = turn(None, "/add");
        for text in ["Main Garage", "Berlin", "1 Main St", "2", "2,50"] {
            let Turn::Ask(step, _) = next else {
                panic!("{next:?}");
            };
            next = told(step, text);
        }
        let Turn::Ask(step, Say::AskCapacity) = next else {
            panic!("{next:?}");
        };
        assert_eq!(
            told(step.clone(), "many"),
            Turn::Ask(step.clone(), Say::NoNumber)
        );
        assert_eq!(
            told(step, "40"),
            Turn::Do(Act::Offer(NewPlace {
                name: "Main Garage".to_owned(),
                city: "Berlin".to_owned(),
                address: "1 Main St".to_owned(),
                parking_type: "covered".to_owned(),
                hourly_rate: 250,
                capacity: 40,
            }))
        );
    }

    #[test]
    fn a_command_ends_a_dialogue() {
        assert_eq!(told(Step::Login, "/stop"), Turn::Say(Say::Stopped));
        assert_eq!(turn(None, "/stop"), Turn::Say(Say::NothingToStop));
        assert_eq!(told(Step::City, "/balance"), Turn::Do(Act::ShowBalance));
    }

    fn any_step() -> impl Strategy<Value = Step> {
        let from = Timestamp::MAX;
        let spot = Spot {
            name: "n".to_owned(),
            city: "c".to_owned(),
            address: "a".to_owned(),
        };
        let parking_type = "covered".to_owned();
        prop::sample::select(vec![
            Step::Login,
            Step::Password {
                login: String::new(),
            },
            Step::PasswordAndCode {
                login: String::new(),
            },
            Step::City,
            Step::From { place: 1 },
            Step::To { place: 1, from },
            Step::Confirm {
                place: 1,
                from,
                to: from,
                key: Uuid::nil(),
            },
            Step::ConfirmCancel { booking: 1 },
            Step::Name,
            Step::PlaceCity {
                name: String::new(),
            },
            Step::Type { spot: spot.clone() },
            Step::Rate {
                spot: spot.clone(),
                parking_type: parking_type.clone(),
            },
            Step::Capacity {
                spot,
                parking_type,
                hourly_rate: 1,
            },
        ])
    }

    proptest! {
        #[test]
        fn any_answer_to_any_question_leads_on(step in any_step(), text in "\\PC*|[0-9]{1,25}h?|-?[0-9.,]{1,30}") {
            let _ = told(step, &text);
        }

        #[test]
        fn a_question_is_remembered_as_it_was(step in any_step()) {
            let kept = serde_json::to_string(&step).unwrap();
            prop_assert_eq!(serde_json::from_str::<Step>(&kept).unwrap(), step);
        }
    }
}
