//! Copies the files that a component may read to a folder of its own, which it sees as `/`. With a copy the component
//! sees only the files that the manifest names.

use std::fs;
use std::path::{Component as Part, Path, PathBuf};

use anyhow::{Context, Result};
use glob::Pattern;
use wharf_manifest::manifest::{Component, Files};

/// Copies the files of the component into `folder`; `None` if it has none.
pub fn copy_files(
    component: &Component,
    manifest_dir: &Path,
    folder: &Path,
) -> Result<Option<PathBuf>> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("clear {}", folder.display()))?;
    }
    if component.files.is_empty() {
        return Ok(None);
    }
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    let excluded: Vec<Pattern> = component
        .exclude_files
        .iter()
        .map(|pattern| Pattern::new(pattern))
        .collect::<Result<_, _>>()?;
    for files in &component.files {
        match files {
            Files::Pattern(pattern) => copy_matching(manifest_dir, pattern, &excluded, folder)?,
            Files::Placed {
                source,
                destination,
            } => {
                copy(
                    source,
                    &join_inside(folder, Path::new(destination)),
                    manifest_dir,
                    &excluded,
                )?;
            }
        }
    }
    Ok(Some(folder.to_owned()))
}

fn copy_matching(dir: &Path, pattern: &str, excluded: &[Pattern], folder: &Path) -> Result<()> {
    let absolute = Path::new(&Pattern::escape(&dir.to_string_lossy())).join(pattern);
    for found in glob::glob(&absolute.to_string_lossy())? {
        let found = found?;
        if found.is_file() {
            let relative = found.strip_prefix(dir).unwrap_or(&found);
            copy(&found, &join_inside(folder, relative), dir, excluded)?;
        }
    }
    Ok(())
}

fn copy(source: &Path, destination: &Path, dir: &Path, excluded: &[Pattern]) -> Result<()> {
    let relative = source.strip_prefix(dir).unwrap_or(source);
    if excluded
        .iter()
        .any(|pattern| pattern.matches_path(relative))
    {
        return Ok(());
    }
    let describe = || format!("copy {} for a component", source.display());
    if source.is_dir() {
        fs::create_dir_all(destination).with_context(describe)?;
        for entry in fs::read_dir(source).with_context(describe)? {
            let entry = entry.with_context(describe)?;
            copy(
                &entry.path(),
                &destination.join(entry.file_name()),
                dir,
                excluded,
            )?;
        }
        return Ok(());
    }
    if let Some(parent) = destination.parent() {
        fs::create_dir_all(parent).with_context(describe)?;
    }
    fs::copy(source, destination).with_context(describe)?;
    Ok(())
}

/// Joins `path` to `folder`, ignoring every part of it that would lead outside.
fn join_inside(folder: &Path, path: &Path) -> PathBuf {
    let named = path
        .components()
        .filter(|part| matches!(part, Part::Normal(_)));
    named.fold(folder.to_owned(), |folder, part| folder.join(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joined_path_stays_inside_its_folder() {
        assert_eq!(
            join_inside(Path::new("/a"), Path::new("/b/../../c")),
            Path::new("/a/b/c")
        );
    }
}
