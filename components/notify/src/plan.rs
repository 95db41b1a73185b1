//! Which notice is sent by which channels. No I/O in this file.

use jiff::Timestamp;
use kit::Language;
use kit::store::FromRow;
use kit::store::relay::NewEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::notice::{Concern, Notice, Notify};
use crate::text::{self, Message};

/// The addresses of a person, as signin knows them.
#[derive(Clone, Debug)]
pub struct Contact {
    pub email: Option<String>,
    pub is_email_verified: bool,
    /// Also the id of their private chat with the bot.
    pub telegram_id: Option<i64>,
}

/// A notice for which channels are looked up.
#[derive(Debug, Serialize)]
pub struct Planned<'a> {
    pub event: Uuid,
    pub user_id: Uuid,
    pub chat: Option<i64>,
    pub template: &'a str,
    /// Whether it may be left to the digest.
    pub can_wait: bool,
    /// Absent when it is not kept in the inbox.
    pub params: Option<&'a Value>,
}

/// The channels that a person chose for a notice, and whether their chat is silent.
#[derive(Clone, Debug, FromRow)]
pub struct Channels {
    pub event: Uuid,
    pub language: Language,
    pub telegram: bool,
    pub email: bool,
    /// Whether the notice waits for their digest instead of being sent by e-mail.
    pub waits_for_digest: bool,
    /// The end of their quiet hours, when it is in them.
    pub quiet_end: Option<Timestamp>,
    pub chat_is_silent: bool,
    /// Whether the person has signed in in the chat: a person may enter any Telegram id.
    pub chat_is_linked: bool,
    /// Their webhooks for this template; empty when they switched webhooks off.
    #[row(json)]
    pub webhooks: Vec<Uuid>,
}

/// The channels that this installation has.
#[derive(Clone, Copy, Debug)]
pub struct Outlets {
    pub telegram: bool,
    pub email: bool,
}

/// The payload of `deliver:telegram`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct ToTelegram {
    pub chat: i64,
    pub text: String,
}

/// The payload of `deliver:email`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct ToEmail {
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// The payload of `deliver:webhook`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct ToWebhook {
    pub webhook: Uuid,
    pub body: Value,
}

