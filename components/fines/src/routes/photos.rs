//! Photos of fines: addresses to put and to get them, and their digests.

use std::time::Duration;

use jiff::SignedDuration;
use kit::identity::Caller;
use kit::store::s3::{S3, SavedAs};
use kit::web::{Created, Dialect, Json, Path, Problem, Routes};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Error;
use crate::photo::{MAX_SIZE, NewPhoto, Photo, Stored, Upload};
use crate::store;

pub fn routes() -> Routes {
    Routes::new("Photos", Dialect::Zones)
        .get("/api/v1/fines/{id}/photos", list_photos, |it| {
            it.summary("List the photos of a fine")
                .note("To those who work in its zone and its driver.")
                .refuses([Error::UNKNOWN_FINE, Error::FORBIDDEN])
        })
        .post("/api/v1/fines/{id}/photos", add_photo, |it| {
            it.summary("Add a photo to a fine")
                .note("By those who work in its zone, within a week; by its driver while an appeal is open. The bytes are PUT at the address in the answer; then the photo is completed, and from then on it does not change.")
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
                .note("Once its bytes are there. Their SHA-256 digest is kept in the history.")
                .refuses([Error::UNKNOWN_PHOTO, Error::NO_BYTES])
        })
}

/// Long enough for a slow network.
const TIME_TO_PUT: Duration = Duration::from_secs(15 * 60);
const TIME_TO_GET: Duration = Duration::from_secs(5 * 60);

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
    let photo = store::add_photo(&db, Uuid::new_v4(), id, &caller, &new).await?;
    let s3 = S3::open().await?;
    let key = photo.key();
    let upload = s3.create_upload(&key).await?;
    store::begin_upload(&db, photo.id, &upload).await?;
    let now = kit::now();
    let size = photo.size.unsigned_abs();
    let added = Upload {
        id: photo.id,
        address: s3.part_address(&key, &upload, 1, size, TIME_TO_PUT),
        good_until: now
            .checked_add(SignedDuration::try_from(TIME_TO_PUT).unwrap_or_default())
            .unwrap_or(now),
    };
    Ok(Created::at(format!("/api/v1/fines/{id}/photos"), added))
}

async fn complete_photo(
    caller: Caller,
    Path((id, photo)): Path<(i64, Uuid)>,
) -> Result<Json<Photo>, Problem> {
    let db = store::open().await?;
    let mut photo = store::find_photo(&db, id, photo, &caller).await?;
    let s3 = S3::open().await?;
    if photo.sha256.is_none() {
        let sha256 = complete(&s3, &photo).await?;
        store::complete_photo(&db, photo.id, caller.id, &sha256).await?;
        photo.sha256 = Some(sha256);
    }
    Ok(Json(shown(&s3, photo).ok_or(Error::NoBytes)?))
}

/// Makes the object of what was put, unless that was done before, and answers its digest.
async fn complete(s3: &S3, photo: &Stored) -> Result<String, Problem> {
    let key = photo.key();
    if s3.head(&key).await?.is_none() {
        let upload = photo.upload.as_deref().ok_or(Error::NoBytes)?;
        let parts = s3.list_parts(&key, upload).await?;
        if parts.len() != 1 {
            return Err(Error::NoBytes.into());
        }
        s3.complete_upload(&key, upload, &parts).await?;
    }
    let mut hasher = Sha256::new();
    let mut reading = s3.read(&key, 0, MAX_SIZE.unsigned_abs()).await?;
    while let Some(piece) = reading.next().await? {
        hasher.update(&piece);
    }
    Ok(crate::case::hex(&hasher.finalize()))
}
