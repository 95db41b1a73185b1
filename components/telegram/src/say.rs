//! The texts of the bot. One file per language; this one has the shared parts.

mod en;
mod pt;
mod ru;

use jiff::Timestamp;
use kit::identity::{Role, Roles};
use kit::money::Currency;
use kit::{Language, shortened};

use crate::error::Error;
use crate::platform::{Booking, Place};
use crate::update::Message;

#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    Welcome {
        chat: i64,
    },
    /// The commands for these roles; without one, how to sign in.
    Help(Roles),
    AskLogin,
    AskPassword,
    AskPasswordAndCode,
    SignedIn {
        login: String,
        roles: Roles,
    },
    SignedOut,
    Balance {
        cents: i64,
        currency: Currency,
    },
    Bookings(Vec<Booking>),
    OwnPlaces(Vec<Place>),
    AskCity,
    Places {
        city: String,
        places: Vec<Place>,
    },
    AskFrom {
        place: Place,
    },
    AskTo,
    AskBook {
        from: Timestamp,
        to: Timestamp,
        cents: i64,
    },
    Booked {
        booking: i64,
    },
    AskCancel {
        booking: i64,
    },
    Canceled {
        booking: i64,
    },
    AskName,
    AskPlaceCity,
    AskAddress,
    AskType,
    AskRate,
    AskCapacity,
    Offered {
        id: i64,
    },
    AskField {
        place: Place,
    },
    NoField,
    Changed {
        place: i64,
    },
    AskRemove {
        place: i64,
    },
    Removed {
        place: i64,
    },
    Stopped,
    NothingToStop,
    NotUnderstood,
    OnlyInPrivate,
    NoMoment,
    EndsTooSoon,
    YesOrNo,
    NoType,
    NoAmount,
    NoNumber,
    NoRoom,
    PleaseSignIn,
    WrongCredentials,
    TooManyTries,
    OnlyFor(Role),
    /// Another function refused, with this text.
    Refused(String),
    TryLater,
    /// The booking may have been made; a repeated answer tells.
    BookedOrNot,
    /// The place may have been offered; the list of places tells.
    OfferedOrNot,
    /// Redis is away: the bot cannot remember a question, so it asks none.
    Forgetful,
    /// The message stays in the chat, with the password in it.
    PleaseDelete,
}

impl Say {
    pub fn of_error(error: Error) -> Self {
        match error {
            Error::SignedOut => Self::PleaseSignIn,
            Error::WrongCredentials => Self::WrongCredentials,
            Error::CodeRequired => Self::AskPasswordAndCode,
            Error::TooManyTries => Self::TooManyTries,
            Error::Memory(_) => Self::Forgetful,
            Error::RoleRequired(role) => Self::OnlyFor(role),
            Error::Refused(why) => Self::Refused(why),
            Error::NotTelegram
            | Error::Telegram(_)
            | Error::Unavailable
            | Error::Running
            | Error::Outbound(_)
            | Error::Json(_)
            | Error::Unsealable
            | Error::Http(_)
            | Error::Setting(_)
            | Error::Db(_) => Self::TryLater,
        }
    }
}

/// The longest message that Telegram takes, in units of UTF-16.
const MAX_MESSAGE: usize = 4096;

pub fn say(language: Language, what: &Say) -> String {
    let text = match language {
        Language::En => en::say(what),
        Language::Ru => ru::say(what),
        Language::Pt => pt::say(what),
    };
    shortened(&text, MAX_MESSAGE)
}

/// The language of the person's Telegram, also of `pt-br` and the like; English when it is another.
pub fn language_of(message: &Message) -> Language {
    message
        .from
        .as_ref()
        .and_then(|it| it.language_code.as_deref())
        .and_then(|it| Language::parse(it.split('-').next().unwrap_or_default()))
        .unwrap_or_default()
}

/// The commands that the roles may use, one line each.
fn menu(roles: Roles, lines: &[(Option<Role>, &str, &str)]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .filter(|(role, _, _)| role.is_none_or(|it| roles.has(it)))
        .map(|(_, command, what)| format!("/{command} — {what}"))
        .collect();
    lines.join("\n")
}

