//! Statements on versions.

use kit::store::Db;
use kit::{params, sql};
use serde_json::json;
use uuid::Uuid;

use super::{around, decide};
use crate::error::Error;
use crate::version::{Choice, Difference, NewVersion, PackVersion, Update, VersionChange};
use crate::viewer::Viewer;

pub async fn create_version(
    db: &Db,
    request: Uuid,
    pack: i64,
    viewer: &Viewer,
    new: &NewVersion,
    default_quota: i64,
) -> Result<PackVersion, Error> {
    let dependencies = new.dependencies.as_ref().map(|it| json!(it));
    let params = around(
        params![request, pack],
        viewer.caller_params(),
        params![
            &new.name,
            new.channel,
            &new.mc_version,
            new.loader,
            new.loader_version.as_deref(),
            &new.changelog,
            dependencies.as_ref(),
            new.based_on,
            default_quota
        ],
    );
    decide(db, sql!("create_version"), params).await
}

pub async fn find_version(
    db: &Db,
    pack: i64,
    id: i64,
    viewer: &Viewer,
) -> Result<PackVersion, Error> {
    let params = around(params![pack, id], viewer.params(), Vec::new());
    decide(db, sql!("find_version"), params).await
}

/// The newest first.
pub async fn list_versions(
    db: &Db,
    pack: i64,
    viewer: &Viewer,
    choice: Choice<'_>,
    (limit, offset): (i64, i64),
) -> Result<Vec<PackVersion>, Error> {
    let params = around(
        params![pack],
        viewer.params(),
        params![
            choice.channel,
            choice.mc_version,
            choice.loader,
            limit,
            offset
        ],
    );
    let rows: Vec<kit::store::Decided<Option<PackVersion>, Error>> =
        db.all(sql!("list_versions"), params).await?;
    // The one row of an empty list says only that the pack may be seen.
    rows.into_iter().filter_map(|it| it.0.transpose()).collect()
}

pub async fn find_latest(
    db: &Db,
    pack: i64,
    viewer: &Viewer,
    choice: Choice<'_>,
) -> Result<PackVersion, Error> {
    let params = around(
        params![pack],
        viewer.params(),
        params![choice.channel, choice.mc_version, choice.loader],
    );
    decide(db, sql!("find_latest"), params).await
}

pub async fn change_version(
    db: &Db,
    pack: i64,
    id: i64,
    viewer: &Viewer,
    change: &VersionChange,
) -> Result<PackVersion, Error> {
    let dependencies = change.dependencies.as_ref().map(|it| json!(it));
    let params = around(
        params![pack, id],
        viewer.caller_params(),
        params![
            change.name.as_deref(),
            change.channel,
            change.mc_version.as_deref(),
            change.loader,
            change.loader_version.as_deref(),
            change.changelog.as_deref(),
            dependencies.as_ref()
        ],
    );
    decide(db, sql!("change_version"), params).await
}

pub async fn publish_version(
    db: &Db,
    pack: i64,
    id: i64,
    viewer: &Viewer,
) -> Result<PackVersion, Error> {
    let params = around(params![pack, id], viewer.caller_params(), Vec::new());
    decide(db, sql!("publish_version"), params).await
}

pub async fn yank_version(
    db: &Db,
    pack: i64,
    id: i64,
    viewer: &Viewer,
) -> Result<PackVersion, Error> {
    let params = around(params![pack, id], viewer.caller_params(), Vec::new());
    decide(db, sql!("yank_version"), params).await
}

pub async fn delete_version(db: &Db, pack: i64, id: i64, viewer: &Viewer) -> Result<(), Error> {
    let params = around(params![pack, id], viewer.caller_params(), Vec::new());
    decide(db, sql!("delete_version"), params).await
}

/// The changes from one version to another of the same pack.
pub async fn diff_versions(
    db: &Db,
    pack: i64,
    from: i64,
    to: i64,
    viewer: &Viewer,
) -> Result<Vec<Difference>, Error> {
    let params = around(params![pack, from, to], viewer.params(), Vec::new());
    let rows: Vec<kit::store::Decided<Option<Difference>, Error>> =
        db.all(sql!("diff_versions"), params).await?;
    rows.into_iter().filter_map(|it| it.0.transpose()).collect()
}

/// Newer versions of each of these versions, as far as the viewer sees them.
pub async fn find_updates(
    db: &Db,
    versions: Vec<i64>,
    viewer: &Viewer,
    choice: Choice<'_>,
) -> Result<Vec<Update>, Error> {
    let params = around(
        params![versions],
        viewer.params(),
        params![choice.channel, choice.mc_version, choice.loader],
    );
    Ok(db.all(sql!("find_updates"), params).await?)
}
