//! Digests: the e-mails of a day as one. The notices wait in the inbox, marked. No I/O in this file.

use jiff::Timestamp;
use kit::Language;
use kit::store::FromRow;
use uuid::Uuid;

use crate::inbox::Kept;
use crate::plan::{Contact, ToEmail};
use crate::text;

/// Notices in one letter. Further ones follow at once in another letter.
pub const MAX_NOTICES: i64 = 100;

/// A person whose digest is due.
#[derive(FromRow)]
pub struct Due {
    pub user_id: Uuid,
    pub language: Language,
    /// Whether they still want e-mails at all.
    pub wants_email: bool,
    /// Until when no other host claims it.
    pub claimed_until: Timestamp,
}

/// What is done about a digest that is due.
#[derive(Debug)]
pub struct Digest {
    /// The notices that stop waiting for a digest.
    pub notices: Vec<i64>,
    /// Absent without notices, without a verified address, or when the person wants no e-mails any more. The notices are
    /// in the inbox in any case.
    pub letter: Option<ToEmail>,
    pub has_more: bool,
}

impl Digest {
    pub fn of(due: &Due, contact: Option<&Contact>, waiting: Vec<Kept>) -> Self {
        let notices: Vec<i64> = waiting.iter().map(|it| it.id).collect();
        let has_more = i64::try_from(notices.len()) == Ok(MAX_NOTICES);
        let messages: Vec<String> = waiting
            .into_iter()
            .filter_map(|it| it.say(due.user_id, due.language))
            .map(|it| format!("{}\n{}", it.subject, it.text))
            .collect();
        let address = contact
            .filter(|it| due.wants_email && it.is_email_verified && !messages.is_empty())
            .and_then(|it| it.email.clone());
        Self {
            notices,
            letter: address.map(|to| ToEmail {
                to,
                subject: text::digest_subject(due.language, messages.len()),
                text: messages.join("\n\n"),
            }),
            has_more,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn waiting(count: i64) -> Vec<Kept> {
        let kept = |id| Kept {
            id,
            template: "payment_approved".to_owned(),
            params: json!({ "reference": format!("rent {id}"), "amount_cents": 5000, "currency": "BRL" }),
            created_at: Timestamp::UNIX_EPOCH,
            read_at: None,
        };
        (1..=count).map(kept).collect()
    }

    fn digest(wants_email: bool, is_email_verified: bool, count: i64) -> Digest {
        let due = Due {
            user_id: Uuid::nil(),
            language: Language::En,
            wants_email,
            claimed_until: Timestamp::UNIX_EPOCH,
        };
        let contact = Contact {
            email: Some("ana@example.com".to_owned()),
            is_email_verified,
            telegram_id: None,
        };
        Digest::of(&due, Some(&contact), waiting(count))
    }

    #[test]
    fn the_notices_of_a_day_are_one_letter() {
        let digest = digest(true, true, 2);
        let letter = digest.letter.unwrap();
        assert_eq!(letter.subject, "Your notices of the day: 2");
        assert!(
            letter.text.contains("For rent 1.\n\nPayment received"),
            "{}",
            letter.text
        );
        assert_eq!((digest.notices, digest.has_more), (vec![1, 2], false));
    }

    #[test]
    fn a_day_without_notices_or_an_address_has_no_letter() {
        assert_eq!(digest(true, true, 0).letter, None);
        let unproven = digest(true, false, 2);
        assert_eq!((unproven.letter, unproven.notices), (None, vec![1, 2]));
        let unwanted = digest(false, true, 2);
        assert_eq!((unwanted.letter, unwanted.notices), (None, vec![1, 2]));
    }

    #[test]
    fn a_full_letter_is_followed_by_another() {
        assert!(digest(true, true, MAX_NOTICES).has_more);
    }
}
