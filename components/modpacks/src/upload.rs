//! Addresses of S3 for uploads and downloads.

use std::time::Duration;

use kit::setting;
use kit::store::s3::{Part, S3, SavedAs};
use kit::store::{Db, FromRow};
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

use crate::error::Error;
use crate::file::{self, Announced, PackFile, Status};
use crate::picture::{self, Stored};
use crate::store::uploads;

/// How long an address for a part is valid: enough for 16 MiB over a slow line. A client asks again for one that expired.
const PART_VALID: Duration = Duration::from_secs(60 * 60);
/// How long an address for a download is valid. A download that has begun goes on.
pub const DOWNLOAD_VALID: Duration = Duration::from_secs(60);

/// The prefix of the keys of all objects.
pub const PREFIX: &str = "objects/";

/// The row of an upload.
#[derive(Clone, Debug, FromRow)]
pub struct Upload {
    pub id: Uuid,
    pub size: i64,
    pub part_size: i64,
    /// S3's id of it.
    pub s3_id: Option<String>,
    pub sha1: Option<String>,
    pub sha256: Option<String>,
    pub sha512: Option<String>,
    /// How far a worker has read; twice the size after the second reading.
    pub read_to: i64,
    pub digests: Option<Vec<u8>>,
    pub attempts: i32,
    pub fence: i32,
}

/// A file and its upload, which is gone once the file is ready.
#[derive(FromRow)]
pub struct Uploading {
    #[row(flatten)]
    pub file: PackFile,
    #[row(flatten)]
    pub upload: MaybeUpload,
}

/// The columns of an upload have names of their own, so that they can be read beside the file's.
pub struct MaybeUpload(pub Option<Upload>);

impl FromRow for MaybeUpload {
    fn from_row(row: &kit::store::Row) -> Result<Self, kit::store::DbError> {
        let Some(id) = row.get("upload_id")? else {
            return Ok(Self(None));
        };
        Ok(Self(Some(Upload {
            id,
            size: row.get("upload_size")?,
            part_size: row.get("part_size")?,
            s3_id: row.get("s3_id")?,
            sha1: None,
            sha256: None,
            sha512: None,
            read_to: 0,
            digests: None,
            attempts: 0,
            fence: 0,
        })))
    }
}

/// The next requests of a client that uploads a file.
#[derive(Debug, Serialize, Schema)]
pub struct UploadPlan {
    pub file: PackFile,
    /// Bytes of each part but the last.
    pub part_size: i64,
    /// Parts that S3 has.
    pub arrived: usize,
    /// Parts that are missing, in any order and at once if you like: PUT the bytes to the address, then complete the
    /// file. Ask again for addresses that have expired.
    pub parts: Vec<PartPlan>,
}

#[derive(Debug, Serialize, Schema)]
pub struct PartPlan {
    /// From 1; the part begins at `(number - 1) * part_size`.
    pub number: u16,
    /// Exactly so many bytes.
    pub size: u64,
    pub url: String,
}

/// A fresh address of a file's bytes.
#[derive(Debug, Serialize, Schema)]
pub struct DownloadAddress {
    pub url: String,
    pub expires_in_seconds: u64,
}

/// The key of the object of an upload, and of the blob that the upload becomes.
pub fn key(id: Uuid) -> String {
    format!("{PREFIX}{id}")
}

/// The quota of owners without one of their own.
pub async fn default_quota() -> Result<i64, Error> {
    let quota = setting("modpacks_quota_bytes").await?;
    quota
        .parse()
        .map_err(|_| Error::Misconfigured("modpacks_quota_bytes"))
}

