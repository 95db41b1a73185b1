//! Every failure of the bot. Most are told to the person in the chat; few are answered over HTTP.

use axum::http::StatusCode;
use kit::identity::{FORBIDDEN, INVALID_TOKEN, Role};
use kit::store::DbError;
use kit::store::redis::Away;
use kit::web::outbound::Failed;
use kit::{Refusals, Unset};

#[derive(Debug, Refusals)]
pub enum Error {
    /// The request does not carry the secret that Telegram was given.
    #[refusal(problem = INVALID_TOKEN)]
    NotTelegram,
    #[refusal(unavailable, detail = "Telegram answered {0}")]
    Telegram(StatusCode),
    /// The chat has no token, or its token no longer works.
    #[refusal(problem = INVALID_TOKEN, detail = "the chat is not signed in")]
    SignedOut,
    #[refusal(problem = FORBIDDEN, detail = "wrong login or password")]
    WrongCredentials,
    #[refusal(problem = FORBIDDEN, detail = "a code of the second factor is required")]
    CodeRequired,
    #[refusal(problem = FORBIDDEN, detail = "too many wrong passwords from one chat")]
    TooManyTries,
    /// An earlier request with the same key is not answered yet.
    #[refusal(unavailable, detail = "the same request is still running")]
    Running,
    /// The command needs that role.
    #[refusal(problem = FORBIDDEN, detail = "the role {0:?} is required")]
    RoleRequired(Role),
    /// Another function refused; the text is for the person.
    #[refusal(unavailable, detail = "refused: {0}")]
    Refused(String),
    #[refusal(unavailable, detail = "a function does not answer")]
    Unavailable,
    #[refusal(unavailable, detail = "a request failed: {0}", from)]
    Outbound(Failed),
    #[refusal(unavailable, detail = "the memory of the chats is away: {0}", from)]
    Memory(Away),
    #[refusal(internal, detail = "tokens cannot be sealed")]
    Unsealable,
    #[refusal(internal, detail = "unreadable JSON: {0}", from)]
    Json(serde_json::Error),
    #[refusal(internal, detail = "a request cannot be written: {0}", from)]
    Http(axum::http::Error),
    #[refusal(transparent)]
    Setting(Unset),
    #[refusal(transparent)]
    Db(DbError),
}

impl Error {
    /// Whether the request may have been carried out in spite of the failure.
    pub fn is_unclear(&self) -> bool {
        matches!(
            self,
            Self::Unavailable | Self::Outbound(_) | Self::Json(_) | Self::Running
        )
    }
}
