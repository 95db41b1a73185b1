//! Versions of packs.

use axum::http::Uri;
use kit::identity::Caller;
use kit::store::{Keyed, Replayable};
use kit::web::{Created, Json, Listed, NoContent, Page, Path, Problem, Query, Schema};
use serde::Deserialize;

use crate::error::Error;
use crate::pack::Rendering;
use crate::store::{self, PAGE, packs, versions};
use crate::upload::default_quota;
use crate::version::{
    Channel, Choice, Difference, Loader, NewVersion, PackVersion, Update, VersionChange,
};
use crate::viewer::Viewer;

#[derive(Default, Deserialize, Schema)]
pub struct VersionChoice {
    channel: Option<Channel>,
    #[schemars(example = &"1.20.1")]
    mc_version: Option<String>,
    loader: Option<Loader>,
}

impl VersionChoice {
    fn choice(&self) -> Choice<'_> {
        Choice {
            channel: self.channel,
            mc_version: self.mc_version.as_deref(),
            loader: self.loader,
        }
    }
}

pub async fn list_versions(
    caller: Option<Caller>,
    Path(pack): Path<i64>,
    uri: Uri,
    Query(wanted): Query<VersionChoice>,
    Query(page): Query<Page>,
    Query(rendering): Query<Rendering>,
) -> Result<Listed<PackVersion>, Problem> {
    let db = store::open().await?;
    let viewer = caller.into();
    let bounds = (page.limit(PAGE), page.offset());
    let listed = versions::list_versions(&db, pack, &viewer, wanted.choice(), bounds).await?;
    let listed = listed
        .into_iter()
        .map(|it| it.rendered(rendering))
        .collect();
    Ok(Listed::page(&uri, page, PAGE, listed))
}

pub async fn create_version(
    caller: Caller,
    Path(pack): Path<i64>,
    Keyed { body, once }: Keyed<NewVersion>,
) -> Result<Replayable<Created<PackVersion>>, Problem> {
    let new = body.checked()?;
    let db = store::open().await?;
    let request = once.id(&caller);
    let viewer = Viewer::from(&caller);
    let create = async {
        let quota = default_quota().await?;
        let made = versions::create_version(&db, request, pack, &viewer, &new, quota).await?;
        let location = format!("/modpacks/{pack}/versions/{}", made.id);
        Ok(Created::at(location, made))
    };
    once.answer(&db, &caller, create).await
}

pub async fn show_version(
    caller: Option<Caller>,
    Path((pack, id)): Path<(i64, i64)>,
    Query(rendering): Query<Rendering>,
) -> Result<Json<PackVersion>, Problem> {
    let db = store::open().await?;
    let found = versions::find_version(&db, pack, id, &caller.into()).await?;
    Ok(Json(found.rendered(rendering)))
}

pub async fn change_version(
    caller: Caller,
    Path((pack, id)): Path<(i64, i64)>,
    Json(change): Json<VersionChange>,
) -> Result<Json<PackVersion>, Problem> {
    let change = change.checked()?;
    let db = store::open().await?;
    let viewer = Viewer::from(&caller);
    Ok(Json(
        versions::change_version(&db, pack, id, &viewer, &change).await?,
    ))
}

pub async fn delete_version(
    caller: Caller,
    Path((pack, id)): Path<(i64, i64)>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    versions::delete_version(&db, pack, id, &Viewer::from(&caller)).await?;
    Ok(NoContent)
}

pub async fn publish_version(
    caller: Caller,
    Path((pack, id)): Path<(i64, i64)>,
) -> Result<Json<PackVersion>, Problem> {
    let db = store::open().await?;
    let published = versions::publish_version(&db, pack, id, &Viewer::from(&caller)).await?;
    Ok(Json(published))
}

pub async fn yank_version(
    caller: Caller,
    Path((pack, id)): Path<(i64, i64)>,
) -> Result<Json<PackVersion>, Problem> {
    let db = store::open().await?;
    let yanked = versions::yank_version(&db, pack, id, &Viewer::from(&caller)).await?;
    Ok(Json(yanked))
}

pub async fn show_latest(
    caller: Option<Caller>,
    Path(pack): Path<i64>,
    Query(wanted): Query<VersionChoice>,
    Query(rendering): Query<Rendering>,
) -> Result<Json<PackVersion>, Problem> {
    let db = store::open().await?;
    let found = versions::find_latest(&db, pack, &caller.into(), wanted.choice()).await?;
    Ok(Json(found.rendered(rendering)))
}

#[derive(Deserialize, Schema)]
pub struct Latest {
    version_id: Option<i64>,
}

pub async fn set_latest(
    caller: Caller,
    Path(pack): Path<i64>,
    Json(latest): Json<Latest>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    packs::pin_latest(&db, pack, &Viewer::from(&caller), latest.version_id).await?;
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
pub struct Comparison {
    /// The version that is there.
    from: i64,
    /// The version that is wanted.
    to: i64,
}

pub async fn diff_versions(
    caller: Option<Caller>,
    Path(pack): Path<i64>,
    Query(Comparison { from, to }): Query<Comparison>,
) -> Result<Json<Vec<Difference>>, Problem> {
    let db = store::open().await?;
    let differences = versions::diff_versions(&db, pack, from, to, &caller.into()).await?;
    Ok(Json(differences))
}

#[derive(Deserialize, Schema)]
pub struct UpdateCheck {
    /// Versions that the client has.
    #[schemars(length(max = 1000))]
    versions: Vec<i64>,
    /// The latest versions are chosen among these.
    #[serde(flatten)]
    choice: VersionChoice,
}

/// Versions or hashes that one request asks for.
pub const MAX_LOOKUP: usize = 1000;

pub async fn find_updates(
    caller: Option<Caller>,
    Json(check): Json<UpdateCheck>,
) -> Result<Json<Vec<Update>>, Problem> {
    if check.versions.len() > MAX_LOOKUP {
        return Err(Error::InvalidLookup("at most 1000 versions").into());
    }
    let db = store::open().await?;
    let viewer = caller.into();
    let updates =
        versions::find_updates(&db, check.versions, &viewer, check.choice.choice()).await?;
    Ok(Json(updates))
}
