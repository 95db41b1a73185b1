//! Events as admins see them: their deliveries and how these ended, without secrets.

use std::fmt::Write;

use jiff::Timestamp;
use kit::Word;
use kit::store::{Column, DbValue, FromRow};
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What one function has not carried out of one kind of event, on one lane.
#[derive(Debug, PartialEq, Serialize, FromRow, Schema)]
pub struct Backlog {
    /// The function that hears it.
    pub consumer: String,
    /// Deliveries of a lane share its limits and its trouble.
    pub lane: String,
    pub kind: String,
    /// Can be claimed.
    pub ready: i64,
    /// Behind an earlier one of their aggregate.
    pub blocked: i64,
    /// Being carried out.
    pub running: i64,
    /// Failed, or put off, and tried again later.
    pub retrying: i64,
    /// Waiting until a pause of their kind ends, or a disabled webhook is enabled.
    pub parked: i64,
    /// Given up, until an admin decides.
    pub dead: i64,
    /// The age of the event that has waited longest, in seconds; dead and parked deliveries do not count.
    pub oldest_s: Option<i64>,
    /// Whether the kind is paused.
    pub paused: bool,
}

/// A lane of a function, in use.
#[derive(Debug, PartialEq, Serialize, FromRow, Schema)]
pub struct Lane {
    /// The function that hears what is delivered on it.
    pub consumer: String,
    pub name: String,
    /// Deliveries that are carried out at once, over all hosts.
    pub max_running: i32,
    /// Lanes of a lower rank go first.
    pub rank: i16,
    /// The admin who paused it.
    pub paused_by: Option<Uuid>,
    /// Until when nothing is sent on it, because its receiver asked for it or failed.
    pub rests_until: Option<Timestamp>,
    /// Failures in a row, of a lane with one receiver.
    pub failures: i32,
}

/// The kind of an event, as `payment:approved`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Schema)]
#[serde(try_from = "String")]
#[schemars(
    extend("pattern" = "^[a-z][a-z0-9_.:-]{0,63}$"),
    example = &"weather:changed"
)]
pub struct Kind(String);

impl Kind {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kind is 1 to 64 lower-case letters, digits and `_.:-`, beginning with a letter")]
pub struct InvalidKind;

/// The rule of the constraint `outbox_kind`.
impl TryFrom<String> for Kind {
    type Error = InvalidKind;

