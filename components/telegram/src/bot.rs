//! One update: what was asked before is recalled, what follows is carried out, and
//! the next question is remembered.

use std::cmp::Ordering;

use jiff::SignedDuration;
use kit::{Db, Language, Role};
use serde_json::json;
use uuid::Uuid;

use crate::dialogue::{self, Act, Step, Turn};
use crate::error::Error;
use crate::memory::{self, Dialogue};
use crate::platform::{self, Token};
use crate::routes::{self, Reply};
use crate::say::{Say, language_of, say};
use crate::store;
use crate::update::{Message, Update};

/// What came of an act: what is said, and the question that waits from now on.
type Came = (Say, Option<Step>);

/// Telegram is always answered: what goes wrong is told in the chat.
pub async fn hear(update: Update) -> Reply {
    let Some(message) = update.message else {
        return Reply::default();
    };
    let Some(text) = message.text.as_deref() else {
        return Reply::default();
    };
    let language = language_of(&message);
    let chat = message.chat.id;
    if !message.chat.is_private() {
        return Reply::message(chat, say(language, &Say::OnlyInPrivate));
    }
    match converse(update.update_id, &message, text, language).await {
        Ok(Some(said)) => Reply::message(chat, said),
        Ok(None) => Reply::default(),
        Err(error) => {
            eprintln!("update {}: {error}", update.update_id);
            Reply::message(chat, say(language, &Say::of_error(error)))
        }
    }
}

/// An update that comes again was answered, and the answer was lost: it is given again. Nothing is said
/// to one that comes after its successor.
async fn converse(
    update: i64,
    message: &Message,
    text: &str,
    language: Language,
) -> Result<Option<String>, Error> {
    let chat = message.chat.id;
    let mut step = None;
    if let Some(before) = memory::recall(chat).await? {
        match update.cmp(&before.update) {
            Ordering::Less => return Ok(None),
            Ordering::Equal => return Ok(Some(before.said)),
            Ordering::Greater => step = before.step,
        }
    }
    let is_hidden = match &step {
        Some(step) if step.asks_for_secret() => hide(message).await,
        _ => true,
    };
    let (what, next) = match dialogue::turn(step.clone(), text) {
        Turn::Say(say) => (say, None),
        Turn::Ask(step, say) => (say, Some(step)),
        Turn::Do(act) => match carry_out(&act, update, chat).await {
            Ok(came) => came,
            Err(error) => {
                eprintln!("update {update}: {error}");
                failed(&act, step, error)
            }
        },
    };
    let mut said = say(language, &what);
    if !is_hidden {
        said = format!("{said}\n\n{}", say(language, &Say::PleaseDelete));
    }
    let is_over = next.is_none();
    let dialogue = Dialogue {
        step: next,
        update,
        said: said.clone(),
    };
    match memory::remember(chat, &dialogue).await {
        // What was done was done.
        Err(away) if is_over => eprintln!("update {update}: {away}"),
        remembered => remembered?,
    }
    Ok(Some(said))
}

/// What is said about an act that came to nothing, as far as is known, and the question that waits then.
fn failed(act: &Act, step: Option<Step>, error: Error) -> Came {
    match act {
        // Paid or not: whoever says yes again asks for the same booking.
        Act::Book { .. } if error.is_unclear() => (Say::BookedOrNot, step),
        Act::Offer(_) if error.is_unclear() => (Say::OfferedOrNot, None),
        Act::SignIn(given) if matches!(error, Error::CodeRequired) => {
            let login = given.login.clone();
            (
                Say::AskPasswordAndCode,
                Some(Step::PasswordAndCode { login }),
            )
        }
        _ => (Say::of_error(error), None),
    }
}

/// A password must not stay in the chat. Whether it is gone already.
async fn hide(message: &Message) -> bool {
    let (chat, message) = (message.chat.id, message.message_id);
    let which = json!({ "chat_id": chat, "message_id": message });
    let Err(error) = routes::call("deleteMessage", &which).await else {
        return true;
    };
    eprintln!("a password stays in a chat: {error}");
    let later = async { store::tell_to_hide(&store::open().await?, chat, message).await };
    match later.await {
        Ok(()) => kit::event::wake(),
        Err(error) => eprintln!("and nobody will delete it: {error}"),
    }
    false
}

