//! The rules of the conversation. No I/O: they decide, and `bot` carries out.
//!
//! A dialogue is a chain of questions; its [`Step`] is the question that waits for an answer. A command
//! always ends the dialogue.

mod answer;
mod parse;
mod step;

pub use step::{Act, Reaction, Step};

use crate::say::Say;
use crate::update::{Command, Input};
use answer::take_answer;

/// The reaction to a text, given the question that waits.
pub fn react(step: Option<Step>, text: &str) -> Reaction {
    let input = read(step.as_ref(), text);
    match (step, input) {
        (step, Input::Command(command)) => begin(step.is_some(), command),
        (Some(step), Input::Text(text)) => take_answer(step, text),
        (None, Input::Text(_)) => Reaction::Say(Say::NotUnderstood),
    }
}

fn begin(is_in_dialogue: bool, command: Command) -> Reaction {
    match command {
        Command::Start => Reaction::Do(Act::Welcome),
        Command::Help => Reaction::Do(Act::Help),
        Command::Login => Reaction::Ask(Step::Login, Say::AskLogin),
        Command::Logout => Reaction::Do(Act::SignOut),
        Command::Balance => Reaction::Do(Act::ShowBalance),
        Command::Bookings => Reaction::Do(Act::ListBookings),
        Command::Parkings => Reaction::Do(Act::ListPlaces),
        Command::Book => Reaction::Ask(Step::City, Say::AskCity),
        Command::BookPlace(place) => Reaction::Do(Act::BeginBooking { place }),
        Command::CancelBooking(booking) => {
            Reaction::Ask(Step::ConfirmCancel { booking }, Say::AskCancel { booking })
        }
        Command::ChangePlace(place) => Reaction::Do(Act::BeginChange { place }),
        Command::RemovePlace(place) => {
            Reaction::Ask(Step::ConfirmRemove { place }, Say::AskRemove { place })
        }
        Command::Add => Reaction::Ask(Step::Name, Say::AskName),
        Command::Stop if is_in_dialogue => Reaction::Say(Say::Stopped),
        Command::Stop => Reaction::Say(Say::NothingToStop),
        Command::Unknown => Reaction::Say(Say::NotUnderstood),
    }
}

