//! Sessions: one sign-in and every token that descends from it. A personal access token is a session too.

use jiff::Timestamp;
use kit::Word;
use kit::store::FromRow;
use uuid::Uuid;

use crate::account::Account;

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum SessionKind {
    Registration,
    Password,
    /// A personal access token.
    Personal,
    /// A token of another issuer.
    Foreign,
}

/// How and when the person of a session last proved who they are.
#[derive(Clone, Debug, FromRow)]
pub struct Proof {
    /// In the words of RFC 8176; empty when another issuer vouched for them.
    pub amr: Vec<String>,
    pub authenticated_at: Timestamp,
}

impl Proof {
    /// By password, and by a code when the account has a second factor.
    pub fn by_password(with_code: bool, now: Timestamp) -> Self {
        let words: &[&str] = match with_code {
            true => &["mfa", "otp", "pwd"],
            false => &["pwd"],
        };
        Self::of(words, now)
    }

    pub fn of(words: &[&str], authenticated_at: Timestamp) -> Self {
        Self {
            amr: words.iter().map(|it| (*it).to_owned()).collect(),
            authenticated_at,
        }
    }

    /// Whether a code of the second factor was shown.
    pub fn has_code(&self) -> bool {
        self.amr.iter().any(|it| it == "otp")
    }
}

/// A session that is about to begin.
#[derive(Debug)]
pub struct Start {
    pub session: Uuid,
    pub kind: SessionKind,
    pub proof: Proof,
    pub seconds: i64,
    /// The id of its first refresh token.
    pub refresh: Option<Uuid>,
    /// How long its first access token lives.
    pub token_seconds: i64,
}

/// A signed-in person with the tokens of their session.
#[derive(Debug)]
pub struct SignedIn {
    pub account: Account,
    pub token: String,
    pub expires_in_s: i64,
    pub refresh_token: Option<String>,
}

/// A session as its person sees it.
#[derive(Debug, FromRow)]
pub struct Session {
    pub id: Uuid,
    pub kind: SessionKind,
    pub address: String,
    pub agent: Option<String>,
    pub name: Option<String>,
    pub scope: Option<String>,
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
    pub refreshed_at: Option<Timestamp>,
    #[row(flatten)]
    pub proof: Proof,
}

/// The next refresh token of a session.
#[derive(Debug, FromRow)]
pub struct Refreshed {
    #[row(flatten)]
    pub account: Account,
    #[row(flatten)]
    pub proof: Proof,
    pub token: Uuid,
    /// How much longer the session lasts.
    pub seconds_left: i64,
}

/// A session that was prolonged.
#[derive(Debug, FromRow)]
pub struct Prolonged {
    #[row(flatten)]
    pub account: Account,
    #[row(flatten)]
    pub proof: Proof,
    pub seconds_left: i64,
}

/// A session whose person proved again who they are.
#[derive(Debug, FromRow)]
pub struct ProvenAgain {
    #[row(flatten)]
    pub account: Account,
    #[row(flatten)]
    pub proof: Proof,
    pub seconds_left: i64,
    /// Whether its client has a refresh token.
    pub is_refreshed: bool,
}

/// A personal access token that is about to be created.
pub struct NewPersonalToken<'a> {
    pub id: Uuid,
    pub digest: Vec<u8>,
    pub name: &'a str,
    pub scope: &'a str,
    pub seconds: i64,
}

/// A personal access token that is valid.
#[derive(Debug, FromRow)]
pub struct PersonalToken {
    #[row(flatten)]
    pub account: Account,
    #[row(flatten)]
    pub proof: Proof,
    pub session: Uuid,
    pub scope: String,
    pub seconds_left: i64,
}
