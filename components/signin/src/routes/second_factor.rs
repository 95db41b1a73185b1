//! The second factor: enrolling an authenticator app, renewing backup codes, removing it.

use kit::store::event;
use kit::web::{Dialect, Json, NoContent, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::authentication;
use crate::error::Error;
use crate::factor::{Code, Factor};
use crate::identity::{Proven, Unscoped};
use crate::store::{self, audit, factors};
use crate::{limit, throttle};

pub fn routes() -> Routes {
    Routes::new("Second factor", Dialect::Plain)
        .post(["/auth/totp", "/api/auth/totp"], enrol, |it| {
            it.summary("Enrol an authenticator app")
                .note("Sign-ins ask for a code only after one was confirmed.")
                .refuses([Error::FACTOR_EXISTS])
        })
        .delete(["/auth/totp", "/api/auth/totp"], remove, |it| {
            it.summary("Remove the second factor").refuses(proving())
        })
        .post(
            ["/auth/totp/confirm", "/api/auth/totp/confirm"],
            confirm,
            |it| {
                it.summary("Confirm the authenticator app")
                    .note("The answer has the backup codes; they are shown once.")
                    .refuses(proving())
            },
        )
        .post(
            ["/auth/totp/backup-codes", "/api/auth/totp/backup-codes"],
            renew_backup_codes,
            |it| {
                it.summary("Renew the backup codes")
                    .note("Earlier ones are void.")
                    .refuses(proving())
            },
        )
        .no_store()
}

fn proving() -> [Problem; 4] {
    [
        Error::NO_FACTOR,
        Error::CODE_REQUIRED,
        Error::WRONG_CODE,
        Error::TOO_MANY_TRIES,
    ]
}

#[derive(Serialize, Schema)]
struct Enrolment {
    /// Base32, for typing.
    secret: String,
    /// `otpauth://…`, for a QR code.
    uri: String,
}

async fn enrol(Proven(actor): Proven) -> Result<Json<Enrolment>, Problem> {
    let enrolment = Uuid::new_v4();
    let db = store::open().await?;
    factors::offer_totp(&db, actor.caller.session, enrolment).await?;
    let factor = Factor::new(enrolment).await?;
    let offered = factor.enrolment(&actor.caller.username)?;
    Ok(Json(Enrolment {
        secret: offered.secret,
        uri: offered.uri,
    }))
}

#[derive(Deserialize, Schema)]
struct ShownCode {
    /// A code of the app, or a backup code.
    #[schemars(example = &"123456")]
    code: String,
}

#[derive(Serialize, Schema)]
struct BackupCodes {
    /// Each works once.
    backup_codes: Vec<String>,
}

async fn confirm(
    Unscoped(actor): Unscoped,
    Json(body): Json<ShownCode>,
) -> Result<Json<BackupCodes>, Problem> {
    let (caller, client) = (&actor.caller, &actor.client);
    let db = store::open().await?;
    let limits = limit::sign_ins_to(&caller.id.to_string(), client);
    throttle::count(&db, &limits).await?;
    let proofs = factors::find_proofs(&db, &actor).await?;
    let factor = Factor::new(proofs.totp_offered.ok_or(Error::NoFactor)?).await?;
    let Some(Code::Step(step)) = factor.read(&body.code, kit::now().as_second()) else {
        let wrong = Error::WrongCode;
        audit::record_refusal(&db, Some(caller.id), &wrong, client).await?;
        return Err(wrong.into());
    };
    throttle::forgive(&db, &limits).await?;
    factors::confirm_totp(&db, &actor, factor.id(), step).await?;
    event::wake();
    Ok(Json(BackupCodes {
        backup_codes: factor.backup_codes(),
    }))
}

async fn renew_backup_codes(
    Unscoped(actor): Unscoped,
    Json(body): Json<ShownCode>,
) -> Result<Json<BackupCodes>, Problem> {
    let db = store::open().await?;
    let enrolment = authentication::prove_factor(&db, &actor, &body.code).await?;
    let batch = factors::renew_backup_codes(&db, &actor, enrolment).await?;
    event::wake();
    Ok(Json(BackupCodes {
        backup_codes: Factor::of(enrolment, batch).await?.backup_codes(),
    }))
}

async fn remove(
    Unscoped(actor): Unscoped,
    Json(body): Json<ShownCode>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    let enrolment = authentication::prove_factor(&db, &actor, &body.code).await?;
    factors::remove_totp(&db, &actor, enrolment).await?;
    event::wake();
    Ok(NoContent)
}
