//! Reads the migrations folder. `migrate` applies the files.
//!
//! `<schema>/NNNN_name.sql` is numbered: applied once. `<schema>/name.sql` is repeatable: applied again
//! when it changes. `every/name.sql` is repeatable and applied in every schema.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use wharf_manifest::manifest::{EVERY_SCHEMA as EVERY, is_schema_name};

use crate::error::{Error, Result};

/// The checked migrations of an application, in the order of their application.
///
/// Numbered files come first, by number over all schemas, then by the name of the schema. So a file that
/// depends on a file of another schema needs a higher number. Then come the files of `every`, then the
/// other repeatable files; both by schema, then by name.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    schemas: Vec<String>,
    files: Vec<Migration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Migration {
    kind: Kind,
    pub(crate) schema: String,
    /// As it is recorded: `0001_ledger.sql`, `every/moments.sql`.
    pub(crate) name: String,
    pub(crate) sql: String,
    /// The hash of the file's bytes in hexadecimal.
    pub(crate) sha256: String,
}

/// In the order of application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Numbered(u32),
    Every,
    Repeatable,
}

impl Migrations {
    /// Reads and checks the folder. Fails with all faults.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut migrations = Self::default();
        let mut faults = Vec::new();
        let mut every = Vec::new();
        for name in entries(folder)?
            .into_iter()
            .filter(|entry| entry.is_folder)
            .map(|entry| entry.name)
        {
            match check_schema(&name) {
                _ if name == EVERY => every = read_files(folder, &name, &mut faults)?,
                Ok(()) => {
                    migrations
                        .files
                        .extend(read_files(folder, &name, &mut faults)?);
                    migrations.schemas.push(name);
                }
                Err(fault) => faults.push(format!("{}: {fault}", folder.join(&name).display())),
            }
        }
        for schema in &migrations.schemas {
            migrations.files.extend(every.iter().map(|file| Migration {
                schema: schema.clone(),
                ..file.clone()
            }));
        }
        migrations
            .files
            .sort_by(|a, b| (a.kind, &a.schema, &a.name).cmp(&(b.kind, &b.schema, &b.name)));
        match faults.is_empty() {
            true => Ok(migrations),
            false => Err(Error::Migration(faults.join("\n"))),
        }
    }

    /// The schemas, in alphabetical order.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.schemas.iter().map(String::as_str)
    }

    pub(crate) fn numbered(&self) -> impl Iterator<Item = &Migration> {
        self.files.iter().filter(|file| file.is_numbered())
    }

    pub(crate) fn repeatable(&self) -> impl Iterator<Item = &Migration> {
        self.files.iter().filter(|file| !file.is_numbered())
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
}

/// Reads the files of a schema or of `every`, sorted by name.
fn read_files(folder: &Path, schema: &str, faults: &mut Vec<String>) -> Result<Vec<Migration>> {
    let folder = folder.join(schema);
    let mut files = Vec::<Migration>::new();
    for name in entries(&folder)?
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| !name.ends_with(".md"))
    {
        let path = folder.join(&name);
        let kind = match parse_kind(schema, &name) {
            Ok(kind) => kind,
            Err(fault) => {
                faults.push(format!("{}: {fault}", path.display()));
                continue;
            }
        };
        let bytes =
            fs::read(&path).map_err(Error::io(format!("cannot read {}", path.display())))?;
        let sha256 = hex(&Sha256::digest(&bytes));
        let Ok(sql) = String::from_utf8(bytes) else {
            faults.push(format!("{}: not UTF-8 text", path.display()));
            continue;
        };
        if let (Kind::Numbered(_), Some(previous)) = (kind, files.last())
            && previous.kind == kind
        {
            faults.push(format!(
                "{}: has the same number as {}",
                path.display(),
                previous.name
            ));
        }
        files.push(Migration {
            kind,
            schema: schema.to_owned(),
            name: match kind {
                Kind::Every => format!("{EVERY}/{name}"),
                Kind::Numbered(_) | Kind::Repeatable => name,
            },
            sql,
            sha256,
        });
    }
    Ok(files)
}

impl Migration {
    pub(crate) fn is_numbered(&self) -> bool {
        matches!(self.kind, Kind::Numbered(_))
    }

    /// `payments/0001_ledger.sql`, `every/moments.sql → payments`
    pub(crate) fn path(&self) -> String {
        match self.kind {
            Kind::Every => format!("{} → {}", self.name, self.schema),
            Kind::Numbered(_) | Kind::Repeatable => format!("{}/{}", self.schema, self.name),
        }
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

/// A name that starts with a digit is meant to be numbered, so that `001_tables.sql` is a fault and not
/// repeatable.
fn parse_kind(folder: &str, name: &str) -> Result<Kind, &'static str> {
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        if folder == EVERY {
            return Err("a file for every schema is repeatable, so its name has no number");
        }
        return parse_number(name)
            .map(Kind::Numbered)
            .ok_or("the name of a numbered file must be NNNN_name.sql, as in 0001_tables.sql");
    }
    match name.ends_with(".sql") {
        false => Err("the name must be NNNN_name.sql or name.sql"),
        true if folder == EVERY => Ok(Kind::Every),
        true => Ok(Kind::Repeatable),
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

pub(crate) fn hex(bytes: &[u8]) -> String {
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

    fn paths(folder: &tempfile::TempDir) -> Vec<String> {
        let migrations = Migrations::read(folder.path()).unwrap();
        migrations.files.iter().map(Migration::path).collect()
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
        assert_eq!(
            paths(&folder),
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
    fn repeatable_files_come_last_and_those_for_every_schema_before_the_others() {
        let folder = folder(&[
            "a/cards.sql",
            "a/0001_x.sql",
            "b/totals.sql",
            "b/cards.sql",
            "b/0002_y.sql",
            "every/moments.sql",
            "every/README.md",
        ]);
        assert_eq!(
            paths(&folder),
            [
                "a/0001_x.sql",
                "b/0002_y.sql",
                "every/moments.sql → a",
                "every/moments.sql → b",
                "a/cards.sql",
                "b/cards.sql",
                "b/totals.sql",
            ]
        );
        let migrations = Migrations::read(folder.path()).unwrap();
        assert_eq!(migrations.schemas().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn the_fingerprint_covers_repeatable_files() {
        let folder = folder(&["a/0001_x.sql", "a/cards.sql", "every/moments.sql"]);
        let fingerprint = || Migrations::read(folder.path()).unwrap().fingerprint();
        let mut fingerprints = vec![fingerprint()];
        for file in ["a/cards.sql", "every/moments.sql"] {
            fs::write(folder.path().join(file), "SELECT 2;\n").unwrap();
            fingerprints.push(fingerprint());
        }
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), 3);
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
            "ok/cards.txt",
            "every/0001_a.sql",
        ]);
        let faults = Migrations::read(folder.path()).unwrap_err().to_string();
        assert_eq!(faults.lines().count(), 7, "{faults}");
    }
}
