//! The HTTP face of notify: people choose how they are told.

use jiff::Timestamp;
use kit::identity::{Caller, Clock};
use kit::setting;
use kit::store::event;
use kit::web::{Created, Dialect, Json, NoContent, Page, Path, Problem, Query, Routes, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::inbox::Entry;
use crate::notice::ACTIVITIES;
use crate::preference::Preferences;
use crate::webhook::{Address, Attempt, MAX_TESTS, Secret, Webhook};
use crate::{calls, drain, store};

pub fn routes() -> Routes {
    Routes::new("Notices", Dialect::Plain)
        .get("/notify/preferences", show_preferences, |it| {
            it.summary("Show notice preferences")
        })
        .put("/notify/preferences", change_preferences, |it| {
            it.summary("Change notice preferences")
                .note("They apply to notices about bookings, payments, fines and parking. Notices about security are sent by e-mail in any case, and by Telegram to a chat in which the person has signed in.")
                .note("In quiet hours Telegram and e-mail wait until the hours end. With a digest the notices of a day come as one e-mail, except urgent ones: a parking, a booking or a discount that ends soon, an order that is ready.")
                .refuses([Error::INVALID_HOURS, Error::UNKNOWN_TIME_ZONE])
        })
        .get("/notify/inbox", list_inbox, |it| {
            it.summary("List one's notices")
                .note("The notices of the last ninety days, the newest first, in the chosen language. For the next page pass the last `id` as `before`. Letters with a code are not listed.")
        })
        .get("/notify/inbox/unread", count_unread, |it| {
            it.summary("Count one's unread notices")
        })
        .post("/notify/inbox/read", mark_read, |it| {
            it.summary("Mark notices as read")
                .note("Marks every notice up to the given one as read.")
        })
        .get("/notify/webhooks", list_webhooks, |it| {
            it.summary("List webhooks")
        })
        .post("/notify/webhooks", create_webhook, |it| {
            it.summary("Create a webhook")
                .note("Calls follow Standard Webhooks: verify `webhook-signature` with the secret, which is shown only when it is made. An answer other than 2xx is a failure and the call is repeated with the same `webhook-id`; 410 disables the webhook.")
                .note(format!("The templates are {}.", ACTIVITIES.join(", ")))
                .refuses([
                    Error::INVALID_ADDRESS,
                    Error::UNKNOWN_TEMPLATE,
                    Error::TOO_MANY_WEBHOOKS,
                ])
        })
        .get("/notify/webhooks/{id}", show_webhook, |it| {
            it.summary("Show a webhook").refuses([Error::UNKNOWN_WEBHOOK])
        })
        .delete("/notify/webhooks/{id}", delete_webhook, |it| {
            it.summary("Delete a webhook").refuses([Error::UNKNOWN_WEBHOOK])
        })
        .post("/notify/webhooks/{id}/secret", rotate_secret, |it| {
            it.summary("Rotate the secret of a webhook")
                .note("Earlier secrets sign too for a day, so that no call fails in between.")
                .refuses([Error::UNKNOWN_WEBHOOK])
        })
        .post("/notify/webhooks/{id}/enable", enable_webhook, |it| {
            it.summary("Enable a webhook")
                .note("A webhook is disabled when it answered 410, when its address became private, or when every call failed for a day. Its owner gets a notice. The calls that it misses wait, and enabling it delivers them, or only those `since` a moment.")
                .refuses([Error::UNKNOWN_WEBHOOK])
        })
        .get("/notify/webhooks/{id}/attempts", list_attempts, |it| {
            it.summary("List the calls of a webhook")
                .note("The calls of the last seven days, the newest first. For the next page pass the last `id` as `before`.")
                .refuses([Error::UNKNOWN_WEBHOOK])
        })
        .post("/notify/webhooks/{id}/test", test_webhook, |it| {
            it.summary("Send a test to a webhook")
                .note("Sends a call of the type `test`. Its result is listed among the calls of the webhook a moment later.")
                .note(format!("A user sends at most {MAX_TESTS} tests in an hour, to all their webhooks."))
                .refuses([Error::UNKNOWN_WEBHOOK, Error::TOO_MANY_TESTS])
        })
        .about("Operation")
        .post("/notify/tick", tick, |it| {
            it.summary("Deliver notices that are due")
                .note("Does what the host's tick does, on platforms that have none.")
        })
}

async fn tick(_: Clock) -> Result<NoContent, Problem> {
    drain::tick().await?;
    Ok(NoContent)
}

/// What a person chose, and whether their chat is silent.
#[derive(Serialize, Schema)]
struct Shown {
    #[serde(flatten)]
    preferences: Preferences,
    /// Why the bot sends nothing to the person's chat until they write to it; absent when it does.
    telegram_silent_because: Option<String>,
}

async fn show_preferences(caller: Caller) -> Result<Json<Shown>, Problem> {
    let db = store::open().await?;
    let preferences = store::find_preferences(&db, caller.id).await?;
    let contact = calls::find_contact(caller.id).await?;
    let telegram_silent_because = match contact.and_then(|it| it.telegram_id) {
        Some(chat) => store::find_silence(&db, chat).await?,
        None => None,
    };
    Ok(Json(Shown {
        preferences,
        telegram_silent_because,
    }))
}

async fn change_preferences(
    caller: Caller,
    Json(wanted): Json<Preferences>,
) -> Result<Json<Preferences>, Problem> {
    let wanted = wanted.checked()?;
    store::save_preferences(&store::open().await?, caller.id, &wanted).await?;
    Ok(Json(wanted))
}

#[derive(Deserialize, Schema)]
struct Inbox {
    /// Only notices before this one.
    before: Option<i64>,
    /// Whether only unread ones are wanted.
    unread: Option<bool>,
}

async fn list_inbox(
    caller: Caller,
    Query(filter): Query<Inbox>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Entry>>, Problem> {
    let db = store::open().await?;
    let language = store::find_preferences(&db, caller.id).await?.language;
    let only_unread = filter.unread.unwrap_or_default();
    let limit = page.limit(50);
    let kept = store::list_inbox(&db, caller.id, filter.before, only_unread, limit).await?;
    let entries = kept
        .into_iter()
        .filter_map(|it| it.say(caller.id, language));
    Ok(Json(entries.collect()))
}

#[derive(Serialize, Schema)]
struct Unread {
    /// Counted up to 1000.
    unread: i64,
}

async fn count_unread(caller: Caller) -> Result<Json<Unread>, Problem> {
    let unread = store::count_unread(&store::open().await?, caller.id).await?;
    Ok(Json(Unread { unread }))
}

#[derive(Deserialize, Schema)]
struct UpTo {
    /// The `id` of the newest notice that was read.
    #[schemars(example = 17)]
    up_to: i64,
}

async fn mark_read(caller: Caller, Json(read): Json<UpTo>) -> Result<NoContent, Problem> {
    store::mark_read(&store::open().await?, caller.id, read.up_to).await?;
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
struct NewWebhook {
    /// A public name over https, on its usual port.
    #[schemars(length(max = 2000), example = &"https://hooks.example.com/wharf")]
    url: String,
    /// The notices it is told about; all of them when absent.
    #[schemars(example = ["booking_ending"])]
    templates: Option<Vec<String>>,
}

/// A webhook with its secret, which is shown when it is made and never again.
#[derive(Serialize, Schema)]
struct WithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    /// As Standard Webhooks writes it, beginning with `whsec_`.
    secret: String,
}

async fn list_webhooks(caller: Caller) -> Result<Json<Vec<Webhook>>, Problem> {
    let webhooks = store::list_webhooks(&store::open().await?, caller.id).await?;
    Ok(Json(webhooks))
}

async fn create_webhook(
    caller: Caller,
    Json(new): Json<NewWebhook>,
) -> Result<Created<WithSecret>, Problem> {
    let allowed_origin = setting("webhook_test_origin").await?;
    let address = Address::parse(&new.url, allowed_origin).map_err(Error::from)?;
    let templates = new.templates.map(check_templates).transpose()?;
    let (id, secret) = (Uuid::now_v7(), Secret::random());
    let db = store::open().await?;
    let webhook = store::create_webhook(&db, id, caller.id, &address, &secret, templates).await?;
    let secret = secret.shown();
    let location = format!("/notify/webhooks/{id}");
    Ok(Created::at(location, WithSecret { webhook, secret }))
}

/// A webhook for a misspelled template would wait forever.
fn check_templates(templates: Vec<String>) -> Result<Vec<String>, Error> {
    match templates.iter().all(|it| ACTIVITIES.contains(&it.as_str())) {
        true => Ok(templates),
        false => Err(Error::UnknownTemplate(ACTIVITIES.join(", "))),
    }
}

async fn show_webhook(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Webhook>, Problem> {
    let webhook = store::find_webhook(&store::open().await?, id, caller.id).await?;
    Ok(Json(webhook))
}

async fn delete_webhook(caller: Caller, Path(id): Path<Uuid>) -> Result<NoContent, Problem> {
    store::delete_webhook(&store::open().await?, id, caller.id).await?;
    Ok(NoContent)
}

async fn rotate_secret(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<WithSecret>, Problem> {
    let secret = Secret::random();
    let webhook = store::rotate_secret(&store::open().await?, id, caller.id, &secret).await?;
    let secret = secret.shown();
    Ok(Json(WithSecret { webhook, secret }))
}

/// Which of the notices that waited are delivered.
#[derive(Deserialize, Schema)]
struct Since {
    /// Notices of earlier events are dropped; when absent, none is.
    since: Option<Timestamp>,
}

/// How many parked deliveries one statement frees.
const RELEASED_AT_ONCE: i32 = 5_000;

async fn enable_webhook(
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Since>,
) -> Result<Json<Webhook>, Problem> {
    let db = store::open().await?;
    let webhook = store::enable_webhook(&db, id, caller.id).await?;
    let since = wanted.since.unwrap_or(Timestamp::UNIX_EPOCH);
    while store::release_parked(&db, id, since, RELEASED_AT_ONCE).await? > 0 {}
    event::wake();
    Ok(Json(webhook))
}

#[derive(Deserialize, Schema)]
struct Before {
    /// Only calls before this one.
    before: Option<i64>,
}

async fn list_attempts(
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(filter): Query<Before>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Attempt>>, Problem> {
    let db = store::open().await?;
    let webhook = store::find_webhook(&db, id, caller.id).await?;
    let limit = page.limit(50);
    let attempts = store::list_attempts(&db, webhook.id, caller.id, filter.before, limit).await?;
    Ok(Json(attempts))
}

async fn test_webhook(caller: Caller, Path(id): Path<Uuid>) -> Result<NoContent, Problem> {
    store::emit_test(&store::open().await?, id, caller.id).await?;
    event::wake();
    Ok(NoContent)
}
