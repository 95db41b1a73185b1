//! The admin whom the operator configures. The account is created when the admin first signs in with the
//! configured password, once in the life of a database. From then on the account's own password counts. An admin who is
//! renamed or erased is not created again. An empty password lets no admin in.

use kit::identity::{Role, is_secret};
use kit::setting;

use crate::account::NewAccount;
use crate::error::Error;
use crate::name::Malformed;

/// Refuses the admin's names to all other accounts, also before the admin's account exists.
pub async fn check_names(login: Option<&str>, email: Option<&str>) -> Result<(), Error> {
    for (name, taken) in [(login, Error::LoginTaken), (email, Error::EmailTaken)] {
        if let Some(name) = name
            && is_name(name).await?
        {
            return Err(taken);
        }
    }
    Ok(())
}

async fn is_name(name: &str) -> Result<bool, Error> {
    Ok(name.eq_ignore_ascii_case(setting("admin_login").await?)
        || name.eq_ignore_ascii_case(setting("admin_email").await?))
}

/// Whether an attempt gives the configured name and password.
pub async fn is_meant(name: &str, password: &str) -> Result<bool, Error> {
    let configured = setting("admin_password").await?;
    Ok(is_name(name).await? && is_secret(password, configured))
}

/// The account, and its password.
pub async fn account() -> Result<(NewAccount, &'static str), Error> {
    let login = setting("admin_login").await?.to_owned().try_into();
    let email = setting("admin_email").await?.to_owned().try_into();
    let new = NewAccount::new(
        login.map_err(|it: Malformed| Error::invalid("admin_login", it.0))?,
        Some(email.map_err(|it: Malformed| Error::invalid("admin_email", it.0))?),
        Role::Admin,
    );
    Ok((new, setting("admin_password").await?))
}