async fn carry_out(act: &Act, update: i64, chat: i64) -> Result<Came, Error> {
    let db = store::open().await?;
    let said = |say| Ok((say, None));
    match act {
        Act::Welcome => {
            store::tell_started(&db, chat).await?;
            kit::event::wake();
            said(Say::Welcome { chat })
        }
        Act::Help => said(Say::Help(roles(&db, chat).await?)),
        Act::SignIn(given) => {
            memory::count_try(chat).await?;
            let tokens = platform::sign_in(given).await?;
            memory::forgive(chat).await?;
            let me = platform::me(&tokens.token).await?;
            store::sign_in(&db, chat, &tokens, &me.login).await?;
            if me.telegram_id == 0
                && let Err(error) = platform::link(&tokens.token, chat).await
            {
                eprintln!("update {update}: the chat is not linked: {error}");
            }
            said(Say::SignedIn {
                login: me.login,
                roles: me.roles,
            })
        }
        Act::SignOut => {
            let left = async { platform::sign_out(&token(&db, chat).await?).await };
            if let Err(error) = left.await {
                eprintln!("a session of the bot ends by itself: {error}");
            }
            store::sign_out(&db, chat).await?;
            said(Say::SignedOut)
        }
        Act::ShowBalance => {
            let balance = platform::balance(&token(&db, chat).await?).await?;
            said(Say::Balance {
                cents: balance.balance,
                currency: balance.currency,
            })
        }
        Act::ListBookings => {
            let token = as_a(&db, chat, Role::Driver).await?.0;
            said(Say::Bookings(platform::bookings(&token).await?))
        }
        Act::ListPlaces => {
            let (_, me) = as_a(&db, chat, Role::Owner).await?;
            said(Say::OwnPlaces(platform::places_of(&me.user_id).await?))
        }
        Act::FindPlaces { city } => {
            let places = platform::places_in(city).await?;
            let city = city.clone();
            said(Say::Places { city, places })
        }
        Act::BeginBooking { place } => {
            as_a(&db, chat, Role::Driver).await?;
            let found = platform::place(*place).await?;
            let next = Step::From { place: *place };
            Ok((Say::AskFrom { place: found }, Some(next)))
        }
        &Act::Quote { place, from, to } => {
            let quote = platform::quote(place, from, to).await?;
            if !quote.available {
                return said(Say::NoRoom);
            }
            let say = Say::AskBook {
                from,
                to,
                cents: quote.full_cost,
            };
            let next = Step::Confirm {
                place,
                from,
                to,
                key: Uuid::now_v7(),
            };
            Ok((say, Some(next)))
        }
        &Act::Book {
            place,
            from,
            to,
            key,
        } => {
            let token = token(&db, chat).await?;
            let booking = platform::book(&token, key, place, from, to).await?;
            said(Say::Booked { booking })
        }
        &Act::Cancel { booking } => {
            let token = token(&db, chat).await?;
            platform::cancel(&token, booking).await?;
            said(Say::Canceled { booking })
        }
        Act::Offer(place) => {
            let token = as_a(&db, chat, Role::Owner).await?.0;
            if !memory::is_first(chat, update).await? {
                return said(Say::OfferedOrNot);
            }
            let key = format!("telegram-{chat}-{update}");
            let id = platform::offer(&token, &key, place).await?;
            said(Say::Offered { id })
        }
    }
}

/// The token of whoever speaks here, renewed when it is about to end.
async fn token(db: &Db, chat: i64) -> Result<Token, Error> {
    let session = store::session(db, chat).await?;
    if session.expires_at.duration_since(kit::now()) > SignedDuration::from_secs(60) {
        return Ok(session.token);
    }
    match platform::refresh(&session.refresh_token).await {
        Ok(next) => {
            store::renew(db, chat, &session.refresh_token, &next).await?;
            Ok(next.token)
        }
        Err(Error::SignedOut) => {
            store::sign_out(db, chat).await?;
            Err(Error::SignedOut)
        }
        Err(error) => Err(error),
    }
}

/// What somebody who signed in may do; nobody may do nothing.
async fn roles(db: &Db, chat: i64) -> Result<kit::Roles, Error> {
    let token = match token(db, chat).await {
        Ok(token) => token,
        Err(Error::SignedOut) => return Ok(kit::Roles::default()),
        Err(error) => return Err(error),
    };
    match platform::me(&token).await {
        Ok(me) => Ok(me.roles),
        Err(Error::SignedOut) => Ok(kit::Roles::default()),
        Err(error) => Err(error),
    }
}

/// Whoever speaks here, if they are what they must be: better said at once than after five answers.
async fn as_a(db: &Db, chat: i64, role: Role) -> Result<(Token, platform::Me), Error> {
    let token = token(db, chat).await?;
    let me = platform::me(&token).await?;
    if me.roles.has(role) {
        Ok((token, me))
    } else {
        Err(Error::NotA(role))
    }
}
