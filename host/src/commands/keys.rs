//! `wharf keys`: what this host made for the application and keeps: the signing keys, the passwords.

use wharf_manifest::manifest::HostValue;
use wharf_stores::{Addresses, Values};

use crate::cli;
use crate::failure::Result;

pub fn run(args: &cli::Keys) -> Result<()> {
    let values = Values::open(&args.data_dir)?;
    if args.rotate {
        values.rotate_signing_key()?;
        eprintln!("a new key signs from the next start on");
    }
    println!("{}", values.jwks()?);
    if args.secrets {
        let manifest = super::load(&args.manifest)?;
        for (name, value) in &manifest.wharf.variables {
            if let HostValue::Random { .. } = value {
                let password = values.resolve(name, value, &Addresses::default(), "")?;
                println!("{name} = {password}");
            }
        }
    }
    eprintln!("kept in {}", args.data_dir.join("values.json").display());
    Ok(())
}
