//! Registering, signing in, and changing the password: the same for every
//! dialect. What a client sends and reads is decided in [`crate::routes`].

use kit::{Db, Role, Roles, event, setting};
use serde_json::json;

use crate::account::{Account, Email, NewAccount};
use crate::client::Client;
use crate::error::Error;
use crate::issue::{self, Lifetime, Token};
use crate::password::{self, Password};
use crate::store::{self, Proven, Start};

/// Somebody who is in.
#[derive(Debug)]
pub struct SignedIn {
    pub account: Account,
    pub token: Token,
}

/// Makes an account. Nobody is signed in by it.
pub async fn register(
    new: NewAccount,
    password: &Password,
    client: &Client,
) -> Result<Account, Error> {
    make(new, password, None, client).await
}

/// Makes an account and signs its person in.
pub async fn register_and_enter(
    new: NewAccount,
    password: &Password,
    lifetime: Lifetime,
    client: &Client,
) -> Result<SignedIn, Error> {
    let start = Start::now("registration", lifetime.seconds().await?);
    let account = make(new, password, Some(&start), client).await?;
    let token = issue::access_token(&account, start.session, start.seconds).await?;
    Ok(SignedIn { account, token })
}

async fn make(
    new: NewAccount,
    password: &Password,
    start: Option<&Start>,
    client: &Client,
) -> Result<Account, Error> {
    if password.is_name(new.login.as_str(), new.email.as_ref().map(Email::as_str)) {
        return Err(Error::PasswordIsName);
    }
    let admin = Admin::configured().await?;
    if admin.is_called(new.login.as_str()) {
        return Err(Error::LoginTaken);
    }
    if new
        .email
        .as_ref()
        .is_some_and(|it| admin.is_called(it.as_str()))
    {
        return Err(Error::EmailTaken);
    }
    let hash = password.hash()?;
    let db = store::open().await?;
    let account = store::register(&db, &new, Some(&hash), start, client).await?;
    tell_of(&account);
    Ok(account)
}

/// The row in the outbox is what counts; this is for who listens at this moment.
fn tell_of(account: &Account) {
    let payload = json!({ "id": account.id, "email": account.email });
    event::announce("user:created", payload.to_string());
    event::wake();
}

/// Signs in by login or e-mail.
pub async fn sign_in(
    name: &str,
    password: &str,
    lifetime: Lifetime,
    client: &Client,
) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let proven = prove(&db, name, password, client).await?;
    let start = Start::now("password", lifetime.seconds().await?);
    // The password may have been changed since it was proven.
    if !store::open_session(&db, &proven, &start, client).await? {
        return Err(Error::WrongPassword);
    }
    let token = issue::access_token(&proven.account, start.session, start.seconds).await?;
    Ok(SignedIn {
        account: proven.account,
        token,
    })
}

/// Puts a new password in the place of the old one: every session ends and a new one begins.
pub async fn change_password(
    name: &str,
    old: &str,
    new: &Password,
    lifetime: Lifetime,
    client: &Client,
) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let proven = prove(&db, name, old, client).await?;
    if new.is_name(&proven.account.login, proven.account.email.as_deref()) {
        return Err(Error::PasswordIsName);
    }
    let hash = new.hash()?;
    let start = Start::now("password", lifetime.seconds().await?);
    if !store::change_password(&db, &proven, &hash, &start, client).await? {
        return Err(Error::WrongPassword);
    }
    let token = issue::access_token(&proven.account, start.session, start.seconds).await?;
    Ok(SignedIn {
        account: proven.account,
        token,
    })
}

/// The account that the password belongs to.
async fn prove(db: &Db, name: &str, password: &str, client: &Client) -> Result<Proven, Error> {
    let mut found = store::find_by_name(db, name).await?;
    if found.is_none() {
        found = first_admin(db, name, password, client).await?;
    }
    let stored = found.as_ref().and_then(|it| it.password.as_deref());
    let is_right = password::is_right(password, stored);
    match found {
        Some(found) if is_right && !found.is_disabled => Ok(found),
        Some(found) => {
            store::refused(db, Some(found.account.id), client).await?;
            Err(Error::WrongPassword)
        }
        None => {
            store::refused(db, None, client).await?;
            Err(Error::UnknownName)
        }
    }
}

/// The admin whom the operator named. Their account is made when they first sign in with the
/// configured password; from then on the account's own password counts.
struct Admin {
    login: &'static str,
    email: &'static str,
}

impl Admin {
    async fn configured() -> Result<Self, Error> {
        Ok(Self {
            login: setting("admin_login").await?,
            email: setting("admin_email").await?,
        })
    }

    /// The admin's names are nobody else's, also before the admin was ever here.
    fn is_called(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.login) || name.eq_ignore_ascii_case(self.email)
    }
}

async fn first_admin(
    db: &Db,
    name: &str,
    password: &str,
    client: &Client,
) -> Result<Option<Proven>, Error> {
    let admin = Admin::configured().await?;
    let configured = setting("admin_password").await?;
    if !admin.is_called(name) || !same(password, configured) {
        return Ok(None);
    }
    let new = NewAccount {
        roles: Roles::default().with(Role::Admin),
        ..NewAccount::new(
            admin
                .login
                .to_owned()
                .try_into()
                .map_err(|it| Error::Malformed("admin_login", it))?,
            Some(
                admin
                    .email
                    .to_owned()
                    .try_into()
                    .map_err(|it| Error::Malformed("admin_email", it))?,
            ),
            Role::Admin,
        )
    };
    let hash = password::hash(password)?;
    match store::register(db, &new, Some(&hash), None, client).await {
        Ok(account) => tell_of(&account),
        // Somebody signed in as the admin at the same moment.
        Err(Error::LoginTaken | Error::EmailTaken) => {}
        Err(error) => return Err(error),
    }
    store::find_by_name(db, admin.login).await
}

/// Compared without telling by the time taken how much of it was right.
fn same(given: &str, expected: &str) -> bool {
    given.len() == expected.len()
        && given
            .bytes()
            .zip(expected.bytes())
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}
