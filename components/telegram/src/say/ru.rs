//! Русский.

use kit::Language;
use kit::identity::Role;

use super::{Say, bookings, menu, moment, place, places, price};

const LANGUAGE: Language = Language::Ru;

const MENU: [(Option<Role>, &str, &str); 8] = [
    (Some(Role::Driver), "book", "забронировать парковку"),
    (Some(Role::Driver), "bookings", "ваши бронирования"),
    (Some(Role::Owner), "parkings", "ваши парковки"),
    (Some(Role::Owner), "add", "добавить парковку"),
    (None, "balance", "ваш баланс"),
    (None, "stop", "прервать начатое"),
    (None, "logout", "выйти"),
    (None, "help", "этот список"),
];

pub fn say(what: &Say) -> String {
    match what {
        Say::Welcome { chat } => format!(
            "Добро пожаловать в парковки Wharf.\nВаш Telegram ID — {chat}: укажите его при регистрации, и я буду \
             сообщать здесь о ваших бронированиях.\n\n/login — войти\n/help — что я умею"
        ),
        Say::Help(roles) if roles.is_empty() => {
            "/login — войти\n/help — что я умею\n\nОстальное — после входа.".to_owned()
        }
        Say::Help(roles) => menu(*roles, &MENU),
        Say::AskLogin => "Ваш логин?".to_owned(),
        Say::AskPassword => "Ваш пароль? Ваше сообщение я сразу удалю. /stop".to_owned(),
        Say::AskPasswordAndCode => "Нужен и второй фактор. Напишите ещё раз пароль, пробел и код.".to_owned(),
        Say::SignedIn { login, roles } => {
            format!("Здравствуйте, {login}!\n\n{}", menu(*roles, &MENU))
        }
        Say::SignedOut => "Вы вышли.".to_owned(),
        Say::Balance { cents, currency } => {
            format!("Ваш баланс: {}", LANGUAGE.money(*cents, *currency))
        }
        Say::Bookings(none) if none.is_empty() => "У вас нет бронирований. /book".to_owned(),
        Say::Bookings(some) => bookings(LANGUAGE, some),
        Say::OwnPlaces(none) if none.is_empty() => "У вас нет парковок. /add".to_owned(),
        Say::OwnPlaces(some) => places(LANGUAGE, some, &["edit", "remove"]),
        Say::AskCity => "В каком городе?".to_owned(),
        Say::Places { city, places } if places.is_empty() => {
            format!("Парковок в городе {city} нет. /book")
        }
        Say::Places { places: some, .. } => places(LANGUAGE, some, &["book"]),
        Say::AskFrom { place } => format!(
            "{}, {}\nС какого времени? Например, 2026-11-25 09:00, по UTC.",
            place.name, place.address
        ),
        Say::AskTo => "До какого времени? Например, 2026-11-25 12:00 или 3h — три часа.".to_owned(),
        Say::AskBook { from, to, cents } => format!(
            "С {} до {} UTC за {}. Бронируем? да / нет",
            moment(*from),
            moment(*to),
            price(LANGUAGE, *cents)
        ),
        Say::Booked { booking } => format!("Забронировано: №{booking}. /bookings"),
        Say::AskCancel { booking } => {
            format!("Отменить бронирование №{booking}? Оплата вернётся. да / нет")
        }
        Say::Canceled { booking } => format!("Бронирование №{booking} отменено."),
        Say::AskName => "Как называется парковка?".to_owned(),
        Say::AskPlaceCity => "В каком она городе?".to_owned(),
        Say::AskAddress => "По какому адресу?".to_owned(),
        Say::AskType => {
            "Какого она типа?\n1 — открытая\n2 — крытая\n3 — подземная\n4 — многоуровневая"
                .to_owned()
        }
        Say::AskRate => "Сколько стоит час, в долларах? Например, 2,50".to_owned(),
        Say::AskCapacity => "На сколько машин?".to_owned(),
        Say::Offered { id } => format!("Парковка добавлена: №{id}. /parkings"),
        Say::AskField { place: it } => format!(
            "{}, машин: {}\nЧто изменить?\n1 — название\n2 — город\n3 — адрес\n4 — тип\n5 — цену\n6 — число машин",
            place(LANGUAGE, it),
            it.capacity
        ),
        Say::NoField => "Напишите, пожалуйста, число от 1 до 6.".to_owned(),
        Say::Changed { place } => format!("Парковка №{place} изменена. /parkings"),
        Say::AskRemove { place } => {
            format!("Удалить парковку №{place} навсегда? да / нет")
        }
        Say::Removed { place } => format!("Парковка №{place} удалена. /parkings"),
        Say::Stopped => "Хорошо, прерываю.".to_owned(),
        Say::NothingToStop => "Прерывать нечего. /help".to_owned(),
        Say::NotUnderstood => "Я не понимаю. /help".to_owned(),
        Say::OnlyInPrivate => "Напишите мне, пожалуйста, в личном чате.".to_owned(),
        Say::NoMoment => "Напишите, пожалуйста, как 2026-11-25 09:00.".to_owned(),
        Say::EndsTooSoon => "Конец должен быть позже начала. До какого времени?".to_owned(),
        Say::YesOrNo => "Напишите, пожалуйста, да или нет.".to_owned(),
        Say::NoType => "Напишите, пожалуйста, число от 1 до 4.".to_owned(),
        Say::NoAmount => "Напишите, пожалуйста, сумму, например 2,50.".to_owned(),
        Say::NoNumber => "Напишите, пожалуйста, число.".to_owned(),
        Say::NoRoom => "На это время мест нет. /book".to_owned(),
        Say::PleaseSignIn => "Сначала войдите: /login".to_owned(),
        Say::WrongCredentials => "Неверный логин или пароль. /login".to_owned(),
        Say::TooManyTries => "Слишком много неудачных попыток. Попробуйте, пожалуйста, через пять минут.".to_owned(),
        Say::OnlyFor(Role::Owner) => "Это могут только владельцы парковок.".to_owned(),
        Say::OnlyFor(_) => "Это могут только водители.".to_owned(),
        Say::Refused(why) => format!("Не получилось: {why}"),
        Say::TryLater => "Что-то сейчас не работает. Попробуйте, пожалуйста, позже.".to_owned(),
        Say::BookedOrNot => "Я не узнал, забронировано ли. Напишите «да» ещё раз, и я выясню; бронь будет одна.".to_owned(),
        Say::OfferedOrNot => "Я не узнал, добавлена ли парковка. Посмотрите, пожалуйста: /parkings".to_owned(),
        Say::Forgetful => "Сейчас я ничего не могу запомнить. Попробуйте, пожалуйста, позже. Если вы только что написали пароль, удалите его.".to_owned(),
        Say::PleaseDelete => "Сейчас я не смог удалить ваш пароль и буду пробовать ещё. Удалите, пожалуйста, сообщение сами.".to_owned(),
    }
}
