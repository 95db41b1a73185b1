//! `wharf keys`: what this host made for the application and keeps, the signing keys and the passwords;
//! or, for a deployment of many copies, the file of what they all are given.

use std::path::Path;

use wharf_manifest::manifest::HostValue;
use wharf_manifest::variables::{Environment, Sources};
use wharf_stores::{Values, add_variables};

use crate::cli;
use crate::failure::{Failure, Result};
use crate::values;

pub fn run(args: &cli::Keys) -> Result<()> {
    if let Some(file) = &args.variables {
        return complete(args, file);
    }
    let values = Values::open(&args.data_dir)?;
    if args.rotate {
        values.rotate_signing_key()?;
        eprintln!("a new key signs from the next start on");
    }
    println!("{}", values.jwks()?);
    if args.secrets {
        let manifest = super::load(&args.manifest)?;
        for (name, source) in &manifest.wharf.variables {
            // One that was never made was given at every start: it is not known here.
            if let HostValue::Random { .. } = source
                && let Some(password) = values.random(name)?
            {
                println!("{name} = {password}");
            }
        }
    }
    eprintln!("kept in {}", args.data_dir.join("values.json").display());
    Ok(())
}

/// Adds to the file what it does not say yet.
fn complete(args: &cli::Keys, file: &Path) -> Result<()> {
    let manifest = super::load(&args.manifest)?;
    if file.extension().is_none_or(|extension| extension != "toml") {
        return Err(Failure::Usage(format!(
            "--variables {}: the name of the file has to end in .toml",
            file.display()
        )));
    }
    let flag = file.exists().then(|| format!("@{}", file.display()));
    let sources = Sources::read(flag.as_slice(), &[], Environment::default())
        .map_err(|faults| Failure::Usage(faults.join("\n")))?;
    let missing = values::missing(&manifest, &sources, args.postgres_url.as_deref())?;
    if missing.is_empty() {
        eprintln!("{} lacks nothing", file.display());
        return Ok(());
    }
    add_variables(file, &missing)?;
    let names: Vec<&str> = missing.keys().map(String::as_str).collect();
    eprintln!("added to {}: {}", file.display(), names.join(", "));
    Ok(())
}
