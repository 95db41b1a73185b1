//! E-mail, through an HTTP mail API: `POST <mail_url>/emails` with `{from, to, subject, text}` and a
//! bearer key, as Resend has it.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::outbound::{self, Answer, Failed};
use kit::relay::Outcome;
use kit::setting;
use serde_json::json;
use uuid::Uuid;

use crate::error::Error;
use crate::plan::ToEmail;

const PATIENCE: Duration = Duration::from_secs(10);

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
        // The API knows a letter that is sent twice by it.
        .header("idempotency-key", event.to_string())
        .body(Bytes::from(body.to_string()))
        .map_err(|_| Failed::NoAddress);
    let answer = match request {
        Ok(request) => outbound::send_for_status(request, PATIENCE).await,
        Err(failed) => Err(failed),
    };
    Ok(match answer {
        Ok(answer) => outcome(&answer),
        Err(failed) => Outcome::again(failed),
    })
}

fn outcome(answer: &Answer) -> Outcome {
    let after = answer.retry_after(kit::now());
    match (answer.status, after) {
        (status, _) if status.is_success() => Outcome::DONE,
        // The address, or what is in the letter, is the trouble.
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
    use axum::http::HeaderMap;

    use super::*;

    fn answered(status: u16, retry_after: Option<&'static str>) -> Answer {
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
    fn a_busy_mail_api_is_asked_when_it_says() {
        assert_eq!(outcome(&answered(200, None)), Outcome::DONE);
        let later = Outcome::Later(Duration::from_secs(3));
        assert_eq!(outcome(&answered(429, Some("3"))), later);
        assert!(matches!(outcome(&answered(422, None)), Outcome::Never(_)));
        for status in [301, 401, 409, 429, 500, 503] {
            let again = outcome(&answered(status, None));
            assert!(matches!(again, Outcome::Again { .. }), "{status}");
        }
    }
}