/// The missing parts of a file's upload.
pub async fn plan(db: &Db, uploading: Uploading) -> Result<UploadPlan, Error> {
    let Uploading { file, upload } = uploading;
    let Some(upload) = upload.0.filter(|_| file.status == Status::Uploading) else {
        return Err(Error::NotUploading(file.status.name()));
    };
    let s3 = S3::open().await?;
    let (s3_id, arrived) = match &upload.s3_id {
        Some(s3_id) => (s3_id.clone(), s3.list_parts(&key(upload.id), s3_id).await?),
        None => (begin(db, &s3, upload.id).await?, Vec::new()),
    };
    let (size, part_size) = (upload.size.unsigned_abs(), upload.part_size.unsigned_abs());
    let parts = file::parts(size, part_size)
        .filter(|it| !has_arrived(&arrived, *it))
        .map(|(number, size)| PartPlan {
            number,
            size,
            url: s3.part_address(&key(upload.id), &s3_id, number, size, PART_VALID),
        });
    let parts: Vec<_> = parts.collect();
    Ok(UploadPlan {
        file,
        part_size: upload.part_size,
        arrived: file::parts(size, part_size).count() - parts.len(),
        parts,
    })
}

/// Begins the upload in S3, once: of two concurrent requests one uses the other's upload.
pub async fn begin(db: &Db, s3: &S3, id: Uuid) -> Result<String, Error> {
    let begun = s3.create_upload(&key(id)).await?;
    let kept = uploads::begin_upload(db, id, &begun).await?;
    if kept != begun {
        s3.abort_upload(&key(id), &begun).await?;
    }
    Ok(kept)
}

/// Whether S3 has that part, whole.
pub fn has_arrived(arrived: &[Part], (number, size): (u16, u64)) -> bool {
    arrived
        .iter()
        .any(|it| it.number == number && it.size == size)
}

/// Completes an upload: counts the parts that S3 has; a worker reads the bytes later.
pub async fn complete(
    db: &Db,
    viewer: &crate::viewer::Viewer,
    file: i64,
    announced: &Announced,
) -> Result<PackFile, Error> {
    let found = uploads::find_upload(db, viewer, file).await?;
    if found.file.status == Status::Failed {
        return Err(Error::NotUploading(Status::Failed.name()));
    }
    if let Some(upload) = found
        .upload
        .0
        .filter(|_| found.file.status == Status::Uploading)
    {
        let arrived = match &upload.s3_id {
            Some(s3_id) => {
                let s3 = S3::open().await?;
                s3.list_parts(&key(upload.id), s3_id).await?
            }
            None => Vec::new(),
        };
        let parts = file::parts(upload.size.unsigned_abs(), upload.part_size.unsigned_abs());
        let (mut missing, mut all) = (0, 0);
        for part in parts {
            all += 1;
            missing += usize::from(!has_arrived(&arrived, part));
        }
        if missing > 0 {
            return Err(Error::UploadIncomplete(missing, all));
        }
    }
    let completed = uploads::complete_file(db, viewer, file, announced).await?;
    kit::store::event::announce(crate::upkeep::VERIFY, String::new());
    Ok(completed)
}

/// A fresh address of a file that the viewer was just found to see.
pub async fn download_address(file: &PackFile) -> Result<DownloadAddress, Error> {
    if let Some(source) = &file.source {
        return Ok(DownloadAddress {
            url: source.clone(),
            expires_in_seconds: DOWNLOAD_VALID.as_secs(),
        });
    }
    let Some(object) = file.object else {
        return Err(Error::FileNotReady(file.status.name()));
    };
    let media_type = file::media_type(&file.original_name);
    address_of(object, &file.original_name, media_type).await
}

/// A fresh address of a picture. Its media type comes from its bytes, not from the name of its file.
pub async fn picture_address(pack: i64, stored: &Stored) -> Result<DownloadAddress, Error> {
    let name = picture::file_name(pack, stored.media_type);
    address_of(stored.object, &name, stored.media_type.name()).await
}

async fn address_of(object: Uuid, name: &str, media_type: &str) -> Result<DownloadAddress, Error> {
    let saved_as = SavedAs { name, media_type };
    Ok(DownloadAddress {
        url: S3::open()
            .await?
            .download_address(&key(object), saved_as, DOWNLOAD_VALID),
        expires_in_seconds: DOWNLOAD_VALID.as_secs(),
    })
}
