//! The icon and the gallery of a pack.

use axum::response::Response;
use kit::identity::Caller;
use kit::store::Db;
use kit::store::photo::{HEAD, MediaType};
use kit::store::s3::S3;
use kit::web::{Json, Path, Problem};
use uuid::Uuid;

use super::files::redirect;
use crate::error::Error;
use crate::pack::Pack;
use crate::picture::{self, NewGallery, NewIcon, NewPicture, Place};
use crate::store::{self, files, packs};
use crate::upload::{self, key};
use crate::viewer::Viewer;

pub async fn set_icon(
    caller: Caller,
    Path(pack): Path<i64>,
    Json(new): Json<NewIcon>,
) -> Result<Json<Pack>, Problem> {
    let icon = new.file_id.map(|file_id| NewPicture {
        file_id,
        title: String::new(),
    });
    let wanted = icon.into_iter().collect();
    Ok(Json(put(&caller, pack, Place::Icon, wanted).await?))
}

pub async fn set_gallery(
    caller: Caller,
    Path(pack): Path<i64>,
    Json(new): Json<NewGallery>,
) -> Result<Json<Pack>, Problem> {
    let wanted = new.checked()?;
    Ok(Json(put(&caller, pack, Place::Gallery, wanted).await?))
}

async fn put(
    caller: &Caller,
    pack: i64,
    place: Place,
    wanted: Vec<NewPicture>,
) -> Result<Pack, Error> {
    let db = store::open().await?;
    let viewer = Viewer::from(caller);
    // Objects are read only for users who may change the pack.
    packs::check_change(&db, pack, &viewer).await?;
    let looked_at = if wanted.is_empty() {
        Vec::new()
    } else {
        look_at(&db, pack, &viewer, wanted).await?
    };
    packs::put_pictures(&db, pack, &viewer, place, looked_at).await
}

/// The media types of these files by their bytes. Objects never change, so they are read before the pack is locked.
async fn look_at(
    db: &Db,
    pack: i64,
    viewer: &Viewer,
    wanted: Vec<NewPicture>,
) -> Result<Vec<(NewPicture, MediaType)>, Error> {
    let files = files::list_files(db, pack, None, viewer).await?;
    let s3 = S3::open().await?;
    let mut found = Vec::new();
    for picture in wanted {
        let object = picture::candidate(&files, picture.file_id)?;
        let head = read_head(&s3, object).await?;
        let media_type = MediaType::of(&head).ok_or(Error::NoPicture)?;
        found.push((picture, media_type));
    }
    Ok(found)
}

async fn read_head(s3: &S3, object: Uuid) -> Result<Vec<u8>, Error> {
    let mut head = Vec::new();
    let mut reading = s3.read(&key(object), 0, HEAD as u64).await?;
    while let Some(bytes) = reading.next().await? {
        head.extend_from_slice(&bytes);
    }
    Ok(head)
}

pub async fn show_picture(
    caller: Option<Caller>,
    Path((pack, file)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let db = store::open().await?;
    Ok(lead_to(&db, pack, file, &caller.into()).await?)
}

/// A fresh address of a picture that the viewer sees now.
pub async fn lead_to(db: &Db, pack: i64, file: i64, viewer: &Viewer) -> Result<Response, Error> {
    let stored = packs::find_picture(db, pack, file, viewer).await?;
    Ok(redirect(upload::picture_address(pack, &stored).await?))
}
