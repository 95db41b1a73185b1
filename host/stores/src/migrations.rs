//! Reads the migrations folder: `<schema>/NNNN_name.sql`. `migrate` applies the files.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use wharf_manifest::manifest::is_schema_name;

use crate::error::{Error, Result};

/// The checked migrations of an application, in the order of their application.
///
/// The order is by number over all schemas, then by the name of the schema. So a file that depends
/// on a file of another schema needs a higher number.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    schemas: Vec<String>,
    files: Vec<Migration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Migration {
    pub(crate) number: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) sql: String,
    /// The hash of the file's bytes in hexadecimal.
    pub(crate) sha256: String,
}

impl Migrations {
    /// Reads and checks the folder. Fails with all faults.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut migrations = Self::default();
        let mut faults = Vec::new();
        for schema in entries(folder)?
            .into_iter()
            .filter(|entry| entry.is_folder)
            .map(|entry| entry.name)
        {
            match check_schema(&schema) {
                Ok(()) => {
                    migrations.read_schema(folder, &schema, &mut faults)?;
                    migrations.schemas.push(schema);
                }
                Err(fault) => faults.push(format!("{}: {fault}", folder.join(&schema).display())),
            }
        }
        migrations
            .files
            .sort_by(|a, b| (a.number, &a.schema).cmp(&(b.number, &b.schema)));
        match faults.is_empty() {
            true => Ok(migrations),
            false => Err(Error::Migration(faults.join("\n"))),
        }
    }

    /// The schemas, in alphabetical order.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.schemas.iter().map(String::as_str)
    }

    pub(crate) fn files(&self) -> &[Migration] {
        &self.files
    }

    /// A hash of all files and schemas.
    pub(crate) fn fingerprint(&self) -> String {
        let mut all = Sha256::new();
        for schema in &self.schemas {
            all.update(schema);
            all.update("/");
        }
        for file in &self.files {
            all.update(file.path());
            all.update(&file.sha256);
        }
        hex(&all.finalize())
    }

    fn read_schema(&mut self, folder: &Path, schema: &str, faults: &mut Vec<String>) -> Result<()> {
        let folder = folder.join(schema);
        let mut previous: Option<Migration> = None;
        for name in entries(&folder)?
            .into_iter()
            .map(|entry| entry.name)
            .filter(|name| !name.ends_with(".md"))
        {
            let path = folder.join(&name);
            let Some(number) = parse_number(&name) else {
                faults.push(format!(
                    "{}: the name of a migration must be NNNN_name.sql, as in 0001_tables.sql",
                    path.display()
                ));
                continue;
            };
            let bytes =
                fs::read(&path).map_err(Error::io(format!("cannot read {}", path.display())))?;
            let sha256 = hex(&Sha256::digest(&bytes));
            let Ok(sql) = String::from_utf8(bytes) else {
                faults.push(format!("{}: not UTF-8 text", path.display()));
                continue;
            };
            if let Some(previous) = previous.filter(|previous| previous.number == number) {
                faults.push(format!(
                    "{}: has the same number as {}",
                    path.display(),
                    previous.name
                ));
            }
            let file = Migration {
                number,
                schema: schema.to_owned(),
                name,
                sql,
                sha256,
            };
            self.files.push(file.clone());
            previous = Some(file);
        }
        Ok(())
    }
}

impl Migration {
    /// `payments/0001_ledger.sql`
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.schema, self.name)
    }
}

struct Entry {
    name: String,
    is_folder: bool,
}

/// The entries of the folder without hidden files, sorted by name.
fn entries(folder: &Path) -> Result<Vec<Entry>> {
    let doing = || {
        Error::io(format!(
            "cannot read the migrations in {}",
            folder.display()
        ))
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(doing())? {
        let entry = entry.map_err(doing())?;
        let is_folder = entry.path().is_dir();
        let name = entry.file_name().to_string_lossy().into_owned();
        entries.push(Entry { name, is_folder });
    }
    entries.retain(|entry| !entry.name.starts_with('.'));
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn check_schema(name: &str) -> Result<(), &'static str> {
    match name {
        "public" | "information_schema" => Err("PostgreSQL owns this schema"),
        "wharf" => Err("this schema is reserved for the list of applied migrations"),
        _ if name.starts_with("pg_") => {
            Err("names that start with pg_ are reserved for PostgreSQL")
        }
        _ if is_schema_name(name) => Ok(()),
        _ => Err(
            "invalid schema name: use a-z, 0-9 and _, start with a letter, 40 characters at most",
        ),
    }
}

/// The number in `0001_tables.sql`; `None` if the name has another form.
fn parse_number(name: &str) -> Option<u32> {
    let (number, rest) = name.split_once('_')?;
    let is_number = number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit());
    let has_name = rest.len() > ".sql".len() && rest.ends_with(".sql");
    if is_number && has_name {
        number.parse().ok()
    } else {
        None
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "SELECT 1;\n").unwrap();
        }
        folder
    }

    #[test]
    fn files_are_ordered_by_number_then_by_schema() {
        let folder = folder(&[
            "b/0001_x.sql",
            "b/0003_z.sql",
            "a/0002_y.sql",
            "a/0001_w.sql",
            "README.md",
            "a/README.md",
        ]);
        let migrations = Migrations::read(folder.path()).unwrap();
        let paths: Vec<_> = migrations.files().iter().map(Migration::path).collect();
        assert_eq!(
            paths,
            [
                "a/0001_w.sql",
                "b/0001_x.sql",
                "a/0002_y.sql",
                "b/0003_z.sql"
            ]
        );
        assert_eq!(migrations.schemas().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let folder = folder(&[
            "pg_x/0001_a.sql",
            "wharf/0001_a.sql",
            "Pay/0001_a.sql",
            "ok/1_a.sql",
            "ok/0002_a.sql",
            "ok/0002_b.sql",
        ]);
        let faults = Migrations::read(folder.path()).unwrap_err().to_string();
        assert_eq!(faults.lines().count(), 5, "{faults}");
    }
}
