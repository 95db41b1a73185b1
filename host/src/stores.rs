//! Starting the stores with the lines a person sees meanwhile, and bringing the database up to date.

use anyhow::Context;
use wharf_imports::postgres;
use wharf_manifest::manifest::Manifest;
use wharf_stores::{Error, Migrations, Options, Progress, Stores, Values};

use crate::failure::{Failure, Result};

/// Starts what `options` want, and migrates the database if there is one to migrate. Each step that
/// a person may want to see is a line for `say`.
pub async fn start(
    manifest: &Manifest,
    options: Options,
    values: &Values,
    say: impl Fn(&str) + Clone + Send + Sync + 'static,
) -> Result<Stores> {
    let told = say.clone();
    let stores = Stores::start(options, move |progress| {
        if is_worth_telling(&progress) {
            told(&progress.to_string());
        }
    })
    .await?;
    if let (Some(folder), Some(url)) =
        (&manifest.wharf.migrations, &stores.addresses().postgres_url)
    {
        let migrations = Migrations::read(folder)?;
        let password_of = |schema: &str| values.role_password(schema);
        let applied = migrate(url, &migrations, password_of, |file| {
            say(&format!("migration {file}"));
        })
        .await?;
        if applied > 0 {
            say(&format!("applied {applied} migrations"));
        }
    }
    Ok(stores)
}

/// A start is short; what is said of it are first times and results.
fn is_worth_telling(progress: &Progress) -> bool {
    !matches!(progress, Progress::Starting(_))
}

/// Applies what is missing; returns how many files that were.
pub async fn migrate(
    url: &str,
    migrations: &Migrations,
    password_of: impl Fn(&str) -> Result<String, Error>,
    applying: impl FnMut(&str),
) -> Result<usize> {
    let (mut client, connection) = postgres::connect(url).await.map_err(Failure::Unreachable)?;
    let connection = tokio::spawn(connection);
    let applied = wharf_stores::migrate(&mut client, migrations, password_of, applying).await?;
    drop(client);
    connection
        .await
        .context("close the connection to PostgreSQL")?
        .context("migrate the database")?;
    Ok(applied.len())
}
