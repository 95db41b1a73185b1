//! `wharf migrate`: the migrations alone, for a deployment that runs them before the new version starts.

use wharf_stores::{Migrations, Options, Stores, Values, Wanted};

use crate::cli;
use crate::failure::{Failure, Result};
use crate::stores;

pub async fn run(args: &cli::Migrate) -> Result<()> {
    let manifest = super::load(&args.manifest)?;
    let Some(folder) = &manifest.wharf.migrations else {
        let hint = "migrations = \"migrations\" in [application.tool.wharf]";
        return Err(Failure::Usage(format!(
            "the manifest names no folder of migrations ({hint})"
        )));
    };
    let migrations = Migrations::read(folder)?;
    let values = Values::open(&args.data_dir)?;
    let postgres = match &args.postgres_url {
        Some(url) => Wanted::External(url.clone()),
        None => Wanted::Embedded,
    };
    let options = Options {
        data_dir: args.data_dir.clone(),
        postgres,
        redis: Wanted::No,
        s3: Wanted::No,
        durable: true,
    };
    let running = Stores::start(options, |progress| eprintln!("{progress}")).await?;
    let url = running.addresses().postgres_url.clone().unwrap_or_default();
    let applied = stores::migrate(&url, &migrations, &values, |file| println!("{file}")).await;
    running.stop().await;
    match applied? {
        0 => eprintln!("nothing to do: the database is up to date"),
        many => eprintln!("applied {many}"),
    }
    Ok(())
}
