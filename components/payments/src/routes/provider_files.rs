//! Files of the provider: imported, listed, and compared with the books.

use axum::http::Uri;
use kit::identity::Admin;
use kit::store::{Keyed, Replayable};
use kit::web::{Created, Json, Listed, Page, Paging, Path, Problem, Query, Schema};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::Error;
use crate::provider_file::{Difference, ProviderFile, Report};
use crate::reference::is_printable;
use crate::store::{self, provider_file as files};

#[derive(Deserialize, Schema)]
pub struct NewProviderFile {
    /// 1 to 200 printable characters.
    #[schemars(length(min = 1, max = 200), example = &"settlement-2026-11-28.csv")]
    name: String,
    /// The text of the file.
    csv: String,
}

pub async fn import_provider_file(
    Admin(caller): Admin,
    Keyed { body, once }: Keyed<NewProviderFile>,
) -> Result<Replayable<Created<ProviderFile>>, Problem> {
    if !is_printable(&body.name) {
        return Err(Error::InvalidFileName.into());
    }
    let report = Report::parse(&body.csv)?;
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let imported = files::import_provider_file(&db, id, &body.name, caller.id, &report).await?;
        Ok(Created::at(
            format!("/payments/provider-files/{id}"),
            imported,
        ))
    })
    .await
}

/// Rows of a page when the client does not say how many.
const ROWS: i64 = 50;

pub async fn list_provider_files(
    Admin(_): Admin,
    uri: Uri,
    Query(paging): Query<Paging<Uuid>>,
) -> Result<Listed<ProviderFile>, Problem> {
    let part = paging.part_or(ROWS).ok_or(Error::TooFar)?;
    let db = store::open().await?;
    let listed = files::list_provider_files(&db, part).await?;
    Ok(Listed::full_of(&uri, part.limit, listed, |it| it.id))
}

pub async fn show_provider_file(
    Admin(_): Admin,
    Path(file): Path<Uuid>,
) -> Result<Json<ProviderFile>, Problem> {
    let db = store::open().await?;
    Ok(Json(files::find_provider_file(&db, file).await?))
}

pub async fn list_differences(
    Admin(_): Admin,
    uri: Uri,
    Path(file): Path<Uuid>,
    Query(page): Query<Page>,
) -> Result<Listed<Difference>, Problem> {
    let db = store::open().await?;
    let listed = files::list_differences(&db, file, page.limit(ROWS), page.offset()).await?;
    Ok(Listed::page(&uri, page, ROWS, listed))
}
