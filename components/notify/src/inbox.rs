//! What people were told, as they read it here.

use jiff::Timestamp;
use kit::Language;
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::notice::{Notice, Notify};
use crate::text;

/// Upper bound of the count of unread notices, which is enough for a badge.
pub const MAX_COUNTED: i64 = 1_000;

/// A notice as it is kept.
#[derive(FromRow)]
pub struct Kept {
    pub id: i64,
    pub template: String,
    pub params: Value,
    pub created_at: Timestamp,
    pub read_at: Option<Timestamp>,
}

/// A notice as its person reads it.
#[derive(Debug, Serialize, Schema)]
pub struct Entry {
    /// `before` of the next page, and `up_to` of marking as read.
    pub id: i64,
    pub template: String,
    /// In the language that the person chose.
    pub subject: String,
    pub text: String,
    pub created_at: Timestamp,
    /// Absent while it is unread.
    pub read_at: Option<Timestamp>,
}

impl Kept {
    /// The notice in words; `None` for a template that no longer exists.
    pub fn say(self, user: Uuid, language: Language) -> Option<Entry> {
        let notify = Notify {
            user_id: user,
            template: self.template,
            params: self.params,
        };
        let message = text::say(language, &Notice::read(&notify).ok()?);
        Some(Entry {
            id: self.id,
            template: notify.template,
            subject: message.subject,
            text: message.text,
            created_at: self.created_at,
            read_at: self.read_at,
        })
    }
}
