//! `wharf services`: runs the stores without the application, and writes an `.env` that points plain `spin up`
//! to them.

use wharf_manifest::variables::is_written_by_services;
use wharf_stores::EnvFile;

use crate::cli;
use crate::failure::{Failure, Result};
use crate::{stop, stores, values};

pub async fn run(args: &cli::Services) -> Result<()> {
    let stopped = stop::on_signal()?;
    let manifest = super::load(&args.manifest)?;
    let file = manifest.dir.join(".env");
    if file.exists() && !is_written_by_services(&file) {
        return Err(Failure::Usage(format!(
            "{} was not written by `wharf services` and would be overwritten: move it away, and give its values with --variable @file.toml",
            file.display()
        )));
    }
    let (_, sources) = values::read_sources(&manifest, &args.values)?;
    let options = values::store_options(&manifest, &sources, &args.stores);
    let host_values = values::open_host_values(&manifest, &sources, &options)?;
    let say = |line: &str| eprintln!("{line}");
    let stores = tokio::select! {
        stores = stores::start(&manifest, options, &host_values, say) => stores?,
        () = stopped.cancelled() => return Ok(()),
    };
    let base_url = format!("http://{}", args.listen);
    let resolved = values::resolve(
        &manifest,
        &sources,
        &host_values,
        stores.addresses(),
        &base_url,
    )?;
    let names = manifest.wharf.variables.keys();
    let lines = names.filter_map(|name| Some((name.as_str(), resolved.variables.get(name)?)));
    let written = EnvFile::write(&file, lines)?;
    println!(
        "The stores are running. Their addresses and keys are in {}, where",
        file.display()
    );
    println!("\n  spin up --listen {}\n", args.listen);
    println!("finds them. Ctrl-C stops the stores.");
    stopped.cancelled().await;
    drop(written);
    stores.stop().await;
    Ok(())
}
