//! `cargo run --release -p wharf-api`: writes the API description of all functions to `docs/openapi.json`.

use std::path::Path;

use anyhow::{Context as _, Result};

fn main() -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    std::fs::write(&file, wharf_api::text()?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(())
}
