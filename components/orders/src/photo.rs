//! Photos of products: they go to S3 without passing through here. No I/O in this file.

use kit::store::FromRow;
use kit::store::photo::{MAX_SIZE, MediaType};
use kit::web::Schema;
use serde::Deserialize;
use uuid::Uuid;

use crate::error::Error;

#[derive(Debug, Deserialize, Schema)]
pub struct NewPhoto {
    /// In bytes.
    #[schemars(range(min = 1, max = 10_485_760), example = 12)]
    pub size: i64,
    pub media_type: MediaType,
}

impl NewPhoto {
    pub fn check(&self) -> Result<(), Error> {
        match self.size {
            1..=MAX_SIZE => Ok(()),
            _ => Err(Error::InvalidPhoto),
        }
    }
}

/// The photos of a product, each by its id.
#[derive(Debug, Deserialize, Schema)]
pub struct PhotoOrder {
    #[schemars(length(max = 10))]
    pub photos: Vec<Uuid>,
}

/// A photo as the database has it.
#[derive(Debug, FromRow)]
pub struct Stored {
    pub id: Uuid,
    pub product_id: i64,
    pub size: i64,
    pub media_type: MediaType,
    /// Of the upload, until it is complete.
    pub upload: Option<String>,
    pub sha256: Option<String>,
}

impl Stored {
    /// Made here, so that no caller chooses where it is written.
    pub fn key(&self) -> String {
        format!("products/{}/{}", self.product_id, self.id)
    }
}
