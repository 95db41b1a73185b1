//! Where a host finds its manifest and keeps its data.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::{Failure, Result};

/// The clone that this crate was built in.
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Makes `folder`, with links to everything that is beside `manifest`, and `edit` applied to the manifest.
///
/// Hidden files stay out: a developer's `.env` would lead the host to the developer's stores.
pub fn link_application(
    manifest: &Path,
    folder: &Path,
    edit: impl FnOnce(String) -> Result<String>,
) -> Result<()> {
    let doing = || Failure::doing(format!("lay out {}", folder.display()));
    let original = manifest
        .parent()
        .ok_or_else(|| Failure::new("the manifest is in no folder"))?;
    let name = manifest
        .file_name()
        .ok_or_else(|| Failure::new("the manifest is no file"))?;
    fs::create_dir(folder).map_err(doing())?;
    for entry in fs::read_dir(original).map_err(doing())?.flatten() {
        let other = entry.file_name();
        if other != name && !other.to_string_lossy().starts_with('.') {
            symlink(entry.path(), folder.join(other)).map_err(doing())?;
        }
    }
    let text = fs::read_to_string(manifest).map_err(doing())?;
    fs::write(folder.join(name), edit(text)?).map_err(doing())
}

/// Has the host with this data folder take compiled components from `cache`, so that they are compiled once
/// for all hosts.
pub fn link_cache(data_dir: &Path, cache: &Path) -> Result<()> {
    let doing = || Failure::doing(format!("link {}", cache.display()));
    fs::create_dir_all(cache).map_err(doing())?;
    fs::create_dir_all(data_dir).map_err(doing())?;
    symlink(cache, data_dir.join("cache")).map_err(doing())
}
