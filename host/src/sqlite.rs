//! Opens the SQLite databases that components are granted, and runs the operator's statements in them. A database that the
//! runtime configuration does not mention is a file of this host.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wharf_imports::sqlite::Database;

use crate::application::Parts;

const DEFAULT_LABEL: &str = "default";

pub fn open_databases(parts: &Parts) -> Result<BTreeMap<String, Database>> {
    let components = parts.manifest.components.values();
    let labels = components.flat_map(|component| &component.sqlite_databases);
    let mut databases = BTreeMap::new();
    for label in labels {
        if databases.contains_key(label) {
            continue;
        }
        let settings = parts.runtime_config.sqlite_databases.get(label);
        let settings = settings.cloned().unwrap_or_default();
        let path = settings
            .path
            .unwrap_or_else(|| default_path(parts.data_dir, label));
        let database = open(
            &path,
            parts.manifest.wharf.sqlite_limit_bytes,
            settings.allow_attach_file,
        );
        let database = database.with_context(|| format!("open {}", path.display()))?;
        databases.insert(label.clone(), database);
    }
    for statement in parts.sqlite_statements {
        run(statement, &databases).with_context(|| format!("--sqlite {statement}"))?;
    }
    Ok(databases)
}

fn default_path(data_dir: &Path, label: &str) -> PathBuf {
    data_dir.join("sqlite").join(format!("{label}.db"))
}

fn open(path: &Path, max_bytes: u64, may_attach_files: bool) -> Result<Database> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(Database::open(path, max_bytes, may_attach_files)?)
}

/// `statement`, `@file` or `@file:label`, as in Spin.
fn run(statement: &str, databases: &BTreeMap<String, Database>) -> Result<()> {
    let Some(file) = statement.strip_prefix('@') else {
        return Ok(find(databases, DEFAULT_LABEL)?.execute_batch(statement)?);
    };
    let (file, label) = file.split_once(':').unwrap_or((file, DEFAULT_LABEL));
    let (file, label) = (file.trim(), label.trim());
    if file.is_empty() || label.is_empty() {
        bail!("write @file.sql or @file.sql:label");
    }
    let statements = fs::read_to_string(file).with_context(|| format!("read {file}"))?;
    Ok(find(databases, label)?.execute_batch(&statements)?)
}

fn find<'a>(databases: &'a BTreeMap<String, Database>, label: &str) -> Result<&'a Database> {
    databases
        .get(label)
        .with_context(|| format!("no component is granted the SQLite database \"{label}\""))
}
