//! The webhook of the PSP. It is trusted with one thing: the id of what to look up.

use axum::body::Bytes;
use axum::http::HeaderMap;
use kit::web::{Json, Problem, Query, Schema};
use kit::{now, setting};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::psp::{Subject, signature};
use crate::reference;
use crate::{settlement, store};

/// `?data.id=…&type=…`, or `?id=…&topic=…` in older notifications.
#[derive(Deserialize, Schema)]
pub struct Notification {
    #[serde(rename = "data.id")]
    data_id: Option<String>,
    /// The same in older notifications.
    id: Option<String>,
    /// `payment` or `order`; `topic` in older notifications. Others are ignored.
    #[serde(rename = "type", alias = "topic")]
    kind: Option<String>,
}

/// Read when the query does not name the payment.
#[derive(Deserialize, Schema)]
pub struct NotificationBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    data: NotificationData,
}

#[derive(Deserialize, Schema)]
struct NotificationData {
    #[serde(deserialize_with = "reference::read")]
    #[schemars(with = "reference::Reference")]
    id: String,
}

#[derive(Serialize, Schema)]
pub struct Handled {
    message: &'static str,
    payment_id: Option<Uuid>,
    /// The status of the payment, or `ignored`.
    status: &'static str,
}

/// Answered with 200: the PSP repeats a notification that is refused.
const IGNORED: Handled = Handled {
    message: "Nothing of ours",
    payment_id: None,
    status: "ignored",
};

pub async fn receive_webhook(
    Query(notification): Query<Notification>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Handled>, Problem> {
    let body: Option<NotificationBody> = serde_json::from_slice(&body).ok();
    let kind = notification
        .kind
        .or_else(|| body.as_ref().and_then(|it| it.kind.clone()));
    let id = notification
        .data_id
        .or(notification.id)
        .or_else(|| body.map(|it| it.data.id))
        .ok_or(Error::NoPaymentId)?;
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|it| it.to_str().ok())
            .unwrap_or("")
    };
    let now = now();
    let is_genuine = signature::is_genuine(
        header("x-signature"),
        header("x-request-id"),
        &id,
        setting("psp_webhook_secret").await?,
        now.as_second(),
    );
    if !is_genuine {
        return Err(Error::ForgedWebhook.into());
    }
    let subject = match kind.as_deref() {
        None | Some("payment") => Subject::Payment(id),
        Some("order" | "orders") => Subject::Order(id),
        Some(_) => return Ok(Json(IGNORED)),
    };
    let db = store::open_to_move().await?;
    let handled = settlement::handle_webhook(&db, &subject, now).await?;
    Ok(Json(handled.map_or(IGNORED, |it| Handled {
        message: "Payment looked up",
        payment_id: Some(it.id),
        status: it.status.name(),
    })))
}
