//! Starts the stores and migrates the database, with progress lines for the user.

use anyhow::Context;
use wharf_imports::postgres;
use wharf_manifest::manifest::Manifest;
use wharf_stores::{Error, Migrations, Options, Progress, Stores, Values};

use crate::failure::{Failure, Result};

/// Starts the stores of `options`, and applies the migrations of the manifest. `say` gets the progress lines.
pub async fn start(
    manifest: &Manifest,
    options: Options,
    values: &Values,
    say: impl Fn(&str) + Clone + Send + Sync + 'static,
) -> Result<Stores> {
    let say_progress = say.clone();
    let stores = Stores::start(options, move |progress| {
        if is_shown(&progress) {
            say_progress(&progress.to_string());
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

/// `Starting` is not shown: a start is short, and its result follows.
fn is_shown(progress: &Progress) -> bool {
    !matches!(progress, Progress::Starting(_))
}

/// Applies pending migrations; returns their number.
pub async fn migrate(
    url: &str,
    migrations: &Migrations,
    password_of: impl Fn(&str) -> Result<String, Error>,
    on_apply: impl FnMut(&str),
) -> Result<usize> {
    let (mut client, connection) = postgres::connect(url).await.map_err(Failure::Unreachable)?;
    let connection = tokio::spawn(connection);
    let applied = wharf_stores::migrate(&mut client, migrations, password_of, on_apply).await?;
    drop(client);
    connection
        .await
        .context("close the connection to PostgreSQL")?
        .context("migrate the database")?;
    Ok(applied.len())
}
