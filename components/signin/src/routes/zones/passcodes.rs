//! Passcodes for kiosks, `otp` to these clients.

use jiff::Timestamp;
use kit::web::{Dialect, Json, Path, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::identity::Manager;
use crate::kiosk::{self, Use};
use crate::passcode;
use crate::store::{self, passcodes};

pub fn routes() -> Routes {
    Routes::new("Passcodes", Dialect::Zones)
        .get("/api/v1/otp", issue_passcode, |it| {
            it.summary("Issue a passcode")
                .note("Six digits that stand for the caller at a kiosk, for 15 minutes.")
        })
        .post("/api/v1/otp/validate", validate_passcode, |it| {
            it.summary("Check a passcode").refuses([
                Error::NO_PASSCODE,
                Error::WRONG_PASSCODE,
                Error::TOO_MANY_TRIES,
            ])
        })
        .get("/api/v1/otp/users/{otp}", show_passcode_owner, |it| {
            it.summary("Show the user of a passcode")
                .refuses([Error::UNKNOWN_ACCOUNT, Error::TOO_MANY_TRIES])
        })
}

#[derive(Serialize, Schema)]
struct IssuedPasscode {
    #[schemars(extend("pattern" = "^[0-9]{6}$"))]
    otp: String,
    valid_until: Timestamp,
}

/// Draws until a code is free. Few of a million are in use, so the first one nearly always is.
const MAX_DRAWS: usize = 10;

async fn issue_passcode(Manager(actor): Manager) -> Result<Json<IssuedPasscode>, Problem> {
    let db = store::open().await?;
    for _ in 0..MAX_DRAWS {
        let otp = passcode::draw();
        let issued = passcodes::issue_passcode(&db, &actor, &otp).await?;
        if let Some(valid_until) = issued {
            return Ok(Json(IssuedPasscode { otp, valid_until }));
        }
    }
    Err(Error::NoPasscodeLeft.into())
}

#[derive(Deserialize, Schema)]
struct ShownPasscode {
    #[schemars(example = &"123456")]
    otp: String,
}

#[derive(Serialize, Schema)]
struct PasscodeValidity {
    valid: bool,
}

async fn validate_passcode(
    client: Client,
    Json(body): Json<ShownPasscode>,
) -> Result<Json<PasscodeValidity>, Problem> {
    if body.otp.is_empty() {
        return Err(Error::NoPasscode.into());
    }
    let owner = kiosk::find_owner(&body.otp, Use::Show, &client).await?;
    owner.ok_or(Error::WrongPasscode)?;
    Ok(Json(PasscodeValidity { valid: true }))
}

#[derive(Serialize, Schema)]
struct PasscodeOwner {
    username: String,
}

async fn show_passcode_owner(
    client: Client,
    Path(otp): Path<String>,
) -> Result<Json<PasscodeOwner>, Problem> {
    let owner = kiosk::find_owner(&otp, Use::Show, &client).await?;
    let username = owner.ok_or(Error::UnknownAccount)?.login;
    Ok(Json(PasscodeOwner { username }))
}
