//! Calls to the webhooks of users.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::setting;
use kit::store::Db;
use kit::store::relay::Outcome;
use kit::web::outbound::Failed;
use uuid::Uuid;

use super::send;
use crate::error::Error;
use crate::plan::ToWebhook;
use crate::store;
use crate::webhook::{Address, sign};

thread_local! {
    /// The calls that this instance is making, by owner.
    static RUNNING: RefCell<HashMap<Uuid, usize>> = RefCell::default();
}

/// Concurrent calls of one owner in an instance, so that the slow webhooks of one owner do not block those of
/// others.
const MAX_RUNNING: usize = 8;
/// When a call is tried again that found its owner at that limit.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The right to make one call, until it is dropped.
struct Slot(Uuid);

impl Slot {
    fn take(owner: Uuid) -> Option<Self> {
        RUNNING.with_borrow_mut(|it| {
            let count = it.entry(owner).or_default();
            (*count < MAX_RUNNING).then(|| {
                *count += 1;
                Self(owner)
            })
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(|it| match it.get_mut(&self.0) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(it.remove(&self.0)),
        });
    }
}

pub async fn deliver(db: &Db, event: Uuid, call: &ToWebhook) -> Result<Outcome, Error> {
    // It was deleted or disabled meanwhile.
    let Some(webhook) = store::find_callee(db, call.webhook).await? else {
        return Ok(Outcome::DONE);
    };
    if !webhook.rests().is_zero() {
        return Ok(Outcome::Later(webhook.rests()));
    }
    let Some(_slot) = Slot::take(webhook.owner) else {
        return Ok(Outcome::Later(RETRY_AFTER));
    };
    // The rules may have changed since it was registered.
    let address = match Address::parse(&webhook.url, setting("webhook_test_origin").await?) {
        Ok(address) => address,
        Err(bad) => return Ok(Outcome::Never(format!("the address is not called: {bad}"))),
    };
    let (id, now, body) = (format!("msg_{event}"), kit::now(), call.body.to_string());
    let request = Request::post(address.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "wharf-webhooks/1")
        .header("webhook-id", &id)
        .header("webhook-timestamp", now.as_second())
        .header("webhook-signature", sign(&webhook.keys, &id, now, &body))
        .body(Bytes::from(body));
    match send(request).await {
        Ok(answer) if answer.status == StatusCode::GONE => {
            store::disable_webhook(db, call.webhook, "it answered 410 Gone").await?;
            Ok(Outcome::DONE)
        }
        Ok(answer) if answer.status.is_success() => {
            if webhook.failures > 0 {
                store::record_success(db, call.webhook).await?;
            }
            Ok(Outcome::DONE)
        }
        Ok(answer) => {
            let after = answer.retry_after(kit::now());
            store::record_failure(db, call.webhook, after).await?;
            Ok(Outcome::Again {
                why: format!("it answered {}", answer.status),
                after,
            })
        }
        // Another attempt would not make the address public.
        Err(failed @ (Failed::Forbidden | Failed::NoAddress)) => {
            store::disable_webhook(db, call.webhook, &failed.to_string()).await?;
            Ok(Outcome::Never(failed.to_string()))
        }
        // The webhook may have read the call. The repetition has the same id.
        Err(failed) => {
            store::record_failure(db, call.webhook, None).await?;
            Ok(Outcome::again(failed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_one_owner_are_limited_and_leave_room_for_others() {
        let (slow, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut slots: Vec<Slot> = (0..MAX_RUNNING).filter_map(|_| Slot::take(slow)).collect();
        assert_eq!(slots.len(), MAX_RUNNING);
        assert!(Slot::take(slow).is_none());
        assert!(Slot::take(other).is_some());
        slots.pop();
        assert!(Slot::take(slow).is_some());
        drop(slots);
        RUNNING.with_borrow(|it| assert!(it.is_empty()));
    }
}
