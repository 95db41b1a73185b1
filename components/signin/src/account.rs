//! Accounts: what is known of a person, what may change of it, and what happened to it. No SQL, no passwords.

use jiff::Timestamp;
use kit::identity::{Role, Roles};
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::letter::Letter;
use crate::name::{Cpf, Email, Login, TelegramId, Text};

/// A user, as the platform knows them.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Account {
    pub id: Uuid,
    pub number: i64,
    pub login: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub surname: Option<String>,
    pub cpf: Option<String>,
    pub telegram_id: Option<i64>,
    pub roles: Roles,
    pub is_email_verified: bool,
    pub has_totp: bool,
    pub is_disabled: bool,
}

/// An account with what only admins are told.
#[derive(Debug, FromRow)]
pub struct Known {
    #[row(flatten)]
    pub account: Account,
    pub created_at: Timestamp,
    pub last_session_at: Option<Timestamp>,
}

/// An account with what proves that a caller is its person.
#[derive(Debug, FromRow)]
pub struct Credentials {
    #[row(flatten)]
    pub account: Account,
    /// Argon2id in PHC form.
    pub password: Option<String>,
    /// The enrolment of the second factor.
    pub totp: Option<Uuid>,
    /// Which backup codes of the enrolment are valid.
    pub backup_batch: i32,
    /// A proof holds for as long as the account still carries this stamp; a new password changes it.
    #[row(column = "seal")]
    pub security_stamp: Uuid,
    /// Whether the account signed in from the client's network within the last three months.
    pub is_known_network: bool,
}

/// An account that is about to be created.
#[derive(Debug)]
pub struct NewAccount {
    pub id: Uuid,
    pub login: Login,
    pub email: Option<Email>,
    pub name: Option<Text>,
    pub surname: Option<Text>,
    pub cpf: Option<Cpf>,
    pub telegram_id: Option<TelegramId>,
    pub roles: Roles,
    pub created_by: Option<Uuid>,
    pub foreign_identity: Option<ForeignIdentity>,
}

/// A customer whom a caller looked up by CPF.
#[derive(Debug, FromRow)]
pub struct Identified {
    #[row(flatten)]
    pub account: Account,
    /// Whether the caller may see personal data.
    pub is_shown: bool,
}

/// A user of another issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignIdentity {
    pub issuer: String,
    pub subject: String,
}

impl NewAccount {
    pub fn new(login: Login, email: Option<Email>, role: Role) -> Self {
        Self {
            id: Uuid::new_v4(),
            login,
            email,
            name: None,
            surname: None,
            cpf: None,
            telegram_id: None,
            roles: Roles::default().with(role),
            created_by: None,
            foreign_identity: None,
        }
    }

    /// Of a person who gave neither login nor e-mail.
    pub fn nameless(role: Role) -> Self {
        let id = Uuid::new_v4();
        Self {
            id,
            ..Self::new(Login::from(id), None, role)
        }
    }
}

/// The key by which an account is looked up. One member is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lookup<'a> {
    pub id: Option<Uuid>,
    pub number: Option<i64>,
    pub login: Option<&'a str>,
    pub email: Option<&'a str>,
    pub cpf: Option<&'a str>,
}

/// A change of an account; what is absent stays.
#[derive(Default)]
pub struct Change<'a> {
    pub login: Option<&'a str>,
    pub name: Option<&'a Text>,
    pub surname: Option<&'a Text>,
    pub email: Option<&'a str>,
    /// The letter that proves the e-mail, where it has to be proven first.
    pub letter: Option<&'a Letter>,
    pub telegram_id: Option<TelegramId>,
    pub password_hash: Option<&'a str>,
    pub roles: Option<RoleChange>,
}

/// The roles held afterwards: `add`, and those held before without `drop`.
#[derive(Clone, Copy, Debug)]
pub struct RoleChange {
    pub add: Roles,
    pub drop: Roles,
}

impl RoleChange {
    /// Exactly these and no others.
    pub fn exactly(roles: Roles) -> Self {
        Self {
            add: roles,
            drop: Role::ALL.into_iter().collect(),
        }
    }
}

/// A line of the audit trail.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct AuditEvent {
    /// Ascending: `before` takes the last one of a page.
    pub id: i64,
    pub at: Timestamp,
    /// As `signed-in`, `refused`, `password-changed`.
    pub what: String,
    /// The session in which it happened.
    pub session: Option<Uuid>,
    /// The account that did it, when it was another one.
    pub actor: Option<Uuid>,
    /// The client's IP address.
    pub address: String,
    pub request_id: String,
    pub detail: Option<String>,
}

/// Everything that is kept of a person here.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Export {
    /// The account, without secrets.
    pub account: Value,
    pub sessions: Value,
    /// Users of other issuers that are linked to the account.
    pub identities: Value,
    /// The audit trail, newest first, 1000 lines: `before` takes the id of the last one for those before it.
    pub events: Value,
    /// Where the account signed in.
    pub networks: Value,
}
