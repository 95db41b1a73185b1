//! `wharf:signin/accounts`: looking people up.

use kit::Role;
use uuid::Uuid;

use super::Signin;
use super::bindings::exports::wharf::signin::accounts::{self as wit, Guest, Key, Refusal};
use crate::account::{Account, Cpf};
use crate::error::Error;
use crate::store::{self, Whom};

/// More than a page of anything names nobody.
const MOST: usize = 100;

impl Guest for Signin {
    async fn find(who: Key) -> Result<Option<wit::Account>, Refusal> {
        let cpf;
        let mut whom = Whom::default();
        match &who {
            Key::Id(text) => whom.id = Some(id(text)?),
            Key::Number(number) => whom.number = Some(signed(*number, "number")?),
            Key::Login(login) => whom.login = Some(login),
            Key::Email(email) => whom.email = Some(email),
            Key::Cpf(text) => {
                cpf = Cpf::try_from(text.clone()).map_err(|_| malformed("cpf"))?;
                whom.cpf = Some(cpf.as_str());
            }
        }
        let found = store::look_up(&store::open().await?, whom).await?;
        Ok(found.map(wit::Account::from))
    }

    async fn find_all(ids: Vec<String>) -> Result<Vec<wit::Account>, Refusal> {
        if ids.len() > MOST {
            return Err(malformed("ids"));
        }
        let ids: Vec<Uuid> = ids.iter().map(|it| id(it)).collect::<Result<_, _>>()?;
        let found = store::look_up_all(&store::open().await?, &ids).await?;
        Ok(found.into_iter().map(wit::Account::from).collect())
    }

    async fn with_telegram_id(telegram_id: u64) -> Result<Vec<wit::Account>, Refusal> {
        let telegram_id = signed(telegram_id, "telegram-id")?;
        let found = store::with_telegram_id(&store::open().await?, telegram_id).await?;
        Ok(found.into_iter().map(wit::Account::from).collect())
    }
}

fn id(text: &str) -> Result<Uuid, Refusal> {
    text.parse().map_err(|_| malformed("id"))
}

fn signed(number: u64, field: &str) -> Result<i64, Refusal> {
    i64::try_from(number).map_err(|_| malformed(field))
}

fn malformed(field: &str) -> Refusal {
    Refusal::Malformed(field.to_owned())
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        eprintln!("accounts: {error}");
        Self::Unavailable
    }
}

impl From<Account> for wit::Account {
    fn from(it: Account) -> Self {
        Self {
            id: it.id.to_string(),
            // Drawn by the database from 1 upwards.
            number: it.number.unsigned_abs(),
            login: it.login,
            email: it.email,
            email_verified: it.is_email_verified,
            name: it.name,
            surname: it.surname,
            cpf: it.cpf,
            telegram_id: it.telegram_id.map(i64::unsigned_abs),
            roles: it.roles.iter().map(wit::Role::from).collect(),
            disabled: it.is_disabled,
        }
    }
}

impl From<Role> for wit::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Driver => Self::Driver,
            Role::Owner => Self::Owner,
            Role::Controller => Self::Controller,
            Role::ZoneAdmin => Self::ZoneAdmin,
            Role::Customer => Self::Customer,
            Role::Moderator => Self::Moderator,
            Role::Admin => Self::Admin,
            Role::Anonymous => Self::Anonymous,
        }
    }
}
