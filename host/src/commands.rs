//! One module per command.

pub mod build;
pub mod compile;
pub mod doctor;
pub mod keys;
pub mod migrate;
pub mod routes;
pub mod services;
pub mod up;

use wharf_manifest::manifest::{self, Manifest};

use crate::cli::ManifestArgs;
use crate::failure::Result;

/// Loads the manifest and prints its warnings.
fn load(args: &ManifestArgs) -> Result<Manifest> {
    let manifest = manifest::load(&args.path, args.profile.as_deref())?;
    for warning in &manifest.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(manifest)
}
