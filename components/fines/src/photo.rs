//! Photos of a fine: they go to S3 without passing through here; their digest is kept. No I/O in this file.

use jiff::Timestamp;
use kit::store::FromRow;
use kit::store::photo::{MAX_SIZE, MediaType};
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;

#[derive(Debug, Deserialize, Schema)]
pub struct NewPhoto {
    /// In bytes.
    #[schemars(range(min = 1, max = 10_485_760), example = 4)]
    pub size: i64,
    pub media_type: MediaType,
    /// When the camera says that it was taken.
    pub taken_at: Option<Timestamp>,
}

impl NewPhoto {
    pub fn check(&self) -> Result<(), Error> {
        if (1..=MAX_SIZE).contains(&self.size) {
            Ok(())
        } else {
            Err(Error::InvalidPhoto("a photo has 1 byte to 10 MiB"))
        }
    }
}

/// A photo as the database has it.
#[derive(Debug, FromRow)]
pub struct Stored {
    pub id: Uuid,
    pub fine_id: i64,
    pub size: i64,
    pub media_type: MediaType,
    pub by_staff: bool,
    pub taken_at: Option<Timestamp>,
    pub added_at: Timestamp,
    /// Of the upload, until it is complete.
    pub upload: Option<String>,
    pub sha256: Option<String>,
}

impl Stored {
    /// Made here, so that no caller chooses where it is written.
    pub fn key(&self) -> String {
        format!("fines/{}/{}", self.fine_id, self.id)
    }
}

#[derive(Debug, Serialize, Schema)]
pub struct Photo {
    pub id: Uuid,
    pub size: i64,
    pub media_type: MediaType,
    /// True if the zone's staff added it, false if the driver did.
    pub by_staff: bool,
    pub taken_at: Option<Timestamp>,
    pub added_at: Timestamp,
    pub sha256: String,
    /// Where it can be downloaded, for a few minutes.
    pub address: String,
}
