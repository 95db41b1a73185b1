//! The HTTP face of the bot: Telegram delivers updates, and an admin registers the bot with Telegram.

use axum::body::Bytes;
use axum::http::HeaderMap;
use kit::identity::{Admin, INVALID_TOKEN, is_secret};
use kit::setting;
use kit::web::{Dialect, Json, NoContent, Problem, Routes};
use serde_json::json;

use crate::error::Error;
use crate::update::{Reply, Update};
use crate::{bot, bot_api};

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

pub fn routes() -> Routes {
    Routes::new("Telegram bot", Dialect::Plain)
        .post("/telegram/webhook", receive_update, |it| {
            it.summary("Receive an update of Telegram")
                .note("The answer is a call of the Bot API that Telegram carries out, or an empty object. An update that cannot be read is answered like one without a text: Telegram would repeat a refused one forever.")
                .secret()
                .header(SECRET_HEADER, true, "The secret that Telegram was given")
                .takes::<Update>("application/json")
                .refuses([INVALID_TOKEN])
        })
        .post("/telegram/install", install_webhook, |it| {
            it.summary("Register the bot with Telegram")
                .note("Tells Telegram to deliver updates to this installation.")
        })
}

async fn receive_update(headers: HeaderMap, body: Bytes) -> Result<Json<Reply>, Problem> {
    let shown = headers
        .get(SECRET_HEADER)
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    if !is_secret(shown, setting("telegram_webhook_secret").await?) {
        return Err(Error::NotTelegram.into());
    }
    let Ok(update) = serde_json::from_slice::<Update>(&body) else {
        return Ok(Json(Reply::default()));
    };
    Ok(Json(bot::handle_update(update).await))
}

async fn install_webhook(_: Admin) -> Result<NoContent, Problem> {
    let origin = setting("public_url").await?.trim_end_matches('/');
    let wanted = json!({
        "url": format!("{origin}/telegram/webhook"),
        "secret_token": setting("telegram_webhook_secret").await?,
        "allowed_updates": ["message"],
    });
    bot_api::call("setWebhook", &wanted).await?;
    Ok(NoContent)
}
