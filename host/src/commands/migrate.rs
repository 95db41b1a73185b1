//! `wharf migrate`: applies migrations, for deployments that do so before the new version starts.

use std::collections::BTreeMap;

use anyhow::anyhow;
use wharf_stores::{Migrations, Options, Stores, Values, Wanted};

use crate::cli;
use crate::failure::{Failure, Result};
use crate::{stop, stores, values};

pub async fn run(args: &cli::Migrate) -> Result<()> {
    let stopped = stop::on_signal()?;
    tokio::select! {
        migrated = migrate(args) => migrated,
        () = stopped.cancelled() => Err(anyhow!("stopped before all migrations were applied").into()),
    }
}

async fn migrate(args: &cli::Migrate) -> Result<()> {
    let manifest = super::load(&args.manifest)?;
    let Some(folder) = &manifest.wharf.migrations else {
        let hint = "migrations = \"migrations\" in [application.tool.wharf]";
        return Err(Failure::Usage(format!(
            "the manifest names no migrations folder (set {hint})"
        )));
    };
    let migrations = Migrations::read(folder)?;
    let (_, sources) = values::read_sources(&manifest, &args.values)?;
    let say = |file: &str| println!("{file}");
    let applied = match &args.postgres_url {
        Some(url) => {
            let password_of = |schema: &str| values::role_password(&manifest, &sources, schema);
            stores::migrate(url, &migrations, password_of, say).await?
        }
        None => {
            let values = Values::open(&args.data_dir)?;
            let running =
                Stores::start(embedded_options(args), |progress| eprintln!("{progress}")).await?;
            let url = running.addresses().postgres_url.clone().unwrap_or_default();
            let password_of = |schema: &str| values.role_password(schema);
            let applied = stores::migrate(&url, &migrations, password_of, say).await;
            running.stop().await;
            applied?
        }
    };
    match applied {
        0 => eprintln!("nothing to do: the database is up to date"),
        many => eprintln!("applied {many}"),
    }
    Ok(())
}

fn embedded_options(args: &cli::Migrate) -> Options {
    Options {
        data_dir: args.data_dir.clone(),
        postgres: Wanted::Embedded,
        redis: Wanted::No,
        redis_logins: BTreeMap::new(),
        s3: Wanted::No,
        s3_keys: BTreeMap::new(),
        durable: true,
    }
}