    fn try_from(kind: String) -> Result<Self, InvalidKind> {
        let is_valid = kind.len() <= 64
            && kind.starts_with(|it: char| it.is_ascii_lowercase())
            && kind
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"_.:-".contains(&it));
        if is_valid {
            Ok(Self(kind))
        } else {
            Err(InvalidKind)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum State {
    /// Written, and not delivered to any function yet.
    Emitted,
    Ready,
    Blocked,
    Running,
    Retrying,
    Parked,
    Dead,
    Done,
}

/// The deliveries that are wanted; an absent filter filters nothing.
pub struct Listing<'a> {
    pub state: Option<State>,
    pub kind: Option<&'a str>,
    pub consumer: Option<&'a str>,
    pub aggregate: Option<&'a str>,
    /// Only events before this place in the queue.
    pub before: Option<i64>,
    pub limit: i64,
}

/// The delivery of an event to one function.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Entry {
    pub id: Uuid,
    /// The place in the queue; `before` of the next page.
    pub seq: i64,
    pub kind: String,
    /// The thing that the event is about, as `booking:17`: its events are carried out in order.
    pub aggregate: String,
    /// The function that carries it out; absent while it is not delivered, and for an event that no function hears.
    pub consumer: Option<String>,
    pub lane: Option<String>,
    pub state: State,
    pub attempts: i32,
    /// Since when it is ready, when it is tried again, or when its lease ends.
    pub due_at: Timestamp,
    pub created_at: Timestamp,
    pub settled_at: Option<Timestamp>,
    /// What it waits for when it is parked: the kind, or the id of a webhook.
    pub parked_for: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// Secrets are covered with `***`.
    pub payload: Covered,
    pub last_error: Option<String>,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Failure {
    pub consumer: String,
    pub attempt: i32,
    pub failed_at: Timestamp,
    pub error: String,
}

/// A payload whose secrets are covered: the only form in which one is read here.
#[derive(Debug, PartialEq, Serialize, Schema)]
#[serde(transparent)]
pub struct Covered(Value);

impl Column for Covered {
    fn column(value: &DbValue) -> Option<Self> {
        Value::column(value).map(cover).map(Self)
    }
}

/// Members whose value an admin does not need in order to look after the queue: secrets, and the texts
/// that people were sent.
const COVERED: [&str; 14] = [
    "body", "code", "cookie", "cpf", "html", "key", "link", "otp", "password", "secret", "subject",
    "text", "token", "url",
];

/// The payload with secrets covered, at any depth.
fn cover(payload: Value) -> Value {
    match payload {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value = if is_covered(&name) {
                    "***".into()
                } else {
                    cover(value)
                };
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(cover).collect(),
        plain => plain,
    }
}

/// `reset_token` and `accessToken` are tokens too.
fn is_covered(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    COVERED.iter().any(|it| name.ends_with(it))
}

/// The backlog in the text format of Prometheus.
pub fn write_metrics(backlog: &[Backlog]) -> String {
    type Measure = (&'static str, fn(&Backlog) -> i64);
    const STATES: [Measure; 6] = [
        ("ready", |it| it.ready),
        ("blocked", |it| it.blocked),
        ("running", |it| it.running),
        ("retrying", |it| it.retrying),
        ("parked", |it| it.parked),
        ("dead", |it| it.dead),
    ];
    let mut text = String::from(
        "# HELP outbox_deliveries Events that a function has not carried out.\n# TYPE outbox_deliveries gauge\n",
    );
    // A kind, a consumer and a lane are made of letters, digits and `_.:-`: nothing to escape.
    let labels = |it: &Backlog| {
        format!(
            "consumer=\"{}\",lane=\"{}\",kind=\"{}\"",
            it.consumer, it.lane, it.kind
        )
    };
    for it in backlog {
        for (state, measure) in STATES {
            let count = measure(it);
            if count > 0 {
                let labels = labels(it);
                let _ = writeln!(
                    text,
                    "outbox_deliveries{{{labels},state=\"{state}\"}} {count}"
                );
            }
        }
    }
    text.push_str(
        "# HELP outbox_oldest_seconds Age of the event that has waited longest.\n# TYPE outbox_oldest_seconds gauge\n",
    );
    for it in backlog {
        let (labels, age) = (labels(it), it.oldest_s.unwrap_or(0));
        let _ = writeln!(text, "outbox_oldest_seconds{{{labels}}} {age}");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_covered_at_any_depth() {
        let payload = json!({
            "user_id": 7,
            "params": { "reset_token": "abc", "place": "Main", "list": [{ "Password": "p" }] },
            "text": "your code is 123456",
        });
        insta::assert_json_snapshot!(cover(payload), @r#"
        {
          "params": {
            "list": [
              {
                "Password": "***"
              }
            ],
            "place": "Main",
            "reset_token": "***"
          },
          "text": "***",
          "user_id": 7
        }
        "#);
    }

    #[test]
    fn a_kind_is_a_short_plain_word() {
        for kind in ["notify", "user:created", "deliver:e-mail_2"] {
            assert!(Kind::try_from(kind.to_owned()).is_ok(), "{kind}");
        }
        let long = "x".repeat(65);
        for kind in ["", "User", "1st", "a b", "a\"b", ":a", long.as_str()] {
            assert_eq!(Kind::try_from(kind.to_owned()), Err(InvalidKind), "{kind}");
        }
    }

    #[test]
    fn prometheus_can_read_the_backlog() {
        let backlog = Backlog {
            consumer: "payments".to_owned(),
            lane: "main".to_owned(),
            kind: "user:created".to_owned(),
            ready: 2,
            blocked: 0,
            running: 0,
            retrying: 1,
            parked: 0,
            dead: 1,
            oldest_s: Some(4),
            paused: false,
        };
        let text = write_metrics(&[backlog]);
        let labels = "consumer=\"payments\",lane=\"main\",kind=\"user:created\"";
        assert!(text.contains(&format!("outbox_deliveries{{{labels},state=\"dead\"}} 1\n")));
        assert!(!text.contains("blocked"));
        assert!(text.ends_with(&format!("outbox_oldest_seconds{{{labels}}} 4\n")));
    }
}