impl ToWebhook {
    /// The notice that it is about, or `test`.
    pub fn template(&self) -> &str {
        self.body
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// The deliveries that a notice becomes.
pub fn deliveries(
    event: Uuid,
    happened_at: Timestamp,
    notify: &Notify,
    notice: &Notice,
    contact: &Contact,
    channels: &Channels,
    outlets: Outlets,
) -> Vec<NewEvent> {
    let message = text::say(channels.language, notice);
    let is_letter = matches!(notice.concern(), Concern::Mailbox(_));
    let is_urgent = is_letter || notice.concern() == Concern::Security;
    let chosen_chat = contact.telegram_id.filter(|_| channels.telegram);
    // Only a verified address: a person may enter the address of another person into a form.
    let chosen_mailbox = contact
        .email
        .as_deref()
        .filter(|_| channels.email && contact.is_email_verified && !channels.waits_for_digest);
    let (chat, mailbox, webhooks) = match notice.concern() {
        Concern::Activity => (chosen_chat, chosen_mailbox, channels.webhooks.as_slice()),
        Concern::Programs => (chosen_chat, chosen_mailbox, [].as_slice()),
        Concern::Security => (
            contact.telegram_id.filter(|_| channels.chat_is_linked),
            contact
                .email
                .as_deref()
                .filter(|_| contact.is_email_verified),
            [].as_slice(),
        ),
        Concern::Mailbox(address) => (None, Some(address), [].as_slice()),
    };
    let chat = chat.filter(|_| outlets.telegram && !channels.chat_is_silent);
    // A person waits for the code in a letter. Without a mail API it becomes a dead letter, which an admin requeues once
    // there is one.
    let mailbox = mailbox.filter(|_| outlets.email || is_letter);
    let not_before = channels.quiet_end.filter(|_| !is_urgent);
    let mut deliveries = Vec::new();
    deliveries.extend(chat.map(|it| to_telegram(it, not_before, &message)));
    deliveries.extend(mailbox.map(|it| to_email(it, event, is_urgent, not_before, &message)));
    deliveries.extend(
        webhooks
            .iter()
            .map(|it| to_webhook(*it, event, happened_at, notify)),
    );
    deliveries
}

/// The messages of a chat are sent in the order of their events. Messages that wait for the end of quiet hours form a
/// separate line, so that a notice about security does not wait behind them.
fn to_telegram(chat: i64, not_before: Option<Timestamp>, message: &Message) -> NewEvent {
    let line = if not_before.is_some() {
        "telegram-later"
    } else {
        "telegram"
    };
    NewEvent {
        kind: "deliver:telegram",
        aggregate: format!("{line}:{chat}"),
        payload: json!(ToTelegram {
            chat,
            text: format!("{}\n\n{}", message.subject, message.text),
        }),
        not_before,
    }
}

/// Letters about how people sign in are sent before all others.
fn to_email(
    address: &str,
    event: Uuid,
    is_urgent: bool,
    not_before: Option<Timestamp>,
    message: &Message,
) -> NewEvent {
    NewEvent {
        kind: match is_urgent {
            true => "deliver:letter",
            false => "deliver:email",
        },
        aggregate: format!("email:{event}"),
        payload: json!(ToEmail {
            to: address.to_owned(),
            subject: message.subject.clone(),
            text: message.text.clone(),
        }),
        not_before,
    }
}

/// Calls are not ordered: one that fails for a day must not hold back the others.
fn to_webhook(webhook: Uuid, event: Uuid, happened_at: Timestamp, notify: &Notify) -> NewEvent {
    NewEvent {
        kind: "deliver:webhook",
        aggregate: format!("webhook:{webhook}:{event}"),
        payload: json!(ToWebhook {
            webhook,
            body: json!({
                "type": notify.template,
                "timestamp": happened_at,
                "data": notify.params,
            }),
        }),
        not_before: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::each;

    const ALL: Outlets = Outlets {
        telegram: true,
        email: true,
    };

    fn contact() -> Contact {
        Contact {
            email: Some("ana@example.com".to_owned()),
            is_email_verified: true,
            telegram_id: Some(77),
        }
    }

    fn channels() -> Channels {
        Channels {
            event: Uuid::from_u128(1),
            language: Language::En,
            telegram: true,
            email: true,
            waits_for_digest: false,
            quiet_end: None,
            chat_is_silent: false,
            chat_is_linked: true,
            webhooks: vec![Uuid::from_u128(5)],
        }
    }

    fn told(
        template: &str,
        contact: &Contact,
        channels: &Channels,
        outlets: Outlets,
    ) -> Vec<NewEvent> {
        let notify = each()
            .into_iter()
            .find(|it| it.template == template)
            .unwrap();
        let notice = Notice::read(&notify).unwrap();
        let (event, now) = (Uuid::from_u128(1), Timestamp::UNIX_EPOCH);
        deliveries(event, now, &notify, &notice, contact, channels, outlets)
    }

    fn kinds(
        template: &str,
        contact: &Contact,
        channels: &Channels,
        outlets: Outlets,
    ) -> Vec<&'static str> {
        let told = told(template, contact, channels, outlets);
        told.into_iter().map(|it| it.kind).collect()
    }

    #[test]
    fn activity_is_sent_by_the_channels_that_the_person_chose() {
        let told = |channels: &Channels| kinds("booking_ending", &contact(), channels, ALL);
        assert_eq!(
            told(&channels()),
            ["deliver:telegram", "deliver:email", "deliver:webhook"]
        );
        let only_email = Channels {
            telegram: false,
            webhooks: Vec::new(),
            ..channels()
        };
        assert_eq!(told(&only_email), ["deliver:email"]);
    }

    #[test]
    fn an_unverified_address_is_not_written_to() {
        let unproven = Contact {
            is_email_verified: false,
            ..contact()
        };
        let told = kinds("booking_ending", &unproven, &channels(), ALL);
        assert_eq!(told, ["deliver:telegram", "deliver:webhook"]);
        let told = kinds("password-changed", &unproven, &channels(), ALL);
        assert_eq!(told, ["deliver:telegram"]);
        let told = kinds("verify-email", &unproven, &channels(), ALL);
        assert_eq!(told, ["deliver:letter"], "this letter proves it");
    }

    #[test]
    fn a_security_notice_cannot_be_switched_off_and_reaches_no_webhook() {
        let off = Channels {
            telegram: false,
            email: false,
            ..channels()
        };
        let told = kinds("password-changed", &contact(), &off, ALL);
        assert_eq!(told, ["deliver:telegram", "deliver:letter"]);
    }

    #[test]
    fn a_chat_that_is_not_proven_to_be_theirs_gets_no_security_notice() {
        let unproven = Channels {
            chat_is_linked: false,
            ..channels()
        };
        let told = kinds("password-changed", &contact(), &unproven, ALL);
        assert_eq!(told, ["deliver:letter"]);
        let told = kinds("booking_ending", &contact(), &unproven, ALL);
        assert!(told.contains(&"deliver:telegram"));
    }

    #[test]
    fn in_quiet_hours_people_are_told_later_and_programs_at_once() {
        let end = Timestamp::from_second(1_000).unwrap();
        let channels = Channels {
            quiet_end: Some(end),
            ..channels()
        };
        let moments = |template: &str| -> Vec<_> {
            let told = told(template, &contact(), &channels, ALL).into_iter();
            told.map(|it| (it.kind, it.not_before)).collect()
        };
        assert_eq!(
            moments("booking_ending"),
            [
                ("deliver:telegram", Some(end)),
                ("deliver:email", Some(end)),
                ("deliver:webhook", None)
            ]
        );
        assert_eq!(
            moments("password-changed"),
            [("deliver:telegram", None), ("deliver:letter", None)]
        );
    }

    #[test]
    fn what_waits_for_the_digest_is_not_sent_by_email() {
        let channels = Channels {
            waits_for_digest: true,
            ..channels()
        };
        let told = kinds("fine_paid", &contact(), &channels, ALL);
        assert_eq!(told, ["deliver:telegram", "deliver:webhook"]);
    }

    #[test]
    fn a_webhook_is_not_told_that_one_was_disabled() {
        let told = kinds("webhook_disabled", &contact(), &channels(), ALL);
        assert_eq!(told, ["deliver:telegram", "deliver:email"]);
    }

    #[test]
    fn a_letter_is_sent_to_its_mailbox_only() {
        let told = kinds("password-reset", &contact(), &channels(), ALL);
        assert_eq!(told, ["deliver:letter"]);
    }

    #[test]
    fn a_silent_chat_and_a_missing_outlet_are_not_tried() {
        let silent = Channels {
            chat_is_silent: true,
            ..channels()
        };
        let told = kinds("password-changed", &contact(), &silent, ALL);
        assert_eq!(told, ["deliver:letter"]);
        let none = Outlets {
            telegram: false,
            email: false,
        };
        let told = kinds("booking_ending", &contact(), &channels(), none);
        assert_eq!(told, ["deliver:webhook"]);
        let told = kinds("password-reset", &contact(), &channels(), none);
        assert_eq!(told, ["deliver:letter"], "a person waits for it");
    }
}
