//! `wharf services`: the stores without the application, and the `.env` with which plain `spin up`
//! runs it on them.

use wharf_stores::{Values, write_env_file};

use crate::cli;
use crate::failure::Result;
use crate::{journal, stop, stores, values};

pub async fn run(args: &cli::Services) -> Result<()> {
    let manifest = super::load(&args.manifest)?;
    let journal = journal::Journal::start().map_err(anyhow::Error::from)?;
    let (_, sources) = values::given(&manifest, &args.values)?;
    let kept = Values::open(&args.stores.data_dir)?;
    let options = values::stores(&manifest, &sources, &args.stores);
    let stopped = stop::signalled()?;
    let stores = tokio::select! {
        stores = stores::start(&manifest, options, &kept, Some(journal.console())) => stores?,
        () = stopped.cancelled() => return Ok(()),
    };
    let base_url = format!("http://{}", args.listen);
    let resolved = values::resolve(&manifest, &sources, &kept, stores.addresses(), &base_url)?;
    let names = manifest.wharf.variables.keys();
    let lines = names.filter_map(|name| Some((name.as_str(), resolved.variables.get(name)?)));
    let file = manifest.dir.join(".env");
    write_env_file(&file, lines)?;
    println!(
        "The stores run. Their addresses and keys are in {}, so that",
        file.display()
    );
    println!("\n  spin up --listen {}\n", args.listen);
    println!("finds them. Ctrl-C stops them.");
    stopped.cancelled().await;
    stores.stop().await;
    Ok(())
}
