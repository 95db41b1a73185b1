//! The Bot API of Telegram.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::setting;
use kit::web::outbound;
use serde_json::Value;

use crate::error::Error;

/// A call without an answer within this time has failed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls a method. The address carries the token, so no error repeats it.
pub async fn call(method: &str, parameters: &Value) -> Result<(), Error> {
    let (url, token) = (
        setting("telegram_url").await?,
        setting("telegram_token").await?,
    );
    let request = Request::post(format!("{url}/bot{token}/{method}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(parameters.to_string()))?;
    let answer = outbound::send(request, TIMEOUT).await?;
    match answer.status {
        StatusCode::OK => Ok(()),
        status => Err(Error::Telegram(status)),
    }
}
