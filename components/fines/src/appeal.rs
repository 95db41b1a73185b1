//! Appeals as they are shown and asked for. No I/O in this file; their states are in `migrations/fines/appeal.sql`.

use jiff::Timestamp;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::fine::AppealStatus;

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Appeal {
    #[serde(rename = "fine_id")]
    pub id: i64,
    pub status: AppealStatus,
    pub opened_at: Timestamp,
    pub decided_at: Option<Timestamp>,
    /// The time of the decision.
    pub reason: Option<String>,
}

/// An appeal with its messages.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct AppealFile {
    #[row(flatten)]
    #[serde(flatten)]
    pub appeal: Appeal,
    #[row(json)]
    pub messages: Vec<Message>,
}

#[derive(Debug, Serialize, Deserialize, Schema)]
pub struct Message {
    pub id: i64,
    pub at: Timestamp,
    /// True if the zone's staff wrote it, false if the driver did.
    pub is_staff: bool,
    pub text: String,
}

/// A message in an appeal.
#[derive(Debug, Deserialize, Schema)]
pub struct Said {
    #[schemars(length(min = 1, max = 4000), example = &"The ticket machine was broken.")]
    pub text: String,
}

#[derive(Debug, Deserialize, Schema)]
pub struct Decision {
    #[schemars(example = true)]
    pub accept: bool,
    #[schemars(length(min = 1, max = 4000), example = &"The machine was out of order that day.")]
    pub reason: String,
}

/// A text without blanks around it.
pub fn text(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 4000 || text.contains('\0') {
        return Err(Error::InvalidText);
    }
    Ok(text)
}
