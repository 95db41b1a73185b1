//! Who hears a notice by which channel. Pure: what is known about the person is an argument.

use jiff::Timestamp;
use kit::Language;
use kit::relay::NewEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::contact::Contact;
use crate::notice::{Concern, Notice, Notify};
use crate::text::{self, Message};

/// What a person decided, and whether their chat is silent.
#[derive(Clone, Debug)]
pub struct Channels {
    pub language: Language,
    pub telegram: bool,
    pub email: bool,
    pub chat_is_silent: bool,
    /// Their webhooks that want this template; none if they want none told.
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
    let (chat, mailbox, webhooks) = match notice.concern() {
        Concern::Activity => (
            contact.telegram_id.filter(|_| channels.telegram),
            // Anybody can write anybody's address into a form.
            contact
                .email
                .as_deref()
                .filter(|_| channels.email && contact.is_email_verified),
            channels.webhooks.as_slice(),
        ),
        Concern::Security => (contact.telegram_id, contact.email.as_deref(), [].as_slice()),
        Concern::Mailbox(address) => (None, Some(address), [].as_slice()),
    };
    let chat = chat.filter(|_| outlets.telegram && !channels.chat_is_silent);
    // A letter that somebody asked for waits with the dead where it cannot be sent, and is not forgotten.
    let mailbox = mailbox.filter(|_| outlets.email || is_letter);
    let mut deliveries = Vec::new();
    deliveries.extend(chat.map(|it| to_telegram(it, &message)));
    deliveries.extend(mailbox.map(|it| to_email(it, event, &message)));
    deliveries.extend(
        webhooks
            .iter()
            .map(|it| to_webhook(*it, event, happened_at, notify)),
    );
    deliveries
}

/// A chat reads its messages in the order of what happened.
fn to_telegram(chat: i64, message: &Message) -> NewEvent {
    NewEvent {
        kind: "deliver:telegram",
        aggregate: format!("telegram:{chat}"),
        payload: json!(ToTelegram {
            chat,
            text: format!("{}\n\n{}", message.subject, message.text),
        }),
    }
}

fn to_email(address: &str, event: Uuid, message: &Message) -> NewEvent {
    NewEvent {
        kind: "deliver:email",
        aggregate: format!("email:{event}"),
        payload: json!(ToEmail {
            to: address.to_owned(),
            subject: message.subject.clone(),
            text: message.text.clone(),
        }),
    }
}

/// No order: one call that is refused for a day must not hold back all others.
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
            language: Language::En,
            telegram: true,
            email: true,
            chat_is_silent: false,
            webhooks: vec![Uuid::from_u128(5)],
        }
    }

    fn kinds(
        template: &str,
        contact: &Contact,
        channels: &Channels,
        outlets: Outlets,
    ) -> Vec<&'static str> {
        let notify = each()
            .into_iter()
            .find(|it| it.template == template)
            .unwrap();
        let notice = Notice::read(&notify).unwrap();
        let (event, now) = (Uuid::from_u128(1), Timestamp::UNIX_EPOCH);
        deliveries(event, now, &notify, &notice, contact, channels, outlets)
            .into_iter()
            .map(|it| it.kind)
            .collect()
    }

    #[test]
    fn activity_goes_where_the_person_wants_it() {
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
    fn an_address_that_nobody_proved_is_not_written_to() {
        let unproven = Contact {
            is_email_verified: false,
            ..contact()
        };
        let told = kinds("booking_ending", &unproven, &channels(), ALL);
        assert_eq!(told, ["deliver:telegram", "deliver:webhook"]);
    }

    #[test]
    fn security_cannot_be_switched_off_and_stays_private() {
        let off = Channels {
            telegram: false,
            email: false,
            ..channels()
        };
        let told = kinds("password-changed", &contact(), &off, ALL);
        assert_eq!(told, ["deliver:telegram", "deliver:email"]);
    }

    #[test]
    fn a_letter_goes_to_its_mailbox_alone() {
        let told = kinds("password-reset", &contact(), &channels(), ALL);
        assert_eq!(told, ["deliver:email"]);
    }

    #[test]
    fn who_asked_for_silence_gets_it_and_what_is_not_there_is_not_tried() {
        let silent = Channels {
            chat_is_silent: true,
            ..channels()
        };
        let told = kinds("password-changed", &contact(), &silent, ALL);
        assert_eq!(told, ["deliver:email"]);
        let none = Outlets {
            telegram: false,
            email: false,
        };
        let told = kinds("booking_ending", &contact(), &channels(), none);
        assert_eq!(told, ["deliver:webhook"]);
        let told = kinds("password-reset", &contact(), &channels(), none);
        assert_eq!(told, ["deliver:email"], "somebody waits for it");
    }
}
