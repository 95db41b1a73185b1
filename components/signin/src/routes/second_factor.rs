//! A second factor: enrolling an authenticator app, new backup codes, and
//! giving it up.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use kit::{Caller, Db, Dialect, Json, Problem, Spellings, speaking};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::{Client, Person};
use crate::entering;
use crate::error::Error;
use crate::factor::{Code, Factor};
use crate::routes::sessions::{Uncached, uncached};
use crate::{store, tries};

pub fn router() -> Router {
    let table = Router::new()
        .spelled(["/auth/totp", "/api/auth/totp"], post(enrol).delete(remove))
        .spelled(
            ["/auth/totp/confirm", "/api/auth/totp/confirm"],
            post(confirm),
        )
        .spelled(
            ["/auth/totp/backup-codes", "/api/auth/totp/backup-codes"],
            post(renew_backup_codes),
        );
    speaking(Dialect::Plain, table)
}

#[derive(Serialize)]
struct Enrolment {
    /// Base32, for who types it.
    secret: String,
    /// For who scans it.
    uri: String,
}

/// Nothing is asked for at sign-in yet: first a code of the app has to be seen.
async fn enrol(Person(caller): Person) -> Result<Uncached<Enrolment>, Problem> {
    let enrolment = Uuid::new_v4();
    let db = store::open().await?;
    store::offer_totp(&db, caller.session, enrolment).await?;
    let told = Factor::new(enrolment).await?.enrolment(&caller.username)?;
    Ok(uncached(Enrolment {
        secret: told.secret,
        uri: told.uri,
    }))
}

#[derive(Deserialize)]
struct Shown {
    code: String,
}

#[derive(Serialize)]
struct BackupCodes {
    /// Each opens once; shown once.
    backup_codes: Vec<String>,
}

async fn confirm(
    Person(caller): Person,
    client: Client,
    Json(shown): Json<Shown>,
) -> Result<Uncached<BackupCodes>, Problem> {
    let db = store::open().await?;
    let gates = tries::account(&caller.id.to_string(), &client);
    tries::take(&db, &gates).await?;
    let (_, offered) = store::proofs(&db, caller.session).await?;
    let factor = Factor::new(offered.ok_or(Error::NoFactor)?).await?;
    let Some(Code::Step(step)) = factor.read(&shown.code, kit::now().as_second()) else {
        let wrong = Error::WrongCode;
        store::refused(&db, Some(caller.id), &wrong, &client).await?;
        return Err(wrong.into());
    };
    tries::give_back(&db, &gates).await?;
    store::confirm_totp(&db, caller.session, factor.id(), step, &client).await?;
    Ok(uncached(BackupCodes {
        backup_codes: factor.backup_codes(),
    }))
}

/// The ones there were are void.
async fn renew_backup_codes(
    Person(caller): Person,
    client: Client,
    Json(shown): Json<Shown>,
) -> Result<Uncached<BackupCodes>, Problem> {
    let db = store::open().await?;
    let enrolment = proven(&db, &caller, &shown, &client).await?;
    let batch = store::renew_backup_codes(&db, caller.session, enrolment, &client).await?;
    Ok(uncached(BackupCodes {
        backup_codes: Factor::of(enrolment, batch).await?.backup_codes(),
    }))
}

async fn remove(
    Person(caller): Person,
    client: Client,
    Json(shown): Json<Shown>,
) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let enrolment = proven(&db, &caller, &shown, &client).await?;
    store::remove_totp(&db, caller.session, enrolment, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The enrolment of which a code was shown.
async fn proven(db: &Db, caller: &Caller, shown: &Shown, client: &Client) -> Result<Uuid, Error> {
    let gates = tries::account(&caller.id.to_string(), client);
    tries::take(db, &gates).await?;
    let (proven, _) = store::proofs(db, caller.session).await?;
    let enrolment = proven.totp.ok_or(Error::NoFactor)?;
    match entering::second_factor(db, &proven, Some(&shown.code)).await {
        Ok(()) => tries::give_back(db, &gates).await?,
        Err(wrong) => {
            store::refused(db, Some(caller.id), &wrong, client).await?;
            return Err(wrong);
        }
    }
    Ok(enrolment)
}
