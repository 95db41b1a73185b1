//! E-mail through the HTTP API of Resend: `POST <mail_url>/emails` with `{from, to, subject, text}` and a
//! bearer key.

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::setting;
use kit::store::relay::Outcome;
use kit::web::outbound::Answer;
use serde_json::json;
use uuid::Uuid;

use super::send;
use crate::error::Error;
use crate::plan::ToEmail;

pub async fn is_configured() -> Result<bool, Error> {
    Ok(!setting("mail_url").await?.is_empty())
}

pub async fn deliver(event: Uuid, letter: &ToEmail) -> Result<Outcome, Error> {
    if !is_configured().await? {
        return Ok(Outcome::Never("no `mail_url` is set".to_owned()));
    }
    let (url, key) = (setting("mail_url").await?, setting("mail_key").await?);
    let body = json!({
        "from": setting("mail_from").await?,
        "to": [letter.to],
        "subject": letter.subject,
        "text": letter.text,
    });
    let request = Request::post(format!("{url}/emails"))
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
        // The API sends a letter with the same key once.
        .header("idempotency-key", event.to_string())
        .body(Bytes::from(body.to_string()));
    Ok(match send(request).await {
        Ok(answer) => outcome(&answer),
        Err(failed) => Outcome::again(failed),
    })
}

fn outcome(answer: &Answer) -> Outcome {
    let after = answer.retry_after(kit::now());
    match (answer.status, after) {
        (status, _) if status.is_success() => Outcome::DONE,
        // The address or the letter is invalid: another attempt changes nothing.
        (status @ (StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY), _) => {
            Outcome::Never(format!("the mail API answered {status}"))
        }
        (StatusCode::TOO_MANY_REQUESTS, Some(after)) => Outcome::Later(after),
        (status, after) => Outcome::Again {
            why: format!("the mail API answered {status}"),
            after,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::HeaderMap;

    use super::*;

    fn answer(status: u16, retry_after: Option<&'static str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
        }
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::new(),
        }
    }

    #[test]
    fn a_busy_mail_api_is_asked_again_after_its_retry_after() {
        assert_eq!(outcome(&answer(200, None)), Outcome::DONE);
        let later = Outcome::Later(Duration::from_secs(3));
        assert_eq!(outcome(&answer(429, Some("3"))), later);
        assert!(matches!(outcome(&answer(422, None)), Outcome::Never(_)));
        for status in [301, 401, 409, 429, 500, 503] {
            let again = outcome(&answer(status, None));
            assert!(matches!(again, Outcome::Again { .. }), "{status}");
        }
    }
}
