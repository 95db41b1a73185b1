//! Following an order: by asking again, and as a stream of server-sent events.
//!
//! A stream occupies a place of its instance for as long as it lasts, so that streams are a function of their own in the
//! manifest, with its own limit of places.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use kit::identity::Caller;
use kit::money::decimal;
use kit::store::Db;
use kit::web::{Path, Problem, Schema};
use serde::Serialize;
use serde_json::{Value, json};
use spin_sdk::time::sleep;
use uuid::Uuid;

use crate::error::Error;
use crate::order::{Order, PaymentStatus, Status, Tracked};
use crate::store;
use crate::store::orders;

/// The part of an order that its link shows.
#[derive(Serialize, Schema)]
pub struct Followed {
    pickup_number: i32,
    status: Status,
    payment_status: PaymentStatus,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    amount: i64,
    payment_link: Option<String>,
    /// When it should be ready, estimated from the last orders.
    ready_by: Option<Timestamp>,
    tracking: Vec<FollowedStep>,
}

#[derive(Serialize, Schema)]
struct FollowedStep {
    status: Status,
    created_at: Timestamp,
}

impl Followed {
    fn of(order: &Order, tracked: &[Tracked]) -> Self {
        Self {
            pickup_number: order.pickup_number,
            status: order.status,
            payment_status: order.payment_status,
            amount: order.amount,
            payment_link: order.payment_link.clone(),
            ready_by: order.ready_by,
            tracking: tracked
                .iter()
                .map(|it| FollowedStep {
                    status: it.status,
                    created_at: it.created_at,
                })
                .collect(),
        }
    }
}

pub async fn track_order(
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let view = Watched::Own(id, caller).view(&store::open().await?).await?;
    Ok(unless_known(&headers, view))
}

pub async fn follow_order(headers: HeaderMap, Path(link): Path<Uuid>) -> Result<Response, Problem> {
    let view = Watched::Link(link).view(&store::open().await?).await?;
    Ok(unless_known(&headers, view))
}

pub async fn track_order_live(
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    watch(Watched::Own(id, caller), &headers).await
}

pub async fn follow_order_live(
    headers: HeaderMap,
    Path(link): Path<Uuid>,
) -> Result<Response, Problem> {
    watch(Watched::Link(link), &headers).await
}

/// An order, and the right to see it: a caller's or a link.
enum Watched {
    Own(i64, Caller),
    Link(Uuid),
}

/// The shown state of an order.
struct View {
    /// Changes when the body does.
    etag: String,
    body: Value,
    /// The order changes no more.
    is_last: bool,
}

impl Watched {
    async fn view(&self, db: &Db) -> Result<View, Error> {
        let order = match self {
            Self::Own(id, caller) => orders::find_order(db, *id, caller).await?,
            Self::Link(link) => orders::find_followed(db, *link).await?,
        };
        let tracked = orders::list_tracking(db, order.id).await?;
        let step = tracked.last().map_or(0, |it| it.id);
        let payment = order.payment_status.name();
        let refunded = order.refunded;
        let (more, body) = match self {
            Self::Own(..) => (String::new(), json!(tracked)),
            Self::Link(_) => (
                order
                    .ready_by
                    .map(|it| format!("-{}", it.as_millisecond()))
                    .unwrap_or_default(),
                json!(Followed::of(&order, &tracked)),
            ),
        };
        Ok(View {
            etag: format!("\"{step}-{payment}-{refunded}{more}\""),
            body,
            is_last: order.status == Status::Delivered || order.status.is_over(),
        })
    }
}

/// The answer, or a 304 when the client has it.
fn unless_known(headers: &HeaderMap, view: View) -> Response {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|known| {
            known
                .split(',')
                .any(|it| it.trim().trim_start_matches("W/") == view.etag)
        });
    let fresh = [
        (header::ETAG, view.etag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    match known {
        true => (StatusCode::NOT_MODIFIED, fresh).into_response(),
        false => (fresh, axum::Json(view.body)).into_response(),
    }
}

const EVENTS: &str = "text/event-stream";
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// Time between two looks at an order.
const LOOK: Duration = Duration::from_secs(1);
/// Looks without news until a comment is sent: less time than proxies wait for a byte.
const QUIET_LOOKS: u32 = 15;
/// How long a stream lasts. A browser connects again after the end and gets a place when one is free. Shorter than the
/// request timeout of the function.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// A stream of the order's state and of each change, until the order changes no more.
async fn watch(watched: Watched, headers: &HeaderMap) -> Result<Response, Problem> {
    let accepts = |it: &str| it.contains(EVENTS);
    let accepted = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    if !accepted.is_some_and(accepts) {
        return Err(Error::NoStream.into());
    }
    let db = store::open().await?;
    let view = watched.view(&db).await?;
    let last = headers.get(LAST_EVENT).and_then(|it| it.to_str().ok());
    if view.is_last && last == Some(view.etag.as_str()) {
        // After a 204 browsers do not connect again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let first = Bytes::from(view.event());
    let rest = Watch {
        watched,
        db,
        etag: view.etag,
        is_over: view.is_last,
        ends_at: kit::now() + LONGEST,
        quiet_looks: 0,
    };
    let events = stream::once(async { first }).chain(stream::unfold(rest, Watch::next));
    let head = [
        (header::CONTENT_TYPE, EVENTS),
        (header::CACHE_CONTROL, "no-store"),
        // Otherwise nginx buffers the stream.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let events = events.map(Ok::<_, Infallible>);
    Ok((head, Body::from_stream(events)).into_response())
}

impl View {
    fn event(&self) -> String {
        let Self { etag, body, .. } = self;
        format!("id: {etag}\nevent: order\ndata: {body}\n\n")
    }
}

/// A stream under way.
struct Watch {
    watched: Watched,
    db: Db,
    etag: String,
    is_over: bool,
    ends_at: Timestamp,
    quiet_looks: u32,
}

impl Watch {
    /// The next bytes of the stream. It ends when a store is in trouble or the caller may not see the order any more: the
    /// client's next request gets the refusal.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        while !self.is_over && kit::now() < self.ends_at {
            sleep(LOOK).await;
            let view = self.watched.view(&self.db).await.ok()?;
            if view.etag != self.etag {
                let event = view.event();
                (self.etag, self.is_over, self.quiet_looks) = (view.etag, view.is_last, 0);
                return Some((event.into(), self));
            }
            self.quiet_looks += 1;
            if self.quiet_looks >= QUIET_LOOKS {
                self.quiet_looks = 0;
                return Some((":\n\n".into(), self));
            }
        }
        None
    }
}
