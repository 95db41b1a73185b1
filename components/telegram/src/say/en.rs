//! English.

use kit::Language;
use kit::identity::Role;

use super::{Say, bookings, menu, moment, place, places, price};

const LANGUAGE: Language = Language::En;

const MENU: [(Option<Role>, &str, &str); 8] = [
    (Some(Role::Driver), "book", "book a parking place"),
    (Some(Role::Driver), "bookings", "your bookings"),
    (Some(Role::Owner), "parkings", "your parking places"),
    (Some(Role::Owner), "add", "offer a parking place"),
    (None, "balance", "your balance"),
    (None, "stop", "leave what you are doing"),
    (None, "logout", "sign out"),
    (None, "help", "this list"),
];

pub fn say(what: &Say) -> String {
    match what {
        Say::Welcome { chat } => format!(
            "Welcome to Wharf parking.\nYour Telegram ID is {chat}: give it when you register, and you will be told \
             here about your bookings.\n\n/login — sign in\n/help — what I can do"
        ),
        Say::Help(roles) if roles.is_empty() => {
            "/login — sign in\n/help — what I can do\n\nMore once you have signed in.".to_owned()
        }
        Say::Help(roles) => menu(*roles, &MENU),
        Say::AskLogin => "Your login?".to_owned(),
        Say::AskPassword => "Your password? I delete your message at once. /stop".to_owned(),
        Say::AskPasswordAndCode => "Your second factor is asked for too. Write your password once more, a space, and the code.".to_owned(),
        Say::SignedIn { login, roles } => {
            format!("Hello, {login}!\n\n{}", menu(*roles, &MENU))
        }
        Say::SignedOut => "You are signed out.".to_owned(),
        Say::Balance { cents, currency } => {
            format!("Your balance: {}", LANGUAGE.money(*cents, *currency))
        }
        Say::Bookings(none) if none.is_empty() => "You have no bookings. /book".to_owned(),
        Say::Bookings(some) => bookings(LANGUAGE, some),
        Say::OwnPlaces(none) if none.is_empty() => "You offer no parking places. /add".to_owned(),
        Say::OwnPlaces(some) => places(LANGUAGE, some, &["edit", "remove"]),
        Say::AskCity => "In which city?".to_owned(),
        Say::Places { city, places } if places.is_empty() => {
            format!("There are no parking places in {city}. /book")
        }
        Say::Places { places: some, .. } => places(LANGUAGE, some, &["book"]),
        Say::AskFrom { place } => format!(
            "{}, {}\nFrom when? Like 2026-11-25 09:00, in UTC.",
            place.name, place.address
        ),
        Say::AskTo => "Until when? A time like 2026-11-25 12:00, or hours like 3h.".to_owned(),
        Say::AskBook { from, to, cents } => format!(
            "From {} to {} UTC for {}. Book it? yes / no",
            moment(*from),
            moment(*to),
            price(LANGUAGE, *cents)
        ),
        Say::Booked { booking } => format!("Booked: #{booking}. /bookings"),
        Say::AskCancel { booking } => {
            format!("Cancel booking #{booking}? What was paid comes back. yes / no")
        }
        Say::Canceled { booking } => format!("Booking #{booking} is canceled."),
        Say::AskName => "What is the place called?".to_owned(),
        Say::AskPlaceCity => "In which city is it?".to_owned(),
        Say::AskAddress => "At which address?".to_owned(),
        Say::AskType => {
            "Of which type?\n1 — outdoor\n2 — covered\n3 — underground\n4 — multi-level".to_owned()
        }
        Say::AskRate => "How much is an hour, in dollars? Like 2.50".to_owned(),
        Say::AskCapacity => "For how many cars?".to_owned(),
        Say::Offered { id } => format!("Your place is on offer: #{id}. /parkings"),
        Say::AskField { place: it } => format!(
            "{}, {} cars\nWhat shall change?\n1 — name\n2 — city\n3 — address\n4 — type\n5 — price\n6 — number of cars",
            place(LANGUAGE, it),
            it.capacity
        ),
        Say::NoField => "Please write a number from 1 to 6.".to_owned(),
        Say::Changed { place } => format!("Your place #{place} is changed. /parkings"),
        Say::AskRemove { place } => {
            format!("Remove your place #{place} for good? yes / no")
        }
        Say::Removed { place } => format!("Your place #{place} is removed. /parkings"),
        Say::Stopped => "All right, I leave it.".to_owned(),
        Say::NothingToStop => "There is nothing to leave. /help".to_owned(),
        Say::NotUnderstood => "I do not understand that. /help".to_owned(),
        Say::OnlyInPrivate => "Please write to me in a private chat.".to_owned(),
        Say::NoMoment => "Please write it like 2026-11-25 09:00.".to_owned(),
        Say::EndsTooSoon => "It must end after it begins. Until when?".to_owned(),
        Say::YesOrNo => "Please write yes or no.".to_owned(),
        Say::NoType => "Please write a number from 1 to 4.".to_owned(),
        Say::NoAmount => "Please write an amount like 2.50.".to_owned(),
        Say::NoNumber => "Please write a number.".to_owned(),
        Say::NoRoom => "There is no room at that time. /book".to_owned(),
        Say::PleaseSignIn => "Please sign in first: /login".to_owned(),
        Say::WrongCredentials => "The login or the password is wrong. /login".to_owned(),
        Say::TooManyTries => "That was wrong too often. Please try again in five minutes.".to_owned(),
        Say::OnlyFor(Role::Owner) => "Only owners of parking places can do that.".to_owned(),
        Say::OnlyFor(_) => "Only drivers can do that.".to_owned(),
        Say::Refused(why) => format!("That does not work: {why}"),
        Say::TryLater => "Something does not work right now. Please try again later.".to_owned(),
        Say::BookedOrNot => "I did not hear whether it was booked. Write yes again and I find out; it is booked once.".to_owned(),
        Say::OfferedOrNot => "I did not hear whether your place is on offer. Please look: /parkings".to_owned(),
        Say::Forgetful => "I cannot remember anything right now. Please try again later. If you have just written your password, please delete it.".to_owned(),
        Say::PleaseDelete => "I could not delete your password right now and keep trying. Please delete your message yourself.".to_owned(),
    }
}
