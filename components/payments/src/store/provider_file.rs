//! The SQL of files of the provider.

use kit::store::Db;
use kit::web::Part;
use kit::{params, sql};
use serde_json::{Value, json};
use uuid::Uuid;

use super::decide;
use crate::error::Error;
use crate::provider_file::{Difference, Line, ProviderFile, Report};

/// Keeps the lines of a file and books the provider's fees and its payments to the bank, once for each line.
pub async fn import_provider_file(
    db: &Db,
    id: Uuid,
    name: &str,
    admin: Uuid,
    report: &Report,
) -> Result<ProviderFile, Error> {
    let lines: Value = report.lines.iter().map(Line::to_json).collect();
    let others = json!(report.others);
    let params = params![id, name, admin, report.skipped(), &lines, &others];
    decide::<()>(db, sql!("import_provider_file"), params).await?;
    find_provider_file(db, id).await
}

pub async fn find_provider_file(db: &Db, id: Uuid) -> Result<ProviderFile, Error> {
    db.optional(sql!("find_provider_file"), params![id])
        .await?
        .ok_or(Error::UnknownFile)
}

/// The newest first.
pub async fn list_provider_files(db: &Db, part: Part<Uuid>) -> Result<Vec<ProviderFile>, Error> {
    let params = params![part.limit, part.offset, part.after];
    Ok(db.all(sql!("list_provider_files"), params).await?)
}

/// How a file differs from the books.
pub async fn list_differences(
    db: &Db,
    file: Uuid,
    limit: i64,
    offset: i64,
) -> Result<Vec<Difference>, Error> {
    let params = params![file, limit, offset];
    let differences = db.all(sql!("list_differences"), params).await?;
    if differences.is_empty() {
        // Either there is none, or no such file.
        find_provider_file(db, file).await?;
    }
    Ok(differences)
}
