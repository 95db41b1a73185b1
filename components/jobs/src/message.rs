//! The forms of messages. A component does not learn the channel of a message, so each form is known by
//! its content.

use kit::Word;
use kit::store::relay::NewEvent;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug, PartialEq)]
pub enum Message {
    Tick,
    /// A program outside of this system reports an event.
    Event(NewEvent),
}

/// Why a message is ignored.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Ignored {
    #[error("it is no JSON of a known form")]
    Unreadable,
    #[error("a notification needs a name and a text")]
    NoText,
    /// Old producers write 0 for people without Telegram.
    #[error("the notification has no recipient")]
    NoRecipient,
}

/// The messages of programs outside, on the channels that they have always used.
#[derive(Deserialize)]
#[serde(untagged)]
enum Foreign {
    /// Channel `notifications`: `{key, format, name, text, telegram_id}`.
    Notification {
        key: NotificationKey,
        name: String,
        text: String,
        telegram_id: i64,
    },
    /// Channel `user:created`: `{id, email}`.
    User { id: Uuid, email: Option<String> },
}

#[derive(Deserialize)]
enum NotificationKey {
    #[serde(rename = "send_notification")]
    Send,
}

impl Foreign {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Notification { name, text, .. } => vec![name, text],
            Self::User { email, .. } => email.as_deref().into_iter().collect(),
        }
    }
}

/// The events that programs outside announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Announced {
    #[word(rename = "user:announced")]
    User,
    Notification,
}

/// The event that a payload of that kind announces.
pub fn announced(kind: Announced, payload: Value) -> Result<NewEvent, Ignored> {
    let foreign = serde_json::from_value(payload).map_err(|_| Ignored::Unreadable)?;
    match (kind, &foreign) {
        (Announced::User, Foreign::User { .. })
        | (Announced::Notification, Foreign::Notification { .. }) => event_of(foreign),
        (Announced::User | Announced::Notification, _) => Err(Ignored::Unreadable),
    }
}

impl Message {
    pub fn read(payload: &[u8]) -> Result<Self, Ignored> {
        match payload {
            b"tick" => Ok(Self::Tick),
            json => serde_json::from_slice(json)
                .map_err(|_| Ignored::Unreadable)
                .and_then(event_of)
                .map(Self::Event),
        }
    }
}

fn event_of(foreign: Foreign) -> Result<NewEvent, Ignored> {
    if foreign.texts().into_iter().any(|it| it.contains('\0')) {
        // PostgreSQL stores no NUL in a text.
        return Err(Ignored::Unreadable);
    }
    match foreign {
        Foreign::Notification {
            key: NotificationKey::Send,
            name,
            text,
            telegram_id,
        } => {
            if telegram_id <= 0 {
                return Err(Ignored::NoRecipient);
            }
            if name.trim().is_empty() || text.trim().is_empty() {
                return Err(Ignored::NoText);
            }
            Ok(NewEvent {
                kind: "deliver:telegram",
                aggregate: format!("telegram:{telegram_id}"),
                payload: json!({ "chat": telegram_id, "text": format!("{name}\n\n{text}") }),
                not_before: None,
            })
        }
        Foreign::User { id, email } => Ok(NewEvent {
            kind: "user:announced",
            aggregate: format!("user:{id}"),
            payload: json!({ "id": id, "email": email }),
            not_before: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &str) -> Result<Message, Ignored> {
        Message::read(payload.as_bytes())
    }

    #[test]
    fn tick_is_the_tick() {
        assert_eq!(read("tick"), Ok(Message::Tick));
    }

    #[test]
    fn a_notification_of_the_old_form_is_a_delivery() {
        let told = read(
            r#"{"key":"send_notification","format":"json","name":"New booking","text":"5 to 6","telegram_id":77}"#,
        );
        assert_eq!(
            told,
            Ok(Message::Event(NewEvent {
                kind: "deliver:telegram",
                aggregate: "telegram:77".to_owned(),
                payload: json!({ "chat": 77, "text": "New booking\n\n5 to 6" }),
                not_before: None,
            }))
        );
    }

    #[test]
    fn a_notification_without_a_recipient_or_a_text_is_ignored() {
        let told = |name: &str, text: &str, id: i64| {
            read(&json!({ "key": "send_notification", "name": name, "text": text, "telegram_id": id }).to_string())
        };
        assert_eq!(told("a", "b", 0), Err(Ignored::NoRecipient));
        assert_eq!(told("a", "b", -5), Err(Ignored::NoRecipient));
        assert_eq!(told(" ", "b", 5), Err(Ignored::NoText));
        assert_eq!(told("a", "", 5), Err(Ignored::NoText));
    }

    #[test]
    fn a_created_user_is_an_event_with_or_without_an_email() {
        let id = Uuid::from_u128(7);
        for email in [json!("ana@example.com"), json!(null)] {
            let told = read(&json!({ "id": id, "email": email }).to_string());
            let Ok(Message::Event(event)) = told else {
                panic!("{told:?}");
            };
            assert_eq!(event.kind, "user:announced");
            assert_eq!(event.payload["email"], email);
        }
    }

    #[test]
    fn an_announcement_fits_its_kind() {
        let user = json!({ "id": Uuid::from_u128(7), "email": "ana@example.com" });
        let notification =
            json!({ "key": "send_notification", "name": "a", "text": "b", "telegram_id": 5 });
        let kind = |announced, payload: &Value| {
            super::announced(announced, payload.clone()).map(|it| it.kind)
        };
        assert_eq!(kind(Announced::User, &user), Ok("user:announced"));
        assert_eq!(
            kind(Announced::Notification, &notification),
            Ok("deliver:telegram")
        );
        for (announced, payload) in [
            (Announced::User, &notification),
            (Announced::Notification, &user),
            (Announced::User, &json!("who")),
        ] {
            assert_eq!(kind(announced, payload), Err(Ignored::Unreadable));
        }
    }

    #[test]
    fn anything_else_is_unreadable() {
        for payload in [
            "",
            "Tick",
            "{",
            "[]",
            "null",
            r#"{"id":"7","email":"a@b.c"}"#,
            r#"{"id":"00000000-0000-0000-0000-000000000007","email":"a\u0000@b.c"}"#,
            r#"{"key":"send_notification","name":"a","text":"b\u0000","telegram_id":5}"#,
            r#"{"key":"delete_everything","name":"a","text":"b","telegram_id":5}"#,
        ] {
            assert_eq!(read(payload), Err(Ignored::Unreadable), "{payload}");
        }
    }
}
