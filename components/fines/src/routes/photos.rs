//! Photos of fines: addresses to put and to get them, and their digests.

use kit::identity::Caller;
use kit::store::photo::{self, Put, TIME_TO_GET, Upload};
use kit::store::s3::{S3, SavedAs};
use kit::web::{Created, Dialect, Json, Path, Problem, Routes};
use uuid::Uuid;

use crate::error::Error;
use crate::photo::{NewPhoto, Photo, Stored};
use crate::store;

pub fn routes() -> Routes {
    Routes::new("Photos", Dialect::Zones)
        .get("/api/v1/fines/{id}/photos", list_photos, |it| {
            it.summary("List the photos of a fine")
                .note("For staff of its zone, and its driver.")
                .refuses([Error::UNKNOWN_FINE, Error::FORBIDDEN])
        })
        .post("/api/v1/fines/{id}/photos", add_photo, |it| {
            it.summary("Add a photo to a fine")
                .note("For staff of its zone, within a week, and for its driver while an appeal is open. PUT the bytes to the address in the answer, then complete the photo; it does not change after that.")
                .refuses([
                    Error::INVALID_PHOTO,
                    Error::UNKNOWN_FINE,
                    Error::FORBIDDEN,
                    Error::PHOTOS_CLOSED,
                    Error::TOO_MANY_PHOTOS,
                ])
        })
        .post("/api/v1/fines/{id}/photos/{photo}", complete_photo, |it| {
            it.summary("Complete a photo of a fine")
                .note("Call it when the bytes were put. Their SHA-256 digest is kept in the history.")
                .refuses([Error::UNKNOWN_PHOTO, Error::NO_BYTES, Error::NO_PHOTO])
        })
}

fn shown(s3: &S3, photo: Stored) -> Option<Photo> {
    let key = photo.key();
    let saved_as = SavedAs {
        name: &format!("fine-{}-{}", photo.fine_id, photo.id),
        media_type: photo.media_type.name(),
    };
    Some(Photo {
        address: s3.download_address(&key, saved_as, TIME_TO_GET),
        id: photo.id,
        size: photo.size,
        media_type: photo.media_type,
        by_staff: photo.by_staff,
        taken_at: photo.taken_at,
        added_at: photo.added_at,
        sha256: photo.sha256?,
    })
}

async fn list_photos(caller: Caller, Path(id): Path<i64>) -> Result<Json<Vec<Photo>>, Problem> {
    let photos = store::list_photos(&store::open().await?, id, &caller).await?;
    let s3 = S3::open().await?;
    Ok(Json(
        photos.into_iter().filter_map(|it| shown(&s3, it)).collect(),
    ))
}

async fn add_photo(
    caller: Caller,
    Path(id): Path<i64>,
    Json(new): Json<NewPhoto>,
) -> Result<Created<Upload>, Problem> {
    new.check()?;
    let db = store::open().await?;
    let stored = store::add_photo(&db, Uuid::new_v4(), id, &caller, &new).await?;
    let remember = async |upload: &str| {
        store::begin_upload(&db, stored.id, upload).await?;
        Ok::<(), Problem>(())
    };
    let added = photo::begin(stored.id, &stored.key(), stored.size, remember).await?;
    Ok(Created::at(format!("/api/v1/fines/{id}/photos"), added))
}

async fn complete_photo(
    caller: Caller,
    Path((id, wanted)): Path<(i64, Uuid)>,
) -> Result<Json<Photo>, Problem> {
    let db = store::open().await?;
    let mut photo = store::find_photo(&db, id, wanted, &caller).await?;
    let s3 = S3::open().await?;
    if photo.sha256.is_none() {
        let upload = photo.upload.as_deref();
        let sha256 = match photo::complete(&s3, &photo.key(), upload, photo.media_type).await? {
            Put::Photo(sha256) => sha256,
            Put::Nothing => return Err(Error::NoBytes.into()),
            Put::SomethingElse => return Err(Error::NoPhoto.into()),
        };
        store::complete_photo(&db, photo.id, caller.id, &sha256).await?;
        photo.sha256 = Some(sha256);
    }
    Ok(Json(shown(&s3, photo).ok_or(Error::NoBytes)?))
}
