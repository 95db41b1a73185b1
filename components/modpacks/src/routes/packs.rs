//! Packs, their viewers and their maintainers.

use axum::http::Uri;
use kit::identity::Caller;
use kit::store::{Keyed, Replayable};
use kit::web::{Created, Json, Listed, NoContent, Page, Path, Problem, Query, Schema};
use serde::Deserialize;
use uuid::Uuid;

use crate::calls::find_users;
use crate::pack::{Maintainer, NewPack, Pack, PackChange, Rendering, Share, Sharing};
use crate::store::packs::{self, Search};
use crate::store::{self, PAGE};
use crate::version::Loader;
use crate::viewer::Viewer;

#[derive(Deserialize, Schema)]
pub struct PackSearch {
    /// Words of the name or the description.
    q: Option<String>,
    owner_id: Option<Uuid>,
    /// With a version for this version of the game.
    #[schemars(example = &"1.20.1")]
    mc_version: Option<String>,
    loader: Option<Loader>,
}

pub async fn search_packs(
    caller: Option<Caller>,
    uri: Uri,
    Query(wanted): Query<PackSearch>,
    Query(page): Query<Page>,
) -> Result<Listed<Pack>, Problem> {
    let db = store::open().await?;
    let search = Search {
        text: wanted.q.as_deref(),
        owner: wanted.owner_id,
        mc_version: wanted.mc_version.as_deref(),
        loader: wanted.loader,
    };
    let found = packs::search_packs(&db, search, &caller.into(), page).await?;
    Ok(Listed::page(&uri, page, PAGE, found))
}

pub async fn create_pack(
    caller: Caller,
    Keyed { body, once }: Keyed<NewPack>,
) -> Result<Replayable<Created<Pack>>, Problem> {
    let new = body.checked()?;
    let db = store::open().await?;
    let request = once.id(&caller);
    let create = async {
        let pack = packs::create_pack(&db, request, caller.id, &new).await?;
        Ok(Created::at(format!("/modpacks/{}", pack.id), pack))
    };
    once.answer(&db, &caller, create).await
}

pub async fn show_pack(
    caller: Option<Caller>,
    Path(id): Path<i64>,
    Query(rendering): Query<Rendering>,
) -> Result<Json<Pack>, Problem> {
    let db = store::open().await?;
    let found = packs::find_pack(&db, id, &caller.into()).await?;
    Ok(Json(found.rendered(rendering)))
}

pub async fn change_pack(
    caller: Caller,
    Path(id): Path<i64>,
    Json(change): Json<PackChange>,
) -> Result<Json<Pack>, Problem> {
    let change = change.checked()?;
    let db = store::open().await?;
    let changed = packs::change_pack(&db, id, &Viewer::from(&caller), &change).await?;
    Ok(Json(changed))
}

pub async fn delete_pack(caller: Caller, Path(id): Path<i64>) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    packs::delete_pack(&db, id, &Viewer::from(&caller)).await?;
    Ok(NoContent)
}

pub async fn list_shares(caller: Caller, Path(id): Path<i64>) -> Result<Json<Vec<Share>>, Problem> {
    let (db, viewer) = (store::open().await?, Viewer::from(&caller));
    packs::find_pack(&db, id, &viewer).await?;
    Ok(Json(packs::list_shares(&db, id, &viewer).await?))
}

pub async fn share_pack(
    caller: Caller,
    Path(id): Path<i64>,
    Json(sharing): Json<Sharing>,
) -> Result<NoContent, Problem> {
    let sharing = sharing.checked()?;
    let db = store::open().await?;
    let viewer = Viewer::from(&caller);
    // Checked first, so that a stranger does not learn which logins exist.
    packs::find_pack(&db, id, &viewer).await?;
    let users = find_users(sharing.users).await?;
    packs::share_pack(&db, id, &viewer, users, sharing.roles).await?;
    Ok(NoContent)
}

pub async fn list_maintainers(
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Vec<Maintainer>>, Problem> {
    let (db, viewer) = (store::open().await?, Viewer::from(&caller));
    packs::find_pack(&db, id, &viewer).await?;
    Ok(Json(packs::list_maintainers(&db, id, &viewer).await?))
}

#[derive(Deserialize, Schema)]
pub struct Team {
    /// Logins.
    #[schemars(length(max = 50))]
    users: Vec<String>,
}

pub async fn set_maintainers(
    caller: Caller,
    Path(id): Path<i64>,
    Json(team): Json<Team>,
) -> Result<NoContent, Problem> {
    let team = Sharing {
        users: team.users,
        roles: Vec::new(),
    };
    let team = team.checked()?;
    let db = store::open().await?;
    let viewer = Viewer::from(&caller);
    packs::find_pack(&db, id, &viewer).await?;
    let users = find_users(team.users).await?;
    packs::set_maintainers(&db, id, &viewer, users).await?;
    Ok(NoContent)
}
