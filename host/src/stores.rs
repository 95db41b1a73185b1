//! Starting the stores with the lines a person sees meanwhile, and bringing the database up to date.

use std::sync::Arc;

use anyhow::Context;
use tokio_postgres::NoTls;
use wharf_manifest::manifest::Manifest;
use wharf_stores::{Migrations, Options, Progress, Stores, Values};

use crate::failure::{Failure, Result};
use crate::journal::Sink;

/// Starts what `options` want, and migrates the database if there is one to migrate.
pub async fn start(
    manifest: &Manifest,
    options: Options,
    values: &Values,
    log: Option<Sink>,
) -> Result<Stores> {
    let say = Arc::new(move |line: String| {
        if let Some(log) = &log {
            log.append(line.as_bytes());
        }
    });
    let told = say.clone();
    let stores = Stores::start(options, move |progress| {
        if is_worth_telling(&progress) {
            told(format!("{progress}\n"));
        }
    })
    .await?;
    if let (Some(folder), Some(url)) =
        (&manifest.wharf.migrations, &stores.addresses().postgres_url)
    {
        let migrations = Migrations::read(folder)?;
        let applied = migrate(url, &migrations, values, |file| {
            say(format!("migration {file}\n"))
        })
        .await?;
        if applied > 0 {
            say(format!("applied {applied} migrations\n"));
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
    values: &Values,
    applying: impl FnMut(&str),
) -> Result<usize> {
    let (mut client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .map_err(|cause| Failure::Unreachable(format!("cannot connect to PostgreSQL: {cause}")))?;
    let connection = tokio::spawn(connection);
    let applied = wharf_stores::migrate(
        &mut client,
        migrations,
        |schema| values.role_password(schema),
        applying,
    )
    .await?;
    drop(client);
    connection
        .await
        .context("close the connection to PostgreSQL")?
        .context("migrate the database")?;
    Ok(applied.len())
}