/// All prices of places are in one currency.
fn price(language: Language, cents: i64) -> String {
    language.money(cents, Currency::Usd)
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// `#17, 2026-11-25 09:00 – 2026-11-25 12:00 UTC, 7.50 USD, Confirmed`, with the command to cancel it.
fn bookings(language: Language, bookings: &[Booking]) -> String {
    let lines: Vec<String> = bookings
        .iter()
        .map(|it| {
            let cancel = match it.status.as_str() {
                "Canceled" => String::new(),
                _ => format!("\n/cancel_{}", it.booking_id),
            };
            format!(
                "#{}, {} – {} UTC, {}, {}{cancel}",
                it.booking_id,
                moment(it.date_from),
                moment(it.date_to),
                price(language, it.full_cost),
                it.status,
            )
        })
        .collect();
    lines.join("\n\n")
}

/// A place in two lines; the second has the commands for it.
fn places(language: Language, places: &[Place], commands: &[&str]) -> String {
    let lines: Vec<String> = places
        .iter()
        .map(|it| {
            let words: Vec<String> = commands
                .iter()
                .map(|word| format!("/{word}_{}", it.id))
                .collect();
            format!("{}\n{}", place(language, it), words.join(" "))
        })
        .collect();
    lines.join("\n\n")
}

fn place(language: Language, place: &Place) -> String {
    format!(
        "#{} {}, {}, {}, {}/h",
        place.id,
        place.name,
        place.address,
        place.city,
        price(language, place.hourly_rate)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: i64, name: &str) -> Place {
        Place {
            id,
            name: name.to_owned(),
            city: "Berlin".to_owned(),
            address: "1 Main St".to_owned(),
            hourly_rate: 250,
            capacity: 40,
        }
    }

    fn booking(status: &str) -> Booking {
        Booking {
            booking_id: 17,
            date_from: "2026-11-25T09:00:00Z".parse().unwrap(),
            date_to: "2026-11-25T12:00:00Z".parse().unwrap(),
            parking_place_id: 7,
            full_cost: 750,
            status: status.to_owned(),
        }
    }

    fn everything() -> Vec<Say> {
        let both = Roles::default().with(Role::Driver).with(Role::Owner);
        let at = booking("Confirmed").date_from;
        let to = booking("Confirmed").date_to;
        let login = "ana".to_owned();
        let city = "Berlin".to_owned();
        vec![
            Say::Welcome { chat: 77 },
            Say::Help(both),
            Say::Help(Roles::default()),
            Say::AskLogin,
            Say::AskPassword,
            Say::AskPasswordAndCode,
            Say::SignedIn {
                login,
                roles: Roles::default().with(Role::Driver),
            },
            Say::SignedOut,
            Say::Balance {
                cents: 1205,
                currency: Currency::Usd,
            },
            Say::Bookings(vec![booking("Confirmed"), booking("Canceled")]),
            Say::Bookings(Vec::new()),
            Say::OwnPlaces(vec![place(7, "Main Garage")]),
            Say::OwnPlaces(Vec::new()),
            Say::AskCity,
            Say::Places {
                city: city.clone(),
                places: vec![place(7, "Main Garage")],
            },
            Say::Places {
                city,
                places: Vec::new(),
            },
            Say::AskFrom {
                place: place(7, "Main Garage"),
            },
            Say::AskTo,
            Say::AskBook {
                from: at,
                to,
                cents: 750,
            },
            Say::Booked { booking: 17 },
            Say::AskCancel { booking: 17 },
            Say::Canceled { booking: 17 },
            Say::AskName,
            Say::AskPlaceCity,
            Say::AskAddress,
            Say::AskType,
            Say::AskRate,
            Say::AskCapacity,
            Say::Offered { id: 7 },
            Say::AskField {
                place: place(7, "Main Garage"),
            },
            Say::NoField,
            Say::Changed { place: 7 },
            Say::AskRemove { place: 7 },
            Say::Removed { place: 7 },
            Say::Stopped,
            Say::NothingToStop,
            Say::NotUnderstood,
            Say::OnlyInPrivate,
            Say::NoMoment,
            Say::EndsTooSoon,
            Say::YesOrNo,
            Say::NoType,
            Say::NoAmount,
            Say::NoNumber,
            Say::NoRoom,
            Say::PleaseSignIn,
            Say::WrongCredentials,
            Say::TooManyTries,
            Say::OnlyFor(Role::Driver),
            Say::OnlyFor(Role::Owner),
            Say::Refused("no such place".to_owned()),
            Say::TryLater,
            Say::BookedOrNot,
            Say::OfferedOrNot,
            Say::Forgetful,
            Say::PleaseDelete,
        ]
    }

    fn all_in(language: Language) -> String {
        let said: Vec<String> = everything().iter().map(|it| say(language, it)).collect();
        said.join("\n---\n")
    }

    #[test]
    fn every_text_is_in_english() {
        insta::assert_snapshot!(all_in(Language::En));
    }

    #[test]
    fn every_text_is_in_russian() {
        insta::assert_snapshot!(all_in(Language::Ru));
    }

    #[test]
    fn every_text_is_in_portuguese() {
        insta::assert_snapshot!(all_in(Language::Pt));
    }

    #[test]
    fn a_long_list_is_cut_to_what_telegram_takes() {
        let places = vec![place(7, &"x".repeat(500)); 20];
        for language in Language::ALL {
            let said = say(language, &Say::OwnPlaces(places.clone()));
            assert_eq!(said.encode_utf16().count(), MAX_MESSAGE);
        }
    }

    #[test]
    fn the_language_is_that_of_the_persons_telegram() {
        let language = |code: &str| {
            language_of(
                &serde_json::from_value(serde_json::json!({
                    "message_id": 1, "chat": { "id": 1, "type": "private" },
                    "from": { "language_code": code },
                }))
                .unwrap(),
            )
        };
        assert_eq!(language("ru"), Language::Ru);
        assert_eq!(language("pt-br"), Language::Pt);
        assert_eq!(language("de"), Language::En);
    }
}
