//! The people of a zone: its admins and controllers.

use kit::identity::Caller;
use kit::web::{Created, Dialect, Json, NoContent, Path, Problem, Routes, Schema};
use serde::Deserialize;

use crate::calls;
use crate::error::Error;
use crate::store;
use crate::zone::{ZoneRole, ZoneUser};

pub fn routes() -> Routes {
    Routes::new("People of zones", Dialect::Zones)
        .get("/api/v1/zones/{id}/users", list_zone_users, |it| {
            it.summary("List the people of a zone").refuses([
                Error::UNKNOWN_ZONE,
                Error::FORBIDDEN,
                Error::NO_ZONE_USERS,
            ])
        })
        .post("/api/v1/zones/{id}/users", assign_role, |it| {
            it.summary("Give a user a role in a zone")
                .note("The new role replaces the user's present role in the zone.")
                .refuses([
                    Error::UNKNOWN_ZONE,
                    Error::FORBIDDEN,
                    Error::UNKNOWN_USER,
                    Error::ROLE_ASSIGNED,
                    Error::SIGNIN_UNAVAILABLE,
                ])
        })
        .delete("/api/v1/zones/{id}/users/{username}", withdraw_role, |it| {
            it.summary("Take a user's role in a zone").refuses([
                Error::UNKNOWN_ZONE,
                Error::FORBIDDEN,
                Error::NO_ZONE_USERS,
            ])
        })
}

async fn list_zone_users(
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Vec<ZoneUser>>, Problem> {
    Ok(Json(
        store::list_zone_users(&store::open().await?, id, &caller).await?,
    ))
}

#[derive(Deserialize, Schema)]
struct NewRole {
    #[schemars(length(min = 1, max = 100), example = &"ana")]
    username: String,
    #[schemars(example = &"controller")]
    role: ZoneRole,
}

async fn assign_role(
    caller: Caller,
    Path(id): Path<i64>,
    Json(new): Json<NewRole>,
) -> Result<Created<ZoneUser>, Problem> {
    let db = store::open().await?;
    // Checked before signin is asked, so that only admins of a zone can find out who has an account.
    store::check_zone_admin(&db, id, &caller).await?;
    let user = calls::find_user(&new.username)
        .await?
        .ok_or(Error::UnknownUser)?;
    let assigned = store::assign_role(&db, id, &caller, &user, new.role).await?;
    Ok(Created::at(format!("/api/v1/zones/{id}/users"), assigned))
}

async fn withdraw_role(
    caller: Caller,
    Path((id, username)): Path<(i64, String)>,
) -> Result<NoContent, Problem> {
    store::withdraw_role(&store::open().await?, id, &caller, &username).await?;
    Ok(NoContent)
}
