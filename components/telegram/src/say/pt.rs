//! Português.

use kit::Language;
use kit::identity::Role;

use super::{Say, bookings, menu, moment, place, places, price};

const LANGUAGE: Language = Language::Pt;

const MENU: [(Option<Role>, &str, &str); 8] = [
    (Some(Role::Driver), "book", "reservar uma vaga"),
    (Some(Role::Driver), "bookings", "suas reservas"),
    (Some(Role::Owner), "parkings", "seus estacionamentos"),
    (Some(Role::Owner), "add", "oferecer um estacionamento"),
    (None, "balance", "seu saldo"),
    (None, "stop", "deixar o que está fazendo"),
    (None, "logout", "sair"),
    (None, "help", "esta lista"),
];

pub fn say(what: &Say) -> String {
    match what {
        Say::Welcome { chat } => format!(
            "Bem-vindo aos estacionamentos Wharf.\nSeu ID do Telegram é {chat}: informe-o no cadastro e avisarei aqui \
             sobre suas reservas.\n\n/login — entrar\n/help — o que sei fazer"
        ),
        Say::Help(roles) if roles.is_empty() => {
            "/login — entrar\n/help — o que sei fazer\n\nO resto, depois de entrar.".to_owned()
        }
        Say::Help(roles) => menu(*roles, &MENU),
        Say::AskLogin => "Seu login?".to_owned(),
        Say::AskPassword => "Sua senha? Apago sua mensagem na hora. /stop".to_owned(),
        Say::AskPasswordAndCode => "É preciso também o segundo fator. Escreva de novo a senha, um espaço e o código.".to_owned(),
        Say::SignedIn { login, roles } => {
            format!("Olá, {login}!\n\n{}", menu(*roles, &MENU))
        }
        Say::SignedOut => "Você saiu.".to_owned(),
        Say::Balance { cents, currency } => {
            format!("Seu saldo: {}", LANGUAGE.money(*cents, *currency))
        }
        Say::Bookings(none) if none.is_empty() => "Você não tem reservas. /book".to_owned(),
        Say::Bookings(some) => bookings(LANGUAGE, some),
        Say::OwnPlaces(none) if none.is_empty() => {
            "Você não oferece estacionamentos. /add".to_owned()
        }
        Say::OwnPlaces(some) => places(LANGUAGE, some, &["edit", "remove"]),
        Say::AskCity => "Em qual cidade?".to_owned(),
        Say::Places { city, places } if places.is_empty() => {
            format!("Não há estacionamentos em {city}. /book")
        }
        Say::Places { places: some, .. } => places(LANGUAGE, some, &["book"]),
        Say::AskFrom { place } => format!(
            "{}, {}\nA partir de quando? Assim: 2026-11-25 09:00, em UTC.",
            place.name, place.address
        ),
        Say::AskTo => {
            "Até quando? Um horário, como 2026-11-25 12:00, ou horas, como 3h.".to_owned()
        }
        Say::AskBook { from, to, cents } => format!(
            "De {} até {} UTC por {}. Reservar? sim / não",
            moment(*from),
            moment(*to),
            price(LANGUAGE, *cents)
        ),
        Say::Booked { booking } => format!("Reservado: nº {booking}. /bookings"),
        Say::AskCancel { booking } => {
            format!("Cancelar a reserva nº {booking}? O que foi pago volta. sim / não")
        }
        Say::Canceled { booking } => format!("A reserva nº {booking} foi cancelada."),
        Say::AskName => "Como se chama o estacionamento?".to_owned(),
        Say::AskPlaceCity => "Em qual cidade ele fica?".to_owned(),
        Say::AskAddress => "Em qual endereço?".to_owned(),
        Say::AskType => {
            "De qual tipo?\n1 — ao ar livre\n2 — coberto\n3 — subterrâneo\n4 — vários andares"
                .to_owned()
        }
        Say::AskRate => "Quanto custa a hora, em dólares? Assim: 2,50".to_owned(),
        Say::AskCapacity => "Para quantos carros?".to_owned(),
        Say::Offered { id } => format!("Seu estacionamento está disponível: nº {id}. /parkings"),
        Say::AskField { place: it } => format!(
            "{}, {} carros\nO que mudar?\n1 — nome\n2 — cidade\n3 — endereço\n4 — tipo\n5 — preço\n6 — número de carros",
            place(LANGUAGE, it),
            it.capacity
        ),
        Say::NoField => "Escreva um número de 1 a 6, por favor.".to_owned(),
        Say::Changed { place } => format!("Seu estacionamento nº {place} foi alterado. /parkings"),
        Say::AskRemove { place } => {
            format!("Remover seu estacionamento nº {place} para sempre? sim / não")
        }
        Say::Removed { place } => format!("Seu estacionamento nº {place} foi removido. /parkings"),
        Say::Stopped => "Tudo bem, deixo para lá.".to_owned(),
        Say::NothingToStop => "Não há nada para deixar. /help".to_owned(),
        Say::NotUnderstood => "Não entendi. /help".to_owned(),
        Say::OnlyInPrivate => "Escreva para mim em uma conversa privada, por favor.".to_owned(),
        Say::NoMoment => "Escreva assim, por favor: 2026-11-25 09:00.".to_owned(),
        Say::EndsTooSoon => "Precisa terminar depois de começar. Até quando?".to_owned(),
        Say::YesOrNo => "Escreva sim ou não, por favor.".to_owned(),
        Say::NoType => "Escreva um número de 1 a 4, por favor.".to_owned(),
        Say::NoAmount => "Escreva um valor como 2,50, por favor.".to_owned(),
        Say::NoNumber => "Escreva um número, por favor.".to_owned(),
        Say::NoRoom => "Não há vaga nesse horário. /book".to_owned(),
        Say::PleaseSignIn => "Entre primeiro: /login".to_owned(),
        Say::WrongCredentials => "Login ou senha incorretos. /login".to_owned(),
        Say::TooManyTries => "Foram tentativas erradas demais. Tente de novo em cinco minutos, por favor.".to_owned(),
        Say::OnlyFor(Role::Owner) => "Só donos de estacionamentos podem fazer isso.".to_owned(),
        Say::OnlyFor(_) => "Só motoristas podem fazer isso.".to_owned(),
        Say::Refused(why) => format!("Não deu certo: {why}"),
        Say::TryLater => "Algo não funciona agora. Tente mais tarde, por favor.".to_owned(),
        Say::BookedOrNot => "Não fiquei sabendo se foi reservado. Escreva sim de novo e eu descubro; a reserva é uma só.".to_owned(),
        Say::OfferedOrNot => "Não fiquei sabendo se seu estacionamento está disponível. Veja, por favor: /parkings".to_owned(),
        Say::Forgetful => "Não consigo me lembrar de nada agora. Tente mais tarde, por favor. Se você acabou de escrever sua senha, apague-a.".to_owned(),
        Say::PleaseDelete => "Não consegui apagar sua senha agora e continuo tentando. Apague sua mensagem, por favor.".to_owned(),
    }
}
