//! One update: what was asked before is recalled, what follows is carried out, and
//! the next question is remembered.

use kit::{Db, Role};
use serde_json::json;

use crate::dialogue::{self, Act, Step, Turn};
use crate::error::Error;
use crate::memory::{self, Dialogue};
use crate::platform::{self, Token};
use crate::routes::{self, Reply};
use crate::say::{Say, language_of, say};
use crate::store;
use crate::update::{Input, Message, Update};

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
    match converse(update.update_id, &message, Input::read(text)).await {
        Ok(Some(said)) => Reply::message(chat, say(language, &said)),
        Ok(None) => Reply::default(),
        Err(error) => {
            eprintln!("update {}: {error}", update.update_id);
            Reply::message(chat, say(language, &Say::of_error(error)))
        }
    }
}

/// Nothing is said to an update that was heard before.
async fn converse(update: i64, message: &Message, input: Input) -> Result<Option<Say>, Error> {
    let chat = message.chat.id;
    let dialogue = memory::recall(chat).await?;
    if dialogue.as_ref().is_some_and(|it| it.update >= update) {
        return Ok(None);
    }
    let step = dialogue.map(|it| it.step);
    if matches!(
        (&step, &input),
        (Some(Step::Password { .. }), Input::Text(_))
    ) {
        hide(message).await;
    }
    let had_question = step.is_some();
    let (say, next) = match dialogue::turn(step, input) {
        Turn::Say(say) => (say, None),
        Turn::Ask(step, say) => (say, Some(step)),
        Turn::Do(act) => match carry_out(act, update, chat).await {
            Ok(came) => came,
            Err(error) => {
                memory::forget(chat).await?;
                return Err(error);
            }
        },
    };
    match next {
        Some(step) => memory::remember(chat, &Dialogue { step, update }).await?,
        None if had_question => memory::forget(chat).await?,
        None => {}
    }
    Ok(Some(say))
}

/// A password must not stay in the chat. If Telegram cannot be reached the person is none the worse.
async fn hide(message: &Message) {
    let which = json!({ "chat_id": message.chat.id, "message_id": message.message_id });
    if let Err(error) = routes::call("deleteMessage", &which).await {
        eprintln!("a password stays in a chat: {error}");
    }
}

async fn carry_out(act: Act, update: i64, chat: i64) -> Result<Came, Error> {
    let db = store::open().await?;
    let said = |say| Ok((say, None));
    match act {
        Act::Welcome => {
            store::tell_started(&db, chat).await?;
            kit::event::wake();
            said(Say::Welcome { chat })
        }
        Act::Help => said(Say::Help(roles(&db, chat).await?)),
        Act::SignIn { login, password } => {
            let token = platform::sign_in(&login, &password).await?;
            let me = platform::me(&token).await?;
            store::sign_in(&db, chat, &token, &me.login).await?;
            said(Say::SignedIn {
                login: me.login,
                roles: me.roles,
            })
        }
        Act::SignOut => {
            store::sign_out(&db, chat).await?;
            said(Say::SignedOut)
        }
        Act::ShowBalance => {
            let balance = platform::balance(&store::session(&db, chat).await?).await?;
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
            let places = platform::places_in(&city).await?;
            said(Say::Places { city, places })
        }
        Act::BeginBooking { place } => {
            as_a(&db, chat, Role::Driver).await?;
            let found = platform::place(place).await?;
            Ok((Say::AskFrom { place: found }, Some(Step::From { place })))
        }
        Act::Quote { place, from, to } => {
            let quote = platform::quote(place, from, to).await?;
            if !quote.available {
                return said(Say::NoRoom);
            }
            let say = Say::AskBook {
                from,
                to,
                cents: quote.full_cost,
            };
            Ok((say, Some(Step::Confirm { place, from, to })))
        }
        Act::Book { place, from, to } => {
            let token = store::session(&db, chat).await?;
            let key = format!("telegram-{chat}-{update}");
            let booking = platform::book(&token, &key, place, from, to).await?;
            said(Say::Booked { booking })
        }
        Act::Cancel { booking } => {
            let token = store::session(&db, chat).await?;
            platform::cancel(&token, booking).await?;
            said(Say::Canceled { booking })
        }
        Act::Offer(place) => {
            let token = as_a(&db, chat, Role::Owner).await?.0;
            let id = platform::offer(&token, &place).await?;
            said(Say::Offered { id })
        }
    }
}

/// What somebody who signed in may do; nobody may do nothing.
async fn roles(db: &Db, chat: i64) -> Result<kit::Roles, Error> {
    let token = match store::session(db, chat).await {
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
    let token = store::session(db, chat).await?;
    let me = platform::me(&token).await?;
    if me.roles.has(role) {
        Ok((token, me))
    } else {
        Err(Error::NotA(role))
    }
}
