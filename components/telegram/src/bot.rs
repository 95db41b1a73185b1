//! Handles one update: recalls the waiting question, carries out the answer, and remembers the next question.

use std::cmp::Ordering;

use jiff::SignedDuration;
use kit::identity::{Role, Roles};
use kit::store::{Db, event};
use kit::{Language, setting};
use serde_json::json;
use uuid::Uuid;

use crate::dialogue::{Act, Reaction, Step, react};
use crate::error::Error;
use crate::memory::{self, Dialogue};
use crate::platform::{Me, Token, Tokens};
use crate::say::{Say, language_of, say};
use crate::sealed::{self, Kept};
use crate::update::{Message, Reply, Update};
use crate::{bot_api, calls, store};

/// The result of an act: the text, and the question that waits from now on.
type Done = (Say, Option<Step>);

/// Never fails: errors are told in the chat, so that Telegram does not repeat the update.
pub async fn handle_update(update: Update) -> Reply {
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

/// Updates of one chat are handled one after another, on all hosts: each reads the question that waits, acts, and
/// writes the next one.
async fn converse(
    update: i64,
    message: &Message,
    text: &str,
    language: Language,
) -> Result<Option<String>, Error> {
    let turn = memory::take_turn(message.chat.id).await?;
    let said = converse_in_turn(update, message, text, language).await;
    memory::end_turn(&turn).await;
    said
}

/// A repeated update gets the same reply again, because the first one was lost. An update that comes after a later one
/// gets no reply.
async fn converse_in_turn(
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
    let is_deleted = match &step {
        Some(step) if step.asks_for_secret() => delete_message(message).await,
        _ => true,
    };
    let (what, next) = match react(step.clone(), text) {
        Reaction::Say(say) => (say, None),
        Reaction::Ask(step, say) => (say, Some(step)),
        Reaction::Do(act) => match carry_out(&act, update, chat).await {
            Ok(done) => done,
            Err(error) => {
                eprintln!("update {update}: {error}");
                explain_failure(&act, step, error)
            }
        },
    };
    let mut reply = say(language, &what);
    if !is_deleted {
        reply = format!("{reply}\n\n{}", say(language, &Say::PleaseDelete));
    }
    let is_over = next.is_none();
    let dialogue = Dialogue {
        step: next,
        update,
        said: reply.clone(),
    };
    match memory::remember(chat, &dialogue).await {
        // The act is done and no question waits, so the reply is sent although it cannot be remembered.
        Err(away) if is_over => eprintln!("update {update}: {away}"),
        remembered => remembered?,
    }
    Ok(Some(reply))
}

/// The text about an act that failed or may have failed, and the question that waits then.
fn explain_failure(act: &Act, step: Option<Step>, error: Error) -> Done {
    match act {
        // The step keeps its key: another yes asks for the same booking.
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

/// Deletes a message with a password. Answers whether it is deleted already; otherwise `notify` deletes it
/// later.
async fn delete_message(message: &Message) -> bool {
    let (chat, message) = (message.chat.id, message.message_id);
    let which = json!({ "chat_id": chat, "message_id": message });
    let Err(error) = bot_api::call("deleteMessage", &which).await else {
        return true;
    };
    eprintln!("a password is not deleted from its chat yet: {error}");
    let later = async { store::emit_hide(&store::open().await?, chat, message).await };
    match later.await {
        Ok(()) => event::wake(),
        Err(error) => eprintln!("a password stays in its chat: {error}"),
    }
    false
}

async fn carry_out(act: &Act, update: i64, chat: i64) -> Result<Done, Error> {
    let db = store::open().await?;
    let said = |say| Ok((say, None));
    match act {
        Act::Welcome => {
            store::emit_started(&db, chat).await?;
            event::wake();
            said(Say::Welcome { chat })
        }
        Act::Help => said(Say::Help(find_roles(&db, chat).await?)),
        Act::SignIn(given) => {
            memory::count_try(chat).await?;
            let tokens = calls::sign_in(given, chat).await?;
            memory::forgive_try(chat).await?;
            let me = calls::find_me(&tokens.token).await?;
            let sealed = seal(chat, &tokens).await?;
            store::save_session(&db, chat, &sealed, tokens.seconds, &me).await?;
            event::wake();
            if me.telegram_id == 0
                && let Err(error) = calls::link_chat(&tokens.token, chat).await
            {
                eprintln!("update {update}: the chat is not linked: {error}");
            }
            said(Say::SignedIn {
                login: me.login,
                roles: me.roles,
            })
        }
        Act::SignOut => {
            let ended = async { calls::sign_out(&token(&db, chat).await?).await };
            if let Err(error) = ended.await {
                eprintln!("a session was not ended and expires: {error}");
            }
            store::delete_session(&db, chat).await?;
            said(Say::SignedOut)
        }
        Act::ShowBalance => {
            let balance = calls::find_balance(&token(&db, chat).await?).await?;
            said(Say::Balance {
                cents: balance.balance,
                currency: balance.currency,
            })
        }
        Act::ListBookings => {
            let token = require_role(&db, chat, Role::Driver).await?.0;
            said(Say::Bookings(calls::list_bookings(&token).await?))
        }
        Act::ListPlaces => {
            let (_, me) = require_role(&db, chat, Role::Owner).await?;
            said(Say::OwnPlaces(calls::list_places(me.user_id).await?))
        }
        Act::FindPlaces { city } => {
            let places = calls::search_places(city).await?;
            let city = city.clone();
            said(Say::Places { city, places })
        }
        Act::BeginBooking { place } => {
            require_role(&db, chat, Role::Driver).await?;
            let found = calls::find_place(*place).await?;
            let next = Step::From { place: *place };
            Ok((Say::AskFrom { place: found }, Some(next)))
        }
        &Act::Quote { place, from, to } => {
            let quote = calls::quote_booking(place, from, to).await?;
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
            let booking = calls::create_booking(&token, key, place, from, to).await?;
            said(Say::Booked { booking })
        }
        &Act::Cancel { booking } => {
            let token = token(&db, chat).await?;
            calls::cancel_booking(&token, booking).await?;
            said(Say::Canceled { booking })
        }
        Act::Offer(place) => {
            let token = require_role(&db, chat, Role::Owner).await?.0;
            if !memory::is_first(chat, update).await? {
                return said(Say::OfferedOrNot);
            }
            let key = format!("telegram-{chat}-{update}");
            let id = calls::create_place(&token, &key, place).await?;
            said(Say::Offered { id })
        }
        &Act::BeginChange { place } => {
            require_role(&db, chat, Role::Owner).await?;
            let found = calls::find_place(place).await?;
            Ok((Say::AskField { place: found }, Some(Step::Field { place })))
        }
        Act::Change { place, change } => {
            let token = require_role(&db, chat, Role::Owner).await?.0;
            calls::change_place(&token, *place, change.clone()).await?;
            said(Say::Changed { place: *place })
        }
        &Act::Remove { place } => {
            let token = require_role(&db, chat, Role::Owner).await?.0;
            calls::remove_place(&token, place).await?;
            said(Say::Removed { place })
        }
    }
}

/// Renewed when less is left: a request must not outlive its token.
const MIN_LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// The tokens of a chat in the form that is stored.
async fn seal(chat: i64, tokens: &Tokens) -> Result<Vec<u8>, Error> {
    let kept = Kept {
        token: tokens.token.clone(),
        refresh_token: tokens.refresh_token.clone(),
    };
    sealed::seal(setting("telegram_key").await?, chat, &kept).ok_or(Error::Unsealable)
}

/// The token of a chat, renewed when it is about to end.
async fn token(db: &Db, chat: i64) -> Result<Token, Error> {
    let session = store::find_session(db, chat).await?;
    let key = setting("telegram_key").await?;
    let Some(kept) = sealed::open(key, chat, &session.sealed) else {
        // The variable `telegram_key` has changed.
        store::delete_session(db, chat).await?;
        return Err(Error::SignedOut);
    };
    if session.expires_at.duration_since(kit::now()) > MIN_LIFETIME {
        return Ok(kept.token);
    }
    match calls::refresh_tokens(&kept.refresh_token).await {
        Ok(next) => {
            let sealed = seal(chat, &next).await?;
            store::renew_session(db, chat, &session.sealed, &sealed, next.seconds).await?;
            Ok(next.token)
        }
        Err(Error::SignedOut) => {
            store::delete_session(db, chat).await?;
            Err(Error::SignedOut)
        }
        Err(error) => Err(error),
    }
}

/// The roles of the signed-in user; empty when signed out.
async fn find_roles(db: &Db, chat: i64) -> Result<Roles, Error> {
    let token = match token(db, chat).await {
        Ok(token) => token,
        Err(Error::SignedOut) => return Ok(Roles::default()),
        Err(error) => return Err(error),
    };
    match calls::find_me(&token).await {
        Ok(me) => Ok(me.roles),
        Err(Error::SignedOut) => Ok(Roles::default()),
        Err(error) => Err(error),
    }
}

/// The signed-in user, if they have the role. A dialogue checks it before its first question.
async fn require_role(db: &Db, chat: i64, role: Role) -> Result<(Token, Me), Error> {
    let token = token(db, chat).await?;
    let me = calls::find_me(&token).await?;
    if me.roles.has(role) {
        Ok((token, me))
    } else {
        Err(Error::RoleRequired(role))
    }
}
