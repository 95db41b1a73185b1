//! Writes the client from the API description, as `wharf-api clients` does.

use std::path::Path;

use anyhow::{Context as _, Result};
use wharf_openapi::{Document, clients};

const DESCRIPTION: &str = "../../docs/openapi.json";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={DESCRIPTION}");
    let description = std::fs::read_to_string(DESCRIPTION).context(DESCRIPTION)?;
    let client = clients::rust(&Document::parse(&description)?)?;
    let folder = std::env::var_os("OUT_DIR").context("cargo names no OUT_DIR")?;
    std::fs::write(Path::new(&folder).join("wharf.rs"), client)?;
    Ok(())
}