/// A password may begin or end with anything; only `/stop` is never one.
fn read(step: Option<&Step>, text: &str) -> Input {
    match step {
        Some(step) if step.asks_for_secret() && text.trim() != "/stop" => {
            Input::Text(text.to_owned())
        }
        _ => Input::read(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use jiff::Timestamp;
    use uuid::Uuid;

    use super::step::{Field, Spot};
    use super::*;
    use crate::platform::{Credentials, NewPlace, PlaceChange};

    fn answer(step: Step, text: &str) -> Reaction {
        react(Some(step), text)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn signing_in_asks_for_the_login_and_the_password() {
        let reaction = answer(Step::Login, "ana");
        let Reaction::Ask(step, Say::AskPassword) = reaction else {
            panic!("{reaction:?}");
        };
        assert_eq!(
            answer(step, "Correct-Horse-1"),
            Reaction::Do(signing_in("Correct-Horse-1", None))
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
    fn a_password_is_not_trimmed_or_read_as_a_command() {
        let login = "ana".to_owned();
        let step = Step::Password { login };
        for password in ["/Correct-1", "/login", " spaces around ", "/stopped"] {
            assert_eq!(
                answer(step.clone(), password),
                Reaction::Do(signing_in(password, None))
            );
        }
        assert_eq!(answer(step, " /stop"), Reaction::Say(Say::Stopped));
    }

    #[test]
    fn a_code_comes_after_the_password() {
        let login = "ana".to_owned();
        let step = Step::PasswordAndCode { login };
        assert_eq!(
            answer(step.clone(), "two words 123456 "),
            Reaction::Do(signing_in("two words", Some("123456")))
        );
        assert_eq!(
            answer(step.clone(), "123456"),
            Reaction::Ask(step, Say::AskPasswordAndCode)
        );
    }

    #[test]
    fn a_place_is_booked_after_a_yes() {
        let from = at("2026-11-25T09:00:00Z");
        let to = at("2026-11-25T12:00:00Z");
        assert_eq!(
            answer(Step::From { place: 7 }, "2026-11-25 09:00"),
            Reaction::Ask(Step::To { place: 7, from }, Say::AskTo)
        );
        for text in ["2026-11-25 12:00", "2026-11-25T12:00", "3h", " 3 H"] {
            assert_eq!(
                answer(Step::To { place: 7, from }, text),
                Reaction::Do(Act::Quote { place: 7, from, to }),
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
            answer(confirm.clone(), "Да"),
            Reaction::Do(Act::Book {
                place: 7,
                from,
                to,
                key
            })
        );
        assert_eq!(answer(confirm.clone(), "no"), Reaction::Say(Say::Stopped));
        assert_eq!(
            answer(confirm.clone(), "maybe"),
            Reaction::Ask(confirm, Say::YesOrNo)
        );
    }

    #[test]
    fn a_date_that_cannot_be_read_is_asked_for_again() {
        let from = at("2026-11-25T09:00:00Z");
        for text in ["tomorrow", "2026-02-30 09:00", "25.11.2026 9:00", ""] {
            assert_eq!(
                answer(Step::From { place: 7 }, text),
                Reaction::Ask(Step::From { place: 7 }, Say::NoMoment),
                "{text}"
            );
        }
        for text in ["2026-11-25 09:00", "-1h", "0h"] {
            assert_eq!(
                answer(Step::To { place: 7, from }, text),
                Reaction::Ask(Step::To { place: 7, from }, Say::EndsTooSoon),
                "{text}"
            );
        }
    }

    #[test]
    fn a_place_is_described_answer_by_answer() {
        let mut next = react(None, "/add");
        for text in ["Main Garage", "Berlin", "1 Main St", "2", "2,50"] {
            let Reaction::Ask(step, _) = next else {
                panic!("{next:?}");
            };
            next = answer(step, text);
        }
        let Reaction::Ask(step, Say::AskCapacity) = next else {
            panic!("{next:?}");
        };
        assert_eq!(
            answer(step.clone(), "many"),
            Reaction::Ask(step.clone(), Say::NoNumber)
        );
        assert_eq!(
            answer(step, "40"),
            Reaction::Do(Act::Offer(NewPlace {
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
    fn one_field_of_a_place_is_changed() {
        assert_eq!(
            react(None, "/edit_7"),
            Reaction::Do(Act::BeginChange { place: 7 })
        );
        let asked = Step::Field { place: 7 };
        assert_eq!(
            answer(asked.clone(), "7"),
            Reaction::Ask(asked.clone(), Say::NoField)
        );
        for (number, wrong, again, text, change) in [
            (
                "1",
                "",
                None,
                "Garage",
                PlaceChange::Name("Garage".to_owned()),
            ),
            (
                "2",
                "",
                None,
                "Porto",
                PlaceChange::City("Porto".to_owned()),
            ),
            (
                "3",
                "",
                None,
                "Rua 1",
                PlaceChange::Address("Rua 1".to_owned()),
            ),
            (
                "4",
                "5",
                Some(Say::NoType),
                "3",
                PlaceChange::Type("underground".to_owned()),
            ),
            (
                "5",
                "0",
                Some(Say::NoAmount),
                "2,50",
                PlaceChange::Rate(250),
            ),
            (
                "6",
                "x",
                Some(Say::NoNumber),
                " 12",
                PlaceChange::Capacity(12),
            ),
        ] {
            let Reaction::Ask(step, _) = answer(asked.clone(), number) else {
                panic!("{number}");
            };
            if let Some(again) = again {
                let reaction = answer(step.clone(), wrong);
                assert_eq!(reaction, Reaction::Ask(step.clone(), again));
            }
            let changed = Reaction::Do(Act::Change { place: 7, change });
            assert_eq!(answer(step, text), changed);
        }
    }

    #[test]
    fn a_place_is_removed_after_a_yes() {
        let Reaction::Ask(step, Say::AskRemove { place: 7 }) = react(None, "/remove_7") else {
            panic!("it is not asked for");
        };
        assert_eq!(
            answer(step.clone(), "sim"),
            Reaction::Do(Act::Remove { place: 7 })
        );
        assert_eq!(answer(step, "no"), Reaction::Say(Say::Stopped));
    }

    #[test]
    fn a_command_ends_a_dialogue() {
        assert_eq!(answer(Step::Login, "/stop"), Reaction::Say(Say::Stopped));
        assert_eq!(react(None, "/stop"), Reaction::Say(Say::NothingToStop));
        assert_eq!(
            answer(Step::City, "/balance"),
            Reaction::Do(Act::ShowBalance)
        );
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
            Step::Field { place: 1 },
            Step::NewValue {
                place: 1,
                field: Field::Rate,
            },
            Step::NewValue {
                place: 1,
                field: Field::Capacity,
            },
            Step::ConfirmRemove { place: 1 },
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
        fn no_answer_to_any_question_panics(step in any_step(), text in "\\PC*|[0-9]{1,25}h?|-?[0-9.,]{1,30}") {
            let _ = answer(step, &text);
        }

        #[test]
        fn a_stored_question_is_read_as_it_was(step in any_step()) {
            let kept = serde_json::to_string(&step).unwrap();
            prop_assert_eq!(serde_json::from_str::<Step>(&kept).unwrap(), step);
        }
    }
}
