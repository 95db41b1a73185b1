//! Where Telegram brings what people write, and where an admin tells it to.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::post;
use kit::{Admin, Json, Problem, outbound, setting};
use serde::Serialize;
use serde_json::{Value, json};

use crate::bot;
use crate::error::Error;
use crate::update::Update;

pub fn router() -> Router {
    Router::new()
        .route("/telegram/webhook", post(hear))
        .route("/telegram/install", post(install))
}

/// Telegram takes a call to its API as the answer to an update: one round trip, and nothing to
/// repeat when it fails.
#[derive(Debug, Default, Serialize)]
pub struct Reply {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Reply {
    pub fn message(chat: i64, text: String) -> Self {
        Self {
            method: Some("sendMessage"),
            chat_id: Some(chat),
            text: Some(text),
        }
    }
}

async fn hear(headers: HeaderMap, body: Bytes) -> Result<Json<Reply>, Problem> {
    let shown = headers
        .get("x-telegram-bot-api-secret-token")
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    if !kit::is_secret(shown, setting("telegram_webhook_secret").await?) {
        return Err(Error::NotTelegram.into());
    }
    // Telegram repeats what is not taken, so what cannot be read is taken too.
    let Ok(update) = serde_json::from_slice::<Update>(&body) else {
        return Ok(Json(Reply::default()));
    };
    Ok(Json(bot::hear(update).await))
}

const PATIENCE: Duration = Duration::from_secs(10);

/// Tells Telegram to bring updates here.
async fn install(_: Admin) -> Result<StatusCode, Problem> {
    let wanted = json!({
        "url": format!("{}/telegram/webhook", setting("public_url").await?),
        "secret_token": setting("telegram_webhook_secret").await?,
        "allowed_updates": ["message"],
    });
    call("setWebhook", &wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Calls the Bot API. The address carries the token, so no error repeats it.
pub async fn call(method: &str, parameters: &Value) -> Result<(), Error> {
    let (url, token) = (
        setting("telegram_url").await?,
        setting("telegram_token").await?,
    );
    let request = Request::post(format!("{url}/bot{token}/{method}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(parameters.to_string()))?;
    let answer = outbound::send(request, PATIENCE).await?;
    if answer.status == StatusCode::OK {
        Ok(())
    } else {
        Err(Error::Telegram(answer.status))
    }
}
