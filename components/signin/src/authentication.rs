//! Registering, signing in, staying in, and changing the password: the same
//! for every dialect. What a client sends and reads is decided in
//! [`crate::routes`].

use kit::{Caller, Db, Role, event, session, setting};
use serde_json::json;
use uuid::Uuid;

use crate::account::{Account, Email, NewAccount};
use crate::client::Client;
use crate::error::Error;
use crate::factor::Factor;
use crate::issue::{self, Patience, SignedIn, Start};
use crate::password::{self, Password};
use crate::store::{self, Proven, Refreshed};
use crate::tries;

/// Makes an account. Nobody is signed in by it.
pub async fn register(
    new: NewAccount,
    password: Option<&Password>,
    client: &Client,
) -> Result<Account, Error> {
    make(new, password, None, client).await
}

/// Makes an account and signs its person in.
pub async fn register_and_enter(
    new: NewAccount,
    password: &Password,
    patience: Patience,
    client: &Client,
) -> Result<SignedIn, Error> {
    let start = Start::new("registration", patience).await?;
    let account = make(new, Some(password), Some(&start), client).await?;
    start.tokens(account).await
}

async fn make(
    new: NewAccount,
    password: Option<&Password>,
    start: Option<&Start>,
    client: &Client,
) -> Result<Account, Error> {
    let (login, email) = (new.login.as_str(), new.email.as_ref().map(Email::as_str));
    not_the_admins(Some(login), email).await?;
    let db = store::open().await?;
    let gates = tries::registration(new.created_by, client);
    tries::take(&db, &gates).await?;
    let hash = match password {
        Some(password) if password.is_name(login, email) => return Err(Error::PasswordIsName),
        Some(password) => Some(password.hash().await?),
        None => None,
    };
    let account = store::register(&db, &new, hash.as_deref(), start, client).await?;
    tell_of(&account);
    Ok(account)
}

/// The row in the outbox is what counts; this is for who listens at this moment.
pub fn tell_of(account: &Account) {
    let payload = json!({ "id": account.id, "email": account.email });
    event::announce("user:created", payload.to_string());
    event::wake();
}

/// What somebody gives to get in.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// A login or an e-mail.
    pub name: &'a str,
    pub password: &'a str,
    /// Of the second factor.
    pub code: Option<&'a str>,
}

pub async fn sign_in(
    attempt: Attempt<'_>,
    patience: Patience,
    client: &Client,
) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let proven = prove(&db, attempt, client).await?;
    let start = Start::new("password", patience).await?;
    // The password may have been changed since it was proven.
    if !store::open_session(&db, &proven, &start, client).await? {
        return Err(Error::WrongPassword);
    }
    start.tokens(proven.account).await
}

/// Puts a new password in the place of the old one: every session ends and a new one begins.
pub async fn change_password(
    attempt: Attempt<'_>,
    new: &Password,
    patience: Patience,
    client: &Client,
) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let proven = prove(&db, attempt, client).await?;
    if new.is_name(&proven.account.login, proven.account.email.as_deref()) {
        return Err(Error::PasswordIsName);
    }
    let hash = new.hash().await?;
    let start = Start::new("password", patience).await?;
    let ended = store::change_password(&db, &proven, &hash, &start, client)
        .await?
        .ok_or(Error::WrongPassword)?;
    tell_ended(ended).await?;
    event::wake();
    start.tokens(proven.account).await
}

/// A new token for somebody whose old one is still good.
pub async fn renew(caller: &Caller) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let seconds = issue::short_seconds().await?;
    let (account, left) = store::prolong_session(&db, caller.session, seconds).await?;
    issue::access_token(account, caller.session, seconds.min(left), None).await
}

/// The next pair of tokens, for a refresh token that is spent by it.
pub async fn refresh(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let claims = issue::read_refresh_token(token).await?;
    let db = store::open().await?;
    let (account, next, seconds_left) = match store::refresh_session(&db, &claims, client).await? {
        Refreshed::Next(account, next, seconds_left) => (account, next, seconds_left),
        Refreshed::Over => return Err(Error::SessionOver),
        Refreshed::Reused => {
            tell_ended(vec![claims.sid]).await?;
            event::wake();
            return Err(Error::SessionOver);
        }
    };
    let refresh_token = issue::refresh_token(&account, claims.sid, next, seconds_left).await?;
    let expires_in_s = issue::short_seconds().await?.min(seconds_left);
    let signed_in = issue::access_token(account, claims.sid, expires_in_s, None).await?;
    Ok(SignedIn {
        refresh_token: Some(refresh_token),
        ..signed_in
    })
}

/// Ends the session of whoever asks.
pub async fn leave(caller: &Caller, client: &Client) -> Result<(), Error> {
    let db = store::open().await?;
    store::end_session(&db, caller.session, caller.session, client).await?;
    tell_ended(vec![caller.session]).await
}

