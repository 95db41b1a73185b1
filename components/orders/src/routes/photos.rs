//! Photos of products: addresses to put and to get them.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kit::identity::Caller;
use kit::store::photo::{self, Put, TIME_TO_GET, Upload};
use kit::store::s3::{S3, SavedAs};
use kit::web::{Created, Json, NoContent, Path, Problem};
use uuid::Uuid;

use crate::error::Error;
use crate::photo::{NewPhoto, PhotoOrder};
use crate::product::Product;
use crate::store;
use crate::store::photos;

pub async fn add_photo(
    caller: Caller,
    Path(product): Path<i64>,
    Json(new): Json<NewPhoto>,
) -> Result<Created<Upload>, Problem> {
    new.check()?;
    let db = store::open().await?;
    let stored = photos::add_photo(&db, Uuid::new_v4(), product, &caller, &new).await?;
    let remember = async |upload: &str| {
        photos::begin_upload(&db, stored.id, upload).await?;
        Ok::<(), Problem>(())
    };
    let upload = photo::begin(stored.id, &stored.key(), stored.size, remember).await?;
    // The photo itself is shown once it is complete.
    Ok(Created::at(format!("/products/{product}"), upload))
}

pub async fn complete_photo(
    caller: Caller,
    Path((product, id)): Path<(i64, Uuid)>,
) -> Result<Json<Product>, Problem> {
    let db = store::open().await?;
    let stored = photos::edit_photo(&db, product, id, &caller).await?;
    let sha256 = match &stored.sha256 {
        Some(sha256) => sha256.clone(),
        None => {
            let s3 = S3::open().await?;
            let upload = stored.upload.as_deref();
            match photo::complete(&s3, &stored.key(), upload, stored.media_type).await? {
                Put::Photo(sha256) => sha256,
                Put::Nothing => return Err(Error::NoBytes.into()),
                Put::SomethingElse => return Err(Error::NoPhoto.into()),
            }
        }
    };
    Ok(Json(photos::complete_photo(&db, id, &sha256).await?))
}

pub async fn order_photos(
    caller: Caller,
    Path(product): Path<i64>,
    Json(order): Json<PhotoOrder>,
) -> Result<Json<Product>, Problem> {
    let db = store::open().await?;
    let shown = photos::order_photos(&db, product, &caller, &order.photos).await?;
    Ok(Json(shown))
}

pub async fn show_photo(Path((product, id)): Path<(i64, Uuid)>) -> Result<Response, Problem> {
    let db = store::open().await?;
    let stored = photos::find_photo(&db, product, id).await?;
    let saved_as = SavedAs {
        name: &format!("product-{product}"),
        media_type: stored.media_type.name(),
    };
    let s3 = S3::open().await?;
    let address = s3.download_address(&stored.key(), saved_as, TIME_TO_GET);
    // For a shorter time than the address is good.
    let headers = [
        (header::LOCATION, address.as_str()),
        (header::CACHE_CONTROL, "public, max-age=60"),
    ];
    Ok((StatusCode::FOUND, headers).into_response())
}

pub async fn drop_photo(
    caller: Caller,
    Path((product, id)): Path<(i64, Uuid)>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    photos::drop_photo(&db, product, id, &caller).await?;
    Ok(NoContent)
}
