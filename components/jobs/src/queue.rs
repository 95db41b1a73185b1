//! The outbox as admins see it: its events, how they ended, and no secret of anyone.

use std::fmt::Write;

use jiff::Timestamp;
use kit::Word;
use kit::store::{Column, DbValue, FromRow};
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The waiting and the dead events of one kind.
#[derive(Debug, PartialEq, Serialize, FromRow, Schema)]
pub struct Backlog {
    pub kind: String,
    /// Not settled yet.
    pub waiting: i64,
    /// Of those that wait, the ones that can be claimed now. The rest is being carried out, waits for
    /// another event or the end of a pause, or failed and is tried again later.
    pub due: i64,
    /// Of those that wait, the ones that failed at least once.
    pub failing: i64,
    pub dead: i64,
    pub done_last_minute: i64,
    /// The age of the event that has waited longest, in seconds.
    pub oldest_s: Option<i64>,
    pub paused: bool,
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
    Waiting,
    Done,
    Dead,
}

/// The events that are wanted; an absent filter filters nothing.
pub struct Listing<'a> {
    pub state: Option<State>,
    pub kind: Option<&'a str>,
    pub aggregate: Option<&'a str>,
    /// Only events before this place in the queue.
    pub before: Option<i64>,
    pub limit: i64,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Entry {
    pub id: Uuid,
    /// The place in the queue; `before` of the next page.
    pub seq: i64,
    pub kind: String,
    /// The thing that the event is about, as `booking:17`: its events are carried out in order.
    pub aggregate: String,
    /// The function that carries it out.
    pub consumer: String,
    pub state: State,
    pub attempts: i32,
    /// When it can be claimed, or when its lease ends.
    pub due_at: Timestamp,
    pub created_at: Timestamp,
    pub settled_at: Option<Timestamp>,
    /// Secrets are covered with `***`.
    pub payload: Covered,
    pub last_error: Option<String>,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Failure {
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
    type Measure = (&'static str, &'static str, fn(&Backlog) -> i64);
    const MEASURES: [Measure; 6] = [
        ("outbox_waiting", "Events that are not settled yet", |it| {
            it.waiting
        }),
        ("outbox_due", "Events that could be handed out now", |it| {
            it.due
        }),
        (
            "outbox_failing",
            "Events that failed and are tried again",
            |it| it.failing,
        ),
        (
            "outbox_dead",
            "Events that are not tried again without an admin",
            |it| it.dead,
        ),
        (
            "outbox_done_last_minute",
            "Events carried out within the last minute",
            |it| it.done_last_minute,
        ),
        (
            "outbox_oldest_seconds",
            "Age of the event that has waited longest",
            |it| it.oldest_s.unwrap_or(0),
        ),
    ];
    let mut text = String::new();
    for (name, help, measure) in MEASURES {
        let _ = writeln!(text, "# HELP {name} {help}.\n# TYPE {name} gauge");
        for it in backlog {
            // A kind is made of letters, digits and `_.:-`: nothing to escape.
            let _ = writeln!(text, "{name}{{kind=\"{}\"}} {}", it.kind, measure(it));
        }
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
            kind: "user:created".to_owned(),
            waiting: 3,
            due: 2,
            failing: 1,
            dead: 1,
            done_last_minute: 9,
            oldest_s: Some(4),
            paused: false,
        };
        let text = write_metrics(&[backlog]);
        assert!(text.contains("# TYPE outbox_dead gauge\noutbox_dead{kind=\"user:created\"} 1\n"));
        assert!(text.ends_with("outbox_oldest_seconds{kind=\"user:created\"} 4\n"));
    }
}
