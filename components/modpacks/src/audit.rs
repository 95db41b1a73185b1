//! Compares the objects in S3 with the rows, one page of objects at a time, so that each request is short.
//!
//! A row is made before its object and removed after it. So an object without a row is a stray: its deletion was
//! interrupted unseen by the sweep, or it was restored from a backup of another day.

use kit::store::Db;
use kit::store::s3::S3;
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

use crate::error::Error;
use crate::store::uploads::{self, Audited};
use crate::upload::{PREFIX, key};

/// Objects of one page of S3.
const PAGE: usize = 1000;

/// The findings of one page of the comparison.
#[derive(Debug, Serialize, Schema)]
pub struct Audit {
    pub objects: usize,
    /// Objects without a row.
    pub strays: usize,
    /// Verified bytes that S3 has lost, or has in another size. Files with these bytes cannot be downloaded: upload them again
    /// in a new version.
    pub lost: Vec<Lost>,
    /// Where the next page begins; absent at the end.
    pub next: Option<Uuid>,
}

#[derive(Debug, Serialize, Schema)]
pub struct Lost {
    pub sha256: String,
    pub size: i64,
    /// The number of files with these bytes.
    pub files: i64,
}

/// Compares a page of the objects after `after` with the rows, and deletes strays if `deletes`.
pub async fn audit(db: &Db, after: Option<Uuid>, deletes: bool) -> Result<Audit, Error> {
    let s3 = S3::open().await?;
    let start = after.map(key).unwrap_or_default();
    let listed = s3.list(PREFIX, &start).await?;
    let mut known = Vec::new();
    for object in &listed {
        // Other keys below the prefix are not ours.
        let id = object
            .key
            .strip_prefix(PREFIX)
            .and_then(|it| it.parse::<Uuid>().ok());
        known.extend(id.map(|id| (id, object.size.cast_signed())));
    }
    let next = known.last().map(|it| it.0).filter(|_| listed.len() >= PAGE);
    let (mut strays, mut lost) = (0, Vec::new());
    for found in uploads::audit_objects(db, &known, after, next).await? {
        match found {
            Audited {
                lost: false, id, ..
            } => {
                if deletes {
                    s3.delete(&key(id)).await?;
                }
                strays += 1;
            }
            Audited {
                id,
                sha256,
                size,
                files,
                ..
            } => {
                // It may have been stored after the list was made.
                let there = s3.head(&key(id)).await?;
                if there.is_none_or(|it| it.size.cast_signed() != size) {
                    lost.push(Lost {
                        sha256,
                        size,
                        files,
                    });
                }
            }
        }
    }
    Ok(Audit {
        objects: listed.len(),
        strays,
        lost,
        next,
    })
}