/// Tells the other functions, so that they need not wait for the tokens to expire. Who is told
/// nothing now hears of it by the sweep.
pub async fn tell_ended(sessions: Vec<Uuid>) -> Result<(), Error> {
    if let Err(away) = session::mark_ended(&sessions, issue::longest_seconds().await?).await {
        eprintln!("ended sessions are marked later: {away}");
    }
    Ok(())
}

/// The account that the attempt belongs to.
async fn prove(db: &Db, attempt: Attempt<'_>, client: &Client) -> Result<Proven, Error> {
    let mut gates = tries::address(client);
    // One that is refused further on has still come from there.
    tries::take(db, &gates).await?;
    let mut found = None;
    // PostgreSQL takes no such text, so nobody is called so.
    if !attempt.name.contains('\0') {
        found = store::find_by_name(db, attempt.name).await?;
    }
    let account = found.as_ref().map(|it| it.account.id);
    let whose = account.map_or_else(|| attempt.name.to_owned(), |it| it.to_string());
    let of_account = tries::account(&whose, client);
    if let Err(full) = tries::take(db, &of_account).await {
        store::refused(db, account, &full, client).await?;
        return Err(full);
    }
    gates.extend(of_account);
    let looked = look(db, found, attempt, client).await;
    if !looked.as_ref().is_err_and(Error::is_wrong_try) {
        tries::give_back(db, &gates).await?;
    }
    if let Err(refused) = &looked
        && (refused.is_wrong_try() || matches!(refused, Error::CodeRequired))
    {
        store::refused(db, account, refused, client).await?;
    }
    looked
}

async fn look(
    db: &Db,
    mut found: Option<Proven>,
    attempt: Attempt<'_>,
    client: &Client,
) -> Result<Proven, Error> {
    if found.is_none() {
        found = first_admin(db, attempt, client).await?;
    }
    let stored = found.as_ref().and_then(|it| it.password.as_deref());
    let is_right = password::is_right(attempt.password, stored).await?;
    let found = found.ok_or(Error::UnknownName)?;
    if !is_right || found.account.is_disabled {
        return Err(Error::WrongPassword);
    }
    second_factor(db, &found, attempt.code).await?;
    Ok(found)
}

/// Spends the code that an account with a second factor asks for.
pub async fn second_factor(db: &Db, proven: &Proven, code: Option<&str>) -> Result<(), Error> {
    let Some(enrolment) = proven.totp else {
        return Ok(());
    };
    let text = code
        .filter(|it| !it.is_empty())
        .ok_or(Error::CodeRequired)?;
    let code = Factor::of(enrolment, proven.backup_batch)
        .await?
        .read(text, kit::now().as_second())
        .ok_or(Error::WrongCode)?;
    if store::spend_code(db, proven, code).await? {
        Ok(())
    } else {
        Err(Error::WrongCode)
    }
}

/// The admin whom the operator named. Their account is made when they first sign in with the
/// configured password; from then on the account's own password counts.
struct FirstAdmin {
    login: &'static str,
    email: &'static str,
}

impl FirstAdmin {
    async fn configured() -> Result<Self, Error> {
        Ok(Self {
            login: setting("admin_login").await?,
            email: setting("admin_email").await?,
        })
    }

    fn is_called(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.login) || name.eq_ignore_ascii_case(self.email)
    }
}

/// The admin's names are nobody else's, also before the admin was ever here.
pub async fn not_the_admins(login: Option<&str>, email: Option<&str>) -> Result<(), Error> {
    let admin = FirstAdmin::configured().await?;
    if login.is_some_and(|it| admin.is_called(it)) {
        return Err(Error::LoginTaken);
    }
    if email.is_some_and(|it| admin.is_called(it)) {
        return Err(Error::EmailTaken);
    }
    Ok(())
}

async fn first_admin(
    db: &Db,
    attempt: Attempt<'_>,
    client: &Client,
) -> Result<Option<Proven>, Error> {
    let admin = FirstAdmin::configured().await?;
    let configured = setting("admin_password").await?;
    if !admin.is_called(attempt.name) || !is_same(attempt.password, configured) {
        return Ok(None);
    }
    let login = admin.login.to_owned().try_into();
    let email = admin.email.to_owned().try_into();
    let new = NewAccount::new(
        login.map_err(|it| Error::Malformed("admin_login", it))?,
        Some(email.map_err(|it| Error::Malformed("admin_email", it))?),
        Role::Admin,
    );
    let hash = password::hash(configured).await?;
    match store::register(db, &new, Some(&hash), None, client).await {
        Ok(account) => tell_of(&account),
        // Somebody signed in as the admin at the same moment.
        Err(Error::LoginTaken | Error::EmailTaken) => {}
        Err(error) => return Err(error),
    }
    store::find_by_name(db, admin.login).await
}

/// Compared without telling by the time taken how much of it was right.
fn is_same(given: &str, expected: &str) -> bool {
    given.len() == expected.len()
        && given
            .bytes()
            .zip(expected.bytes())
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}
