//! The invariants of ARCHITECTURE.md that can be checked on the sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wharf_tests::repository;

/// Every crate of the workspace with the crates of the workspace that it depends on, for any purpose.
fn crates() -> Vec<(PathBuf, Vec<PathBuf>)> {
    let metadata = Command::new("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(repository())
        .output()
        .expect("cargo");
    assert!(
        metadata.status.success(),
        "{}",
        String::from_utf8_lossy(&metadata.stderr)
    );
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let inside = |path: &str| {
        Path::new(path)
            .strip_prefix(repository())
            .unwrap()
            .to_owned()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let manifest = inside(package["manifest_path"].as_str().unwrap());
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let own = dependencies
                .filter_map(|it| it["path"].as_str())
                .map(inside);
            (manifest.parent().unwrap().to_owned(), own.collect())
        })
        .collect()
}

/// The files below `folder` whose name ends in `.extension`, with what is in them.
fn files(folder: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(repository()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(
        !found.is_empty(),
        "no .{extension} below {}",
        folder.display()
    );
    found
}

fn in_repository(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    files(&repository().join(folder), extension)
}

/// The code without its comments, which may name what is forbidden.
fn code(text: &str) -> String {
    text.lines()
        .filter(|it| !it.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_component_depends_on_the_kit_and_on_no_other_component() {
    for (name, dependencies) in crates() {
        if name.starts_with("components") {
            let others: Vec<_> = dependencies
                .iter()
                .filter(|it| !it.starts_with("components/kit"))
                .collect();
            assert!(
                others.is_empty(),
                "{} depends on {others:?}",
                name.display()
            );
        }
    }
}

#[test]
fn the_host_depends_on_no_component() {
    for (name, dependencies) in crates() {
        if name.starts_with("host") {
            let business: Vec<_> = dependencies
                .iter()
                .filter(|it| !it.starts_with("host"))
                .collect();
            assert!(
                business.is_empty(),
                "{} depends on {business:?}",
                name.display()
            );
        }
    }
}

#[test]
fn only_the_kit_talks_to_the_database() {
    for (path, text) in in_repository("components", "rs") {
        let is_the_one = path.starts_with("components/kit/src/store");
        let talks = [
            "spin_sdk::pg",
            "spin_sdk::{pg",
            "spin_sdk::mysql",
            "spin_sdk::sqlite",
        ];
        let talks = talks.iter().any(|it| code(&text).contains(it));
        assert!(
            is_the_one || !talks,
            "{} talks to a database",
            path.display()
        );
    }
}

/// One statement is one transaction: an open one would outlive the request on its pooled connection.
#[test]
fn no_component_opens_a_transaction() {
    const WORDS: [&str; 6] = [
        "BEGIN",
        "START TRANSACTION",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "SET ",
    ];
    for (path, text) in in_repository("components", "sql") {
        let statement: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|it| !it.is_empty() && !it.starts_with("--"))
            .collect();
        let first = statement
            .first()
            .copied()
            .unwrap_or_default()
            .to_uppercase();
        assert!(
            !WORDS.iter().any(|it| first.starts_with(it)),
            "{}: {first}",
            path.display()
        );
    }
    for (path, text) in in_repository("components", "rs") {
        for word in ["\"BEGIN", "\"COMMIT", "\"ROLLBACK", "\"START TRANSACTION"] {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

/// An instance keeps its connection between requests. A statement that needs a session would keep a connection of the
/// pool with it.
#[test]
fn no_statement_needs_a_session() {
    const BEGINNINGS: [&str; 7] = [
        "select", "insert", "update", "delete", "with", "values", "merge",
    ];
    const SESSION_WORDS: [&str; 10] = [
        "currval(",
        "lastval(",
        "set_config(",
        "setseed(",
        "pg_advisory_lock",
        "pg_advisory_unlock",
        "pg_try_advisory_lock",
        "pg_temp",
        "dblink",
        " lo_",
    ];
    for (path, text) in in_repository("components", "sql") {
        let statement = text.to_lowercase();
        let mut lines = statement.lines().map(str::trim);
        let first = lines.find(|it| !it.is_empty() && !it.starts_with("--"));
        let first = first.unwrap_or_default().trim_start_matches('(');
        assert!(
            BEGINNINGS.iter().any(|it| first.starts_with(it)),
            "{}: {first}",
            path.display()
        );
        for word in SESSION_WORDS {
            assert!(!statement.contains(word), "{} says {word}", path.display());
        }
    }
}

/// SQL stands in files: a statement built from strings can contain what a client wrote.
#[test]
fn every_statement_is_a_file_and_every_file_is_used() {
    for (path, text) in in_repository("components", "sql") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = path.parent().and_then(Path::parent).unwrap();
        let used = files(&repository().join(source), "rs")
            .iter()
            .any(|(_, text)| text.contains(&format!("sql!(\"{name}\")")));
        assert!(used, "{} is used nowhere", path.display());
        assert!(
            !text.trim_end().ends_with(';'),
            "{} ends with a semicolon",
            path.display()
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for folder in ["components", "host", "tests", "infra"] {
        for (path, text) in in_repository(folder, "rs") {
            assert!(
                text.starts_with("//!"),
                "{} does not begin with //!",
                path.display()
            );
        }
    }
}

/// A component without a build is refused where its file does not exist yet, so only in a fresh clone.
#[test]
fn every_component_names_its_build() {
    let manifest = fs::read_to_string(repository().join("spin.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let without: Vec<_> = manifest["component"]
        .as_table()
        .unwrap()
        .iter()
        .filter(|(_, it)| it.get("build").is_none())
        .map(|(id, _)| id)
        .collect();
    assert!(without.is_empty(), "{without:?}");
}
