//! `wharf keys`: shows or rotates the signing keys and passwords that this host generated, or writes the file of
//! values that all hosts of a deployment share.

use std::path::Path;

use wharf_manifest::manifest::HostValue;
use wharf_manifest::variables::{Environment, Sources};
use wharf_stores::{Values, add_variables};

use crate::cli;
use crate::failure::{Failure, Result};
use crate::values;

pub fn run(args: &cli::Keys) -> Result<()> {
    if let Some(file) = &args.variables {
        return add_missing(args, file);
    }
    let values = Values::open(&args.data_dir)?;
    if args.rotate {
        values.rotate_signing_key()?;
        eprintln!("the next start signs with a new key");
    }
    println!("{}", values.jwks()?);
    if args.secrets {
        let manifest = super::load(&args.manifest)?;
        for (name, source) in &manifest.wharf.variables {
            // A password that was given at every start is not stored here.
            if let HostValue::Random { .. } = source
                && let Some(password) = values.random(name)?
            {
                println!("{name} = {password}");
            }
        }
    }
    eprintln!("stored in {}", args.data_dir.join("values.json").display());
    Ok(())
}

/// Generates the values that the file does not contain yet.
fn add_missing(args: &cli::Keys, file: &Path) -> Result<()> {
    let manifest = super::load(&args.manifest)?;
    if file.extension().is_none_or(|extension| extension != "toml") {
        return Err(Failure::Usage(format!(
            "--variables {}: the file name must end in .toml",
            file.display()
        )));
    }
    let flag = file.exists().then(|| format!("@{}", file.display()));
    let sources = Sources::read(flag.as_slice(), &[], Environment::default())
        .map_err(|faults| Failure::Usage(faults.join("\n")))?;
    let missing = values::generate_missing(&manifest, &sources, args.postgres_url.as_deref())?;
    if missing.is_empty() {
        eprintln!("{} is complete", file.display());
        return Ok(());
    }
    add_variables(file, &missing)?;
    let names: Vec<&str> = missing.keys().map(String::as_str).collect();
    eprintln!("added to {}: {}", file.display(), names.join(", "));
    Ok(())
}
