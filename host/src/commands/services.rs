//! `wharf services`: the stores without the application, and the `.env` with which plain `spin up`
//! runs it on them.

use wharf_manifest::variables::is_written_by_services;
use wharf_stores::EnvFile;

use crate::cli;
use crate::failure::{Failure, Result};
use crate::{stop, stores, values};

pub async fn run(args: &cli::Services) -> Result<()> {
    let stopped = stop::signalled()?;
    let manifest = super::load(&args.manifest)?;
    let file = manifest.dir.join(".env");
    if file.exists() && !is_written_by_services(&file) {
        return Err(Failure::Usage(format!(
            "{} is yours and would be overwritten: move it away, and give what it says with --variable @file.toml",
            file.display()
        )));
    }
    let (_, sources) = values::given(&manifest, &args.values)?;
    let options = values::stores(&manifest, &sources, &args.stores);
    let kept = values::kept(&manifest, &sources, &options)?;
    let say = |line: &str| eprintln!("{line}");
    let stores = tokio::select! {
        stores = stores::start(&manifest, options, &kept, say) => stores?,
        () = stopped.cancelled() => return Ok(()),
    };
    let base_url = format!("http://{}", args.listen);
    let resolved = values::resolve(&manifest, &sources, &kept, stores.addresses(), &base_url)?;
    let names = manifest.wharf.variables.keys();
    let lines = names.filter_map(|name| Some((name.as_str(), resolved.variables.get(name)?)));
    let written = EnvFile::write(&file, lines)?;
    println!(
        "The stores run. Their addresses and keys are in {}, so that",
        file.display()
    );
    println!("\n  spin up --listen {}\n", args.listen);
    println!("finds them. Ctrl-C stops them.");
    stopped.cancelled().await;
    drop(written);
    stores.stop().await;
    Ok(())
}
