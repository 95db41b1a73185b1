//! The Bot API of Telegram: sends a message to a chat, or deletes one.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::store::Db;
use kit::store::relay::Outcome;
use kit::web::outbound::{self, Answer, Failed};
use kit::{setting, shortened};
use serde::Deserialize;
use serde_json::{Value, json};

use super::TIMEOUT;
use crate::error::Error;
use crate::plan::ToTelegram;
use crate::store;

/// The longest message that Telegram takes, in units of UTF-16.
const MAX_MESSAGE: usize = 4096;

/// The meaning of an answer; the texts are Telegram's.
#[derive(Debug, PartialEq)]
enum Verdict {
    Sent,
    /// To be tried again after this long.
    Busy(Duration),
    /// The chat blocked the bot or never wrote to it.
    Gone(String),
    /// Telegram will never take this message.
    Refused(String),
    Failed(String),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    ok: bool,
    description: String,
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    retry_after: Option<u64>,
}

pub async fn is_configured() -> Result<bool, Error> {
    Ok(!setting("telegram_token").await?.is_empty())
}

pub async fn deliver(db: &Db, message: &ToTelegram) -> Result<Outcome, Error> {
    if !is_configured().await? {
        return Ok(Outcome::Never("no `telegram_token` is set".to_owned()));
    }
    let verdict = match send(message).await {
        Ok(answer) => Verdict::of(&answer),
        Err(failed) => Verdict::Failed(failed.to_string()),
    };
    Ok(match verdict {
        Verdict::Sent => Outcome::DONE,
        Verdict::Busy(after) => Outcome::Later(after),
        Verdict::Gone(why) => {
            store::silence_chat(db, message.chat, &why).await?;
            Outcome::DONE
        }
        Verdict::Refused(why) => Outcome::Never(why),
        Verdict::Failed(why) => Outcome::again(why),
    })
}

/// The payload of `telegram:hide`: a message to delete, because a password is in it.
#[derive(Debug, Deserialize)]
pub struct Hide {
    chat: i64,
    message: i64,
}

/// Deletes a message that the bot could not delete at once.
pub async fn hide(which: &Hide) -> Result<Outcome, Error> {
    let parameters = json!({ "chat_id": which.chat, "message_id": which.message });
    let verdict = match call("deleteMessage", &parameters).await {
        Ok(answer) => Verdict::of(&answer),
        Err(failed) => Verdict::Failed(failed.to_string()),
    };
    Ok(match verdict {
        Verdict::Sent | Verdict::Gone(_) => Outcome::DONE,
        Verdict::Busy(after) => Outcome::Later(after),
        Verdict::Refused(why) if why.ends_with("message to delete not found") => Outcome::DONE,
        Verdict::Refused(why) => Outcome::Never(why),
        Verdict::Failed(why) => Outcome::again(why),
    })
}

async fn send(message: &ToTelegram) -> Result<Answer, Failed> {
    let text = shortened(&message.text, MAX_MESSAGE);
    let parameters = json!({ "chat_id": message.chat, "text": text });
    call("sendMessage", &parameters).await
}

async fn call(method: &str, parameters: &Value) -> Result<Answer, Failed> {
    // The address carries the token, so no error repeats it.
    let (url, token) = match (
        setting("telegram_url").await,
        setting("telegram_token").await,
    ) {
        (Ok(url), Ok(token)) => (url, token),
        (Err(unset), _) | (_, Err(unset)) => return Err(Failed::NoAnswer(unset.to_string())),
    };
    let request = Request::post(format!("{url}/bot{token}/{method}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(parameters.to_string()))
        .map_err(|_| Failed::NoAddress)?;
    outbound::send(request, TIMEOUT).await
}

impl Verdict {
    fn of(answer: &Answer) -> Self {
        let told: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
        let why = if told.description.is_empty() {
            format!("Telegram answered {}", answer.status)
        } else {
            // The text is stored, and PostgreSQL takes no NUL.
            told.description.replace(char::is_control, " ")
        };
        match answer.status {
            StatusCode::OK if told.ok => Self::Sent,
            StatusCode::TOO_MANY_REQUESTS => Self::Busy(
                told.parameters
                    .retry_after
                    .map(Duration::from_secs)
                    .or_else(|| answer.retry_after(kit::now()))
                    .unwrap_or(Duration::from_secs(1)),
            ),
            StatusCode::FORBIDDEN => Self::Gone(why),
            // The person gave a Telegram id and never wrote to the bot.
            StatusCode::BAD_REQUEST if why.ends_with("chat not found") => Self::Gone(why),
            StatusCode::BAD_REQUEST => Self::Refused(why),
            _ => Self::Failed(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    fn verdict(status: u16, body: &Value) -> Verdict {
        Verdict::of(&Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_string()),
        })
    }

    #[test]
    fn every_answer_of_telegram_has_a_verdict() {
        assert_eq!(verdict(200, &json!({ "ok": true })), Verdict::Sent);
        let busy = json!({ "ok": false, "description": "Too Many Requests", "parameters": { "retry_after": 7 } });
        assert_eq!(verdict(429, &busy), Verdict::Busy(Duration::from_secs(7)));
        let blocked = "Forbidden: bot was blocked by the user";
        assert_eq!(
            verdict(403, &json!({ "ok": false, "description": blocked })),
            Verdict::Gone(blocked.to_owned())
        );
        let unknown = "Bad Request: chat not found";
        assert_eq!(
            verdict(400, &json!({ "description": unknown })),
            Verdict::Gone(unknown.to_owned())
        );
        let empty = "Bad Request: message text is empty";
        assert_eq!(
            verdict(400, &json!({ "description": empty })),
            Verdict::Refused(empty.to_owned())
        );
    }

    #[test]
    fn an_unclear_answer_is_tried_again() {
        for (status, body) in [
            (200, json!("a page of a captive portal")),
            (200, json!({ "ok": false })),
            (401, json!({ "ok": false, "description": "Unauthorized" })),
            (502, json!(null)),
            (301, json!(null)),
        ] {
            assert!(
                matches!(verdict(status, &body), Verdict::Failed(_)),
                "{status} {body}"
            );
        }
    }
}
