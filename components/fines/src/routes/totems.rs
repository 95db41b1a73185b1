//! Kiosks that stand in zones.

use axum::http::Uri;
use kit::identity::Caller;
use kit::web::{Dialect, Json, Listed, NoContent, Page, Path, Problem, Query, Routes};

use crate::calls;
use crate::car::{NewTotem, Totem};
use crate::client::Address;
use crate::error::Error;
use crate::store;

pub fn routes() -> Routes {
    Routes::new("Kiosks", Dialect::Zones)
        .post("/api/v1/totems", register_totem, |it| {
            it.summary("Register a kiosk")
                .note("Takes a passcode of an admin of its zone and uses it up.")
                .refuses([
                    Error::INVALID_TOTEM,
                    Error::UNKNOWN_ZONE,
                    Error::TOTEM_REGISTERED,
                    Error::WRONG_PASSCODE,
                    Error::TOO_MANY_TRIES,
                    Error::FORBIDDEN,
                    Error::SIGNIN_UNAVAILABLE,
                ])
        })
        .get("/api/v1/totems", list_totems, |it| {
            it.summary("List kiosks")
        })
        .get("/api/v1/totems/{id}", show_totem, |it| {
            it.summary("Show a kiosk").refuses([Error::UNKNOWN_TOTEM])
        })
        .delete("/api/v1/totems/{id}", remove_totem, |it| {
            it.summary("Remove a kiosk")
                .refuses([Error::UNKNOWN_TOTEM, Error::FORBIDDEN])
        })
}

async fn register_totem(
    Address(address): Address,
    Json(new): Json<NewTotem>,
) -> Result<Json<Totem>, Problem> {
    new.check()?;
    let db = store::open().await?;
    // Checks that need no passcode come first, so that a mistake does not use it up.
    let place = store::find_totem_place(&db, &new).await?;
    if !place.has_zone {
        return Err(Error::UnknownZone.into());
    }
    if place.is_registered {
        return Err(Error::TotemRegistered.into());
    }
    let user = calls::redeem_passcode(&new.otp, &address).await?;
    Ok(Json(store::register_totem(&db, &new, &user).await?))
}

async fn list_totems(uri: Uri, Query(page): Query<Page>) -> Result<Listed<Totem>, Problem> {
    let totems = store::list_totems(&store::open().await?, page).await?;
    Ok(Listed::page(&uri, page, store::PAGE, totems))
}

async fn show_totem(Path(id): Path<String>) -> Result<Json<Totem>, Problem> {
    Ok(Json(store::find_totem(&store::open().await?, &id).await?))
}

async fn remove_totem(caller: Caller, Path(id): Path<String>) -> Result<NoContent, Problem> {
    store::remove_totem(&store::open().await?, &id, &caller).await?;
    Ok(NoContent)
}
