//! Calls to the webhooks of users. Each webhook has a lane of its own, so that a webhook in trouble does not delay the others.

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::setting;
use kit::store::Db;
use kit::store::relay::{Event, Outcome};
use kit::web::outbound::Failed;

use super::send;
use crate::error::Error;
use crate::plan::ToWebhook;
use crate::store;
use crate::webhook::{Address, Call, sign};

pub async fn deliver(db: &Db, event: &Event, call: &ToWebhook) -> Result<Outcome, Error> {
    // The webhook was deleted meanwhile.
    let Some(webhook) = store::find_callee(db, call.webhook).await? else {
        return Ok(Outcome::DONE);
    };
    if let Some(why) = webhook.disabled_because {
        return Ok(Outcome::Park {
            until: call.webhook.to_string(),
            why,
        });
    }
    if !webhook.rests().is_zero() {
        return Ok(Outcome::Rest(webhook.rests()));
    }
    // The rules may have changed since it was registered.
    let address = match Address::parse(&webhook.url, setting("webhook_test_origin").await?) {
        Ok(address) => address,
        Err(bad) => return Ok(Outcome::Never(format!("the address is not called: {bad}"))),
    };
    let (id, now, body) = (
        format!("msg_{}", event.id),
        kit::now(),
        call.body.to_string(),
    );
    let mut request = Request::post(address.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "wharf-webhooks/1")
        .header("webhook-id", &id)
        .header("webhook-timestamp", now.as_second())
        .header("webhook-signature", sign(&webhook.keys, &id, now, &body));
    for (name, value) in [
        ("x-request-id", &event.request_id),
        ("traceparent", &event.traceparent),
    ] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let answer = send(request.body(Bytes::from(body))).await;
    let took = kit::now().duration_since(now).unsigned_abs();
    let status = answer.as_ref().ok().map(|it| it.status);
    let retry_after = match &answer {
        Ok(answer) => answer.retry_after(kit::now()),
        Err(_) => None,
    };
    let error = match &answer {
        Ok(answer) if answer.status.is_success() => None,
        Ok(answer) => Some(format!("it answered {}", answer.status)),
        Err(failed) => Some(failed.to_string()),
    };
    let attempt = Call {
        webhook: call.webhook,
        event: event.id,
        template: call.template(),
        status: status.map(|it| it.as_u16().into()),
        error: error.as_deref(),
        took,
        retry_after,
    };
    store::record_attempt(db, &attempt).await?;
    let Some(why) = error else {
        return Ok(Outcome::DONE);
    };
    let is_gone = status == Some(StatusCode::GONE);
    // Another attempt would not make the address public.
    let is_private = matches!(answer, Err(Failed::Forbidden | Failed::NoAddress));
    if is_gone || is_private {
        store::disable_webhook(db, call.webhook, &why).await?;
        return Ok(Outcome::Park {
            until: call.webhook.to_string(),
            why,
        });
    }
    // The receiver may have handled the call all the same: the next attempt has the same id.
    Ok(Outcome::Again {
        why,
        after: retry_after,
    })
}
