//! `wharf:signin/accounts`: looking people up.

use kit::identity::Role;
use uuid::Uuid;

use super::Signin;
use crate::account::{Account, Lookup};
use crate::bindings::exports::wharf::signin::accounts::{self as wit, Guest, Key, Refusal};
use crate::error::Error;
use crate::name::Cpf;
use crate::store::{self, accounts};

/// Bounds the ids of one call.
const MAX_IDS: usize = 100;

impl Guest for Signin {
    async fn find(key: Key) -> Result<Option<wit::Account>, Refusal> {
        let cpf;
        let mut lookup = Lookup::default();
        match &key {
            Key::Id(text) => lookup.id = Some(id(text)?),
            Key::Number(number) => lookup.number = Some(signed(*number, "number")?),
            Key::Login(login) => lookup.login = Some(login),
            Key::Email(email) => lookup.email = Some(email),
            Key::Cpf(text) => {
                cpf = Cpf::try_from(text.clone()).map_err(|_| malformed("cpf"))?;
                lookup.cpf = Some(cpf.as_str());
            }
        }
        let found = accounts::look_up_account(&store::open().await?, lookup).await?;
        Ok(found.map(wit::Account::from))
    }

    async fn find_all(ids: Vec<String>) -> Result<Vec<wit::Account>, Refusal> {
        if ids.len() > MAX_IDS {
            return Err(malformed("ids"));
        }
        let ids: Vec<Uuid> = ids.iter().map(|it| id(it)).collect::<Result<_, _>>()?;
        let found = accounts::list_by_ids(&store::open().await?, ids).await?;
        Ok(found.into_iter().map(wit::Account::from).collect())
    }

    async fn with_telegram_id(telegram_id: u64) -> Result<Vec<wit::Account>, Refusal> {
        let telegram_id = signed(telegram_id, "telegram-id")?;
        let found = accounts::list_by_telegram_id(&store::open().await?, telegram_id).await?;
        Ok(found.into_iter().map(wit::Account::from).collect())
    }

    async fn count() -> Result<wit::Census, Refusal> {
        let mut census = wit::Census {
            accounts: 0,
            by_role: Vec::new(),
        };
        for it in accounts::count_accounts(&store::open().await?).await? {
            let accounts = it.accounts.unsigned_abs();
            match it.role {
                None => census.accounts = accounts,
                Some(role) => census.by_role.push(wit::Holders {
                    role: role.into(),
                    accounts,
                }),
            }
        }
        Ok(census)
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
        // With what is under it: the caller is told nothing of why.
        eprintln!("accounts: {error:?}");
        Self::Unavailable
    }
}

impl From<Account> for wit::Account {
    fn from(it: Account) -> Self {
        Self {
            id: it.id.to_string(),
            // The database counts from 1.
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
