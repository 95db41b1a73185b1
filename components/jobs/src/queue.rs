//! The outbox as people look after it: what is in it, what became of it, and no
//! secret of anybody. Nothing here changes anything.

use std::fmt::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What waits and what is dead, of one kind.
#[derive(Debug, PartialEq, Serialize)]
pub struct Backlog {
    pub kind: String,
    /// Not settled yet.
    pub waiting: i64,
    /// Of these, what could be handed out right now. The rest is being carried out, waits for
    /// another event or the end of a pause, or failed and is tried again later.
    pub due: i64,
    /// Of those that wait, what failed at least once.
    pub failing: i64,
    pub dead: i64,
    pub done_last_minute: i64,
    /// The age of what has waited longest.
    pub oldest_s: Option<i64>,
    pub paused: bool,
}

/// The kind of an event, as `payment:approved`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Kind(String);

impl Kind {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kind is 1 to 64 lower-case letters, digits and `_.:-`, beginning with a letter")]
pub struct NoKind;

/// As the rule `outbox_kind` has it.
impl TryFrom<String> for Kind {
    type Error = NoKind;

    fn try_from(kind: String) -> Result<Self, NoKind> {
        let is_fit = kind.len() <= 64
            && kind.starts_with(|it: char| it.is_ascii_lowercase())
            && kind
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"_.:-".contains(&it));
        if is_fit { Ok(Self(kind)) } else { Err(NoKind) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    Done,
    Dead,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Done, Self::Dead]
            .into_iter()
            .find(|it| it.name() == name)
    }
}

#[derive(Debug, Serialize)]
pub struct Entry {
    pub id: Uuid,
    /// The place in the queue; `before` of the next page.
    pub seq: i64,
    pub kind: String,
    pub aggregate: String,
    pub consumer: String,
    pub state: State,
    pub attempts: i32,
    /// When it may be handed out, or when its lease ends.
    pub due_at: Timestamp,
    pub created_at: Timestamp,
    pub settled_at: Option<Timestamp>,
    pub payload: Value,
    pub last_error: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Failure {
    pub attempt: i32,
    pub failed_at: Timestamp,
    pub error: String,
}

/// Members whose value nobody needs in order to look after the queue: secrets, and what was
/// written to people.
const COVERED: [&str; 14] = [
    "body", "code", "cookie", "cpf", "html", "key", "link", "otp", "password", "secret", "subject",
    "text", "token", "url",
];

/// The payload with secrets covered, at any depth.
pub fn covered(payload: Value) -> Value {
    match payload {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value = if is_covered(&name) {
                    "***".into()
                } else {
                    covered(value)
                };
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(covered).collect(),
        plain => plain,
    }
}

/// `reset_token` and `accessToken` are tokens too.
fn is_covered(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    COVERED.iter().any(|it| name.ends_with(it))
}

/// The backlog in the text format of Prometheus.
pub fn metrics(backlog: &[Backlog]) -> String {
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
            "Events that nobody will try again by itself",
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
        insta::assert_json_snapshot!(covered(payload), @r#"
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
            assert_eq!(Kind::try_from(kind.to_owned()), Err(NoKind), "{kind}");
        }
    }

    #[test]
    fn the_backlog_is_read_by_prometheus() {
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
        let text = metrics(&[backlog]);
        assert!(text.contains("# TYPE outbox_dead gauge\noutbox_dead{kind=\"user:created\"} 1\n"));
        assert!(text.ends_with("outbox_oldest_seconds{kind=\"user:created\"} 4\n"));
    }
}
