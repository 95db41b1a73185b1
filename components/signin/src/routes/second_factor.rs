//! A second factor: enrolling an authenticator app, and giving it up.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use kit::{Dialect, Json, Problem, Spellings, speaking};
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
    let told = Factor::of(enrolment).await?.enrolment(&caller.username)?;
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
struct Confirmed {
    /// Each opens once; shown once.
    backup_codes: Vec<String>,
}

async fn confirm(
    Person(caller): Person,
    client: Client,
    Json(shown): Json<Shown>,
) -> Result<Uncached<Confirmed>, Problem> {
    let db = store::open().await?;
    let gates = tries::sign_in(&caller.username, &client);
    tries::pass(&db, &gates).await?;
    let (_, offered) = store::proofs(&db, caller.session).await?;
    let factor = Factor::of(offered.ok_or(Error::NoFactor)?).await?;
    let Some(Code::Step(step)) = factor.read(&shown.code, kit::now().as_second()) else {
        tries::count(&db, &gates).await?;
        return Err(Error::WrongCode.into());
    };
    store::confirm_totp(&db, caller.session, factor.id(), step, &client).await?;
    Ok(uncached(Confirmed {
        backup_codes: factor.backup_codes(),
    }))
}

async fn remove(
    Person(caller): Person,
    client: Client,
    Json(shown): Json<Shown>,
) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let gates = tries::sign_in(&caller.username, &client);
    tries::pass(&db, &gates).await?;
    let (proven, _) = store::proofs(&db, caller.session).await?;
    let enrolment = proven.totp.ok_or(Error::NoFactor)?;
    if let Err(wrong) = entering::second_factor(&db, &proven, Some(&shown.code)).await {
        tries::count(&db, &gates).await?;
        return Err(wrong.into());
    }
    store::remove_totp(&db, caller.session, enrolment, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
