//! Statements on packs and their viewers.

use jiff::Timestamp;
use kit::store::photo::MediaType;
use kit::store::{Db, DbError, Only};
use kit::web::Page;
use kit::{params, sql};
use uuid::Uuid;

use super::{PAGE, around, decide};
use crate::calls::Users;
use crate::error::Error;
use crate::pack::{FriendLink, Maintainer, NewPack, Pack, PackChange, Share};
use crate::picture::{NewPicture, Place, Stored};
use crate::viewer::Viewer;

pub async fn create_pack(
    db: &Db,
    request: Uuid,
    owner: Uuid,
    new: &NewPack,
) -> Result<Pack, Error> {
    Ok(db
        .one(
            sql!("create_pack"),
            params![
                request,
                owner,
                &new.name,
                &new.description,
                new.authors.clone(),
                new.visibility
            ],
        )
        .await?)
}

pub async fn find_pack(db: &Db, id: i64, viewer: &Viewer) -> Result<Pack, Error> {
    let params = around(params![id], viewer.params(), Vec::new());
    db.optional(sql!("find_pack"), params)
        .await?
        .ok_or(Error::UnknownPack)
}

/// The pack of a friend's link.
pub async fn find_pack_by_link(db: &Db, viewer: &Viewer) -> Result<Pack, Error> {
    db.optional(sql!("find_pack_by_link"), viewer.params().to_vec())
        .await?
        .ok_or(Error::UnknownPack)
}

/// The filter of a list of packs.
#[derive(Default)]
pub struct Search<'a> {
    pub text: Option<&'a str>,
    pub owner: Option<Uuid>,
    pub mc_version: Option<&'a str>,
    pub loader: Option<crate::version::Loader>,
}

pub async fn search_packs(
    db: &Db,
    search: Search<'_>,
    viewer: &Viewer,
    page: Page,
) -> Result<Vec<Pack>, Error> {
    let params = around(
        Vec::new(),
        viewer.caller_params(),
        params![
            search.text,
            search.owner,
            search.mc_version,
            search.loader,
            page.limit(PAGE),
            page.offset()
        ],
    );
    Ok(db.all(sql!("search_packs"), params).await?)
}

pub async fn change_pack(
    db: &Db,
    id: i64,
    viewer: &Viewer,
    change: &PackChange,
) -> Result<Pack, Error> {
    let params = around(
        params![id],
        viewer.caller_params(),
        params![
            change.name.as_deref(),
            change.description.as_deref(),
            change.authors.clone(),
            change.visibility
        ],
    );
    decide(db, sql!("change_pack"), params).await
}

pub async fn delete_pack(db: &Db, id: i64, viewer: &Viewer) -> Result<(), Error> {
    let params = around(params![id], viewer.caller_params(), Vec::new());
    decide(db, sql!("delete_pack"), params).await
}

pub async fn share_pack(
    db: &Db,
    id: i64,
    viewer: &Viewer,
    users: Users,
    roles: Vec<String>,
) -> Result<(), Error> {
    let params = around(
        params![id],
        viewer.caller_params(),
        params![users.ids, users.logins, roles],
    );
    decide(db, sql!("share_pack"), params).await
}

/// For users who may change the pack.
pub async fn list_shares(db: &Db, id: i64, viewer: &Viewer) -> Result<Vec<Share>, Error> {
    let params = around(params![id], viewer.caller_params(), Vec::new());
    Ok(db.all(sql!("list_shares"), params).await?)
}

pub async fn set_maintainers(db: &Db, id: i64, viewer: &Viewer, users: Users) -> Result<(), Error> {
    let params = around(
        params![id],
        viewer.caller_params(),
        params![users.ids, users.logins],
    );
    decide(db, sql!("set_maintainers"), params).await
}

/// For users who may change the pack.
pub async fn list_maintainers(db: &Db, id: i64, viewer: &Viewer) -> Result<Vec<Maintainer>, Error> {
    let params = around(params![id], viewer.caller_params(), Vec::new());
    Ok(db.all(sql!("list_maintainers"), params).await?)
}

pub async fn pin_latest(
    db: &Db,
    id: i64,
    viewer: &Viewer,
    version: Option<i64>,
) -> Result<(), Error> {
    let params = around(params![id], viewer.caller_params(), params![version]);
    decide(db, sql!("pin_latest"), params).await
}

/// Whether the viewer may change the pack now; the changing statement checks it again.
pub async fn check_change(db: &Db, id: i64, viewer: &Viewer) -> Result<(), Error> {
    let params = around(params![id], viewer.caller_params(), Vec::new());
    decide(db, sql!("check_change"), params).await
}

/// Replaces the pictures at one place of the pack.
pub async fn put_pictures(
    db: &Db,
    id: i64,
    viewer: &Viewer,
    place: Place,
    pictures: Vec<(NewPicture, MediaType)>,
) -> Result<Pack, Error> {
    let files: Vec<_> = pictures.iter().map(|it| it.0.file_id).collect();
    let types = pictures.iter().map(|it| it.1.name().to_owned());
    let types: Vec<_> = types.collect();
    let titles: Vec<_> = pictures.into_iter().map(|it| it.0.title).collect();
    let params = around(
        params![id],
        viewer.caller_params(),
        params![place, files, titles, types],
    );
    decide(db, sql!("put_pictures"), params).await
}

/// A picture of the pack, if the viewer sees the pack.
pub async fn find_picture(db: &Db, pack: i64, file: i64, viewer: &Viewer) -> Result<Stored, Error> {
    let params = around(params![pack, file], viewer.params(), Vec::new());
    db.optional(sql!("find_picture"), params)
        .await?
        .ok_or(Error::UnknownFile)
}

pub async fn create_link(
    db: &Db,
    id: i64,
    viewer: &Viewer,
    secret: &str,
    label: &str,
    expires_at: Option<Timestamp>,
) -> Result<i64, Error> {
    let params = around(
        params![id],
        viewer.caller_params(),
        params![secret, label, expires_at],
    );
    let Made { id } = decide(db, sql!("create_link"), params).await?;
    Ok(id)
}

#[derive(kit::store::FromRow)]
struct Made {
    id: i64,
}

pub async fn list_links(db: &Db, id: i64, viewer: &Viewer) -> Result<Vec<FriendLink>, Error> {
    let params = around(params![id], viewer.caller_params(), Vec::new());
    Ok(db.all(sql!("list_links"), params).await?)
}

pub async fn revoke_link(db: &Db, id: i64, viewer: &Viewer, link: i64) -> Result<(), Error> {
    let params = around(params![id], viewer.caller_params(), params![link]);
    decide(db, sql!("revoke_link"), params).await
}

pub async fn erase(db: &Db, user: Uuid, limit: i32) -> Result<i32, DbError> {
    let Only(dropped) = db.one(sql!("erase"), params![user, limit]).await?;
    Ok(dropped)
}
