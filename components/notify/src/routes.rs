//! What people decide about being told.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use jiff::Timestamp;
use kit::{Caller, Clock, Json, Language, Path, Problem, setting};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::notice::ACTIVITIES;
use crate::webhook::{Address, Secret};
use crate::{contact, store, turn};

pub fn router() -> Router {
    Router::new()
        .route("/notify/tick", post(tick))
        .route(
            "/notify/preferences",
            get(show_preferences).put(change_preferences),
        )
        .route("/notify/webhooks", get(list_webhooks).post(create_webhook))
        .route("/notify/webhooks/{id}", delete(delete_webhook))
        .route("/notify/webhooks/{id}/secret", post(rotate_secret))
        .route("/notify/webhooks/{id}/enable", post(enable_webhook))
}

/// Does what a wake-up does, for platforms that have none.
async fn tick(_: Clock) -> Result<StatusCode, Problem> {
    turn::take().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Preferences {
    pub language: Language,
    pub telegram: bool,
    pub email: bool,
    pub webhook: bool,
}

/// Who said nothing is told by every channel.
impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: Language::default(),
            telegram: true,
            email: true,
            webhook: true,
        }
    }
}

/// What a person decided, and what Telegram decided for them.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    preferences: Preferences,
    /// Why nothing is said in their chat until they speak to the bot.
    telegram_silent_because: Option<String>,
}

async fn show_preferences(caller: Caller) -> Result<Json<Shown>, Problem> {
    let db = store::open().await?;
    let preferences = store::preferences(&db, caller.id).await?;
    let chat = contact::of(caller.id).await?.and_then(|it| it.telegram_id);
    let telegram_silent_because = match chat {
        Some(chat) => store::silence_of(&db, chat).await?,
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
    store::prefer(&store::open().await?, caller.id, &wanted).await?;
    Ok(Json(wanted))
}

#[derive(Debug, Serialize)]
pub struct Webhook {
    pub id: Uuid,
    pub url: String,
    /// What it is told of; everything when null.
    pub templates: Option<Vec<String>>,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    pub disabled_because: Option<String>,
    /// Calls in a row that it did not take.
    pub failures: i32,
}

#[derive(Deserialize)]
struct NewWebhook {
    url: String,
    templates: Option<Vec<String>>,
}

/// A webhook with its key: shown when the key is made, and never again.
#[derive(Serialize)]
struct WithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    secret: String,
}

async fn list_webhooks(caller: Caller) -> Result<Json<Vec<Webhook>>, Problem> {
    Ok(Json(
        store::webhooks(&store::open().await?, caller.id).await?,
    ))
}

async fn create_webhook(
    caller: Caller,
    Json(new): Json<NewWebhook>,
) -> Result<(StatusCode, Json<WithSecret>), Problem> {
    let address =
        Address::parse(&new.url, setting("webhook_test_origin").await?).map_err(Error::from)?;
    let templates = new.templates.map(activities).transpose()?;
    let (id, secret) = (Uuid::now_v7(), Secret::random());
    let db = store::open().await?;
    let webhook = store::webhook_create(&db, id, caller.id, &address, &secret, templates).await?;
    let secret = secret.shown();
    Ok((StatusCode::CREATED, Json(WithSecret { webhook, secret })))
}

/// Whoever asks for what there is not would wait for it for ever.
fn activities(templates: Vec<String>) -> Result<Vec<String>, Error> {
    match templates
        .iter()
        .find(|it| !ACTIVITIES.contains(&it.as_str()))
    {
        None => Ok(templates),
        Some(_) => Err(Error::UnknownTemplate),
    }
}

async fn delete_webhook(caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    store::webhook_delete(&store::open().await?, id, caller.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new key. Those before it go on signing for a day, so that no call fails meanwhile.
async fn rotate_secret(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<WithSecret>, Problem> {
    let secret = Secret::random();
    let webhook = store::webhook_rotate(&store::open().await?, id, caller.id, &secret).await?;
    let secret = secret.shown();
    Ok(Json(WithSecret { webhook, secret }))
}

/// Calls it again after it was disabled.
async fn enable_webhook(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Webhook>, Problem> {
    Ok(Json(
        store::webhook_enable(&store::open().await?, id, caller.id).await?,
    ))
}
